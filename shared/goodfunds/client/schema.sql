-- What the goodfunds client library keeps in your own database. Run it once with your migrations; running it
-- again changes nothing. Both tables are found through the search path of the connections that you hand in.

-- Requests that your transactions have written and the relay has not published yet.
CREATE TABLE IF NOT EXISTS goodfunds_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    event_type text NOT NULL,
    client text NOT NULL,
    idempotency_key text NOT NULL,
    value bytea NOT NULL,
    traceparent text NOT NULL DEFAULT '',
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE goodfunds_outbox IS
    'Written by goodfunds.Publisher.outbox in your transactions; the relay deletes what the broker acknowledged.';

-- Where each subscription stands: the next offset of each partition, and the last number of each producer.
CREATE TABLE IF NOT EXISTS goodfunds_positions (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    noted text NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer_group, topic, partition)
);
COMMENT ON TABLE goodfunds_positions IS
    'Written by goodfunds.Subscription.transaction, together with the effects of the events before it.';
