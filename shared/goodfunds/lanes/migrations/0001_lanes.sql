CREATE TABLE cluster (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    incarnation text NOT NULL DEFAULT substr(replace(gen_random_uuid()::text, '-', ''), 1, 12),
    partitions  integer NOT NULL CHECK (partitions > 0),
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE cluster IS 'One row: the partition count, for life, and the life of this database. Written once, by the first instance that starts.';

CREATE TABLE lanes (
    lane           integer PRIMARY KEY,
    incarnation    text NOT NULL,
    epoch          bigint NOT NULL DEFAULT 0,
    version        bigint NOT NULL DEFAULT 0,
    owner          text,
    backend_pid    integer,
    backend_start  timestamptz,
    heartbeat      timestamptz,
    decided_at     timestamptz,
    offsets        jsonb NOT NULL,
    started_above  jsonb NOT NULL DEFAULT '[]',
    watermarks     jsonb NOT NULL DEFAULT '{}',
    destinations   jsonb NOT NULL DEFAULT '{}',
    acknowledged   jsonb NOT NULL DEFAULT '{}',
    outbox_seq     bigint NOT NULL DEFAULT 0,
    published_seq  bigint NOT NULL DEFAULT 0,
    stopped_reason text,
    stopped_at     timestamptz,
    CHECK (published_seq <= outbox_seq)
) WITH (fillfactor = 50);
COMMENT ON TABLE lanes IS 'A row a lane, lane -1 is the feed of its database. Written by the owner alone, who proves with (epoch, version) that he still is; raising the epoch takes it over.';
COMMENT ON COLUMN lanes.offsets IS 'topic → the offset to be handled next';
COMMENT ON COLUMN lanes.started_above IS 'topics whose first offset lay above the beginning: a producer may begin there with any seq';
COMMENT ON COLUMN lanes.watermarks IS 'topic|producer|producer''s lane → last seq handled';
COMMENT ON COLUMN lanes.destinations IS 'topic/partition → the seq that the next event gets';
COMMENT ON COLUMN lanes.acknowledged IS 'topic/partition → highest broker offset of our own that was acknowledged';
COMMENT ON COLUMN lanes.published_seq IS 'outbox_seq up to which everything was acknowledged, without a hole';

CREATE TABLE outbox (
    lane       integer NOT NULL,
    outbox_seq bigint NOT NULL,
    decided_at timestamptz NOT NULL,
    topics     text[] NOT NULL,
    events     integer NOT NULL CHECK (events > 0),
    frame      bytea NOT NULL,
    PRIMARY KEY (lane, outbox_seq, decided_at)
) PARTITION BY RANGE (decided_at);
ALTER TABLE outbox ALTER COLUMN frame SET STORAGE EXTERNAL;
COMMENT ON TABLE outbox IS 'A row a lane and transaction: the events it decided to publish. Written by the owner of the lane with the state they describe; whole days are dropped once published and older than the topics keep.';
CREATE TABLE outbox_other_days PARTITION OF outbox DEFAULT;
ALTER TABLE outbox_other_days ALTER COLUMN frame SET STORAGE EXTERNAL;
COMMENT ON TABLE outbox_other_days IS 'Outbox rows of days that have no partition. Written by the owner of the lane.';

CREATE TABLE parked (
    lane         integer NOT NULL,
    topic        text NOT NULL,
    source_partition integer NOT NULL,
    source_offset    bigint NOT NULL,
    key          bytea NOT NULL,
    value        bytea,
    headers      jsonb NOT NULL,
    broker_time_ms bigint NOT NULL,
    amount_minor bigint,
    currency     text,
    poison       boolean NOT NULL,
    fault        text NOT NULL,
    parked_at    timestamptz NOT NULL,
    PRIMARY KEY (topic, source_partition, source_offset)
);
CREATE INDEX parked_by_lane ON parked (lane, key);
COMMENT ON TABLE parked IS 'Events set aside because a handler faulted on them, and the later events of the same account. Written by the owner of the lane.';

CREATE FUNCTION frame_integer(frame bytea, start integer, width integer) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    ('x' || lpad(encode(substring(frame FROM start + 1 FOR width), 'hex'), 16, '0'))::bit(64)::bigint;

CREATE FUNCTION frame_events(frame bytea, topics text[])
RETURNS TABLE (place integer, topic text, to_partition integer, seq bigint, first_time_ms bigint,
               key text, event_type text, traceparent text, body bytea)
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    start integer := 4;
    key_length integer; type_length integer; trace_length integer; body_length integer;
BEGIN
    FOR event IN 1 .. frame_integer(frame, 0, 4) LOOP
        place := event;
        topic := topics[frame_integer(frame, start, 1) + 1];
        to_partition := frame_integer(frame, start + 1, 2);
        seq := frame_integer(frame, start + 3, 8);
        first_time_ms := frame_integer(frame, start + 11, 8);
        key_length := frame_integer(frame, start + 19, 2);
        type_length := frame_integer(frame, start + 21, 1);
        trace_length := frame_integer(frame, start + 22, 1);
        body_length := frame_integer(frame, start + 23, 4);
        start := start + 27;
        key := convert_from(substring(frame FROM start + 1 FOR key_length), 'UTF8');
        event_type := convert_from(substring(frame FROM start + key_length + 1 FOR type_length), 'UTF8');
        traceparent := convert_from(
            substring(frame FROM start + key_length + type_length + 1 FOR trace_length), 'UTF8');
        body := substring(frame FROM start + key_length + type_length + trace_length + 1 FOR body_length);
        start := start + key_length + type_length + trace_length + body_length;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE VIEW outbox_events AS
SELECT o.lane, o.outbox_seq, o.decided_at, e.*
FROM outbox o CROSS JOIN LATERAL frame_events(o.frame, o.topics) e;

CREATE FUNCTION keep_outbox(today date, keep_days integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    day date; found record; days date[]; name text;
BEGIN
    -- Serialised, so that two instances do not make the same day's partition at once.
    IF NOT pg_try_advisory_xact_lock(hashtext('keep_outbox')) THEN RETURN; END IF;
    FOR day IN SELECT today + n FROM generate_series(0, 7) AS n LOOP
        name := 'outbox_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        CONTINUE WHEN EXISTS (SELECT FROM outbox_other_days WHERE decided_at >= day AND decided_at < day + 1);
        EXECUTE format('CREATE TABLE %I (LIKE outbox INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE %I ALTER COLUMN frame SET STORAGE EXTERNAL', name);
        EXECUTE format('ALTER TABLE outbox ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                       day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('COMMENT ON TABLE %I IS %L', name, 'One day of the outbox. Written by the owner of the lane.');
    END LOOP;
    FOR found IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = 'outbox'::regclass AND c.relname ~ '^outbox_[0-9]{8}$' LOOP
        CONTINUE WHEN to_date(right(found.relname, 8), 'YYYYMMDD') >= today - keep_days;
        EXECUTE format('SELECT array_agg(DISTINCT o.decided_at::date) FROM %I o JOIN lanes l USING (lane)
                        WHERE o.outbox_seq > l.published_seq', found.relname) INTO days;
        IF days IS NULL THEN
            EXECUTE format('DROP TABLE %I', found.relname);
        END IF;
    END LOOP;
END $$;
