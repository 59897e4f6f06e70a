ALTER TABLE outbox ADD COLUMN replay_id uuid;
COMMENT ON COLUMN outbox.replay_id IS 'the replay that caused these events, at first hand or through an event of another lane; NULL of all that happened by itself';

CREATE OR REPLACE VIEW outbox_events AS
SELECT o.lane, o.outbox_seq, o.decided_at, e.*, o.replay_id
FROM outbox o CROSS JOIN LATERAL frame_events(o.frame, o.topics) e;

-- Within a transaction all rows have one parked_at: released, they follow each other as they came.
ALTER TABLE parked ADD COLUMN parked_seq bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN parked.parked_seq IS 'counts on within its lane: the order in which its records would have been handled';
