CREATE TABLE lane_stops (
    stop_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane           integer NOT NULL,
    epoch          bigint NOT NULL,
    version        bigint NOT NULL,
    stopped_at     timestamptz NOT NULL,
    reason         text NOT NULL,
    ranges         jsonb NOT NULL,
    records        jsonb NOT NULL,
    work           jsonb NOT NULL,
    memory         jsonb,
    database_fault jsonb,
    traceback      text NOT NULL
);
CREATE INDEX lane_stops_by_lane ON lane_stops (lane, stop_id);
COMMENT ON TABLE lane_stops IS 'Why each lane stopped, with the evidence. Written by the owner of the lane in the statement that stops it, kept when a person sets it free.';
COMMENT ON COLUMN lane_stops.ranges IS 'of each topic the records that were being handled, none of them committed: partition, first and last offset, count';
COMMENT ON COLUMN lane_stops.records IS 'the first of them as they came: key, value and headers in hex, long ones cut; size is the whole value''s';
COMMENT ON COLUMN lane_stops.work IS 'what had fallen due, or the step of a feed, in words';
COMMENT ON COLUMN lane_stops.memory IS 'the lane as its owner last committed it: offsets, watermarks, numbering';
COMMENT ON COLUMN lane_stops.database_fault IS 'what Postgres said: sqlstate, constraint, table, detail, statement';

-- True where a number of the first stands lower in the second, or not at all.
CREATE FUNCTION goes_back(earlier jsonb, later jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM jsonb_each_text(earlier) e
                   WHERE coalesce((later ->> e.key)::bigint, -1) < e.value::bigint);
END $$;

-- One code for all that must never be: class 23, which stops the lane (goodfunds.errors).
CREATE FUNCTION break_invariant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
              SCHEMA = TG_TABLE_SCHEMA,
              DETAIL = CASE WHEN TG_LEVEL = 'ROW' AND TG_OP = 'UPDATE'
                            THEN left(format('from %s to %s', OLD, NEW), 2000) ELSE TG_OP END;
END $$;

CREATE TRIGGER never_back BEFORE UPDATE ON lanes FOR EACH ROW
WHEN (NEW.incarnation = OLD.incarnation AND (
    NEW.epoch < OLD.epoch OR NEW.version < OLD.version
    OR NEW.outbox_seq < OLD.outbox_seq OR NEW.published_seq < OLD.published_seq
    OR NEW.offsets <> OLD.offsets AND goes_back(OLD.offsets, NEW.offsets)
    OR NEW.watermarks <> OLD.watermarks AND goes_back(OLD.watermarks, NEW.watermarks)
    OR NEW.destinations <> OLD.destinations AND goes_back(OLD.destinations, NEW.destinations)
    OR NEW.acknowledged <> OLD.acknowledged AND goes_back(OLD.acknowledged, NEW.acknowledged)))
EXECUTE FUNCTION break_invariant('offsets, watermarks and numbers never go back');

ALTER TABLE lanes
    ADD CONSTRAINT numbers_count_up CHECK (epoch >= 0 AND version >= 0 AND published_seq >= 0);

CREATE TRIGGER partitions_for_life BEFORE UPDATE ON cluster FOR EACH ROW
WHEN (NEW.partitions <> OLD.partitions)
EXECUTE FUNCTION break_invariant('the partition count is for life');
