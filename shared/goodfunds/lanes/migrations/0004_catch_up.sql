ALTER TABLE cluster ADD COLUMN restored_at timestamptz;
COMMENT ON COLUMN cluster.restored_at IS 'when `goodfunds db restored` began this life of the database; NULL in its first';
ALTER TABLE lanes ADD COLUMN catch_up jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN lanes.catch_up IS 'topic → where it ended when the lane had adopted its own events: up to there its inputs are handled one after the other';

-- A restored database numbers on under its service's name: its new producer takes the place of the former one.
CREATE FUNCTION watermarks_go_back(earlier jsonb, later jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM jsonb_each_text(earlier) e WHERE NOT EXISTS (
            SELECT FROM jsonb_each_text(later) l
            WHERE l.value::bigint >= e.value::bigint
              AND split_part(l.key, '|', 1) = split_part(e.key, '|', 1)
              AND split_part(split_part(l.key, '|', 2), '.', 1) = split_part(split_part(e.key, '|', 2), '.', 1)
              AND split_part(l.key, '|', 3) = split_part(e.key, '|', 3)));
END $$;
DROP TRIGGER never_back ON lanes;
CREATE TRIGGER never_back BEFORE UPDATE ON lanes FOR EACH ROW
WHEN (NEW.incarnation = OLD.incarnation AND (
    NEW.epoch < OLD.epoch OR NEW.version < OLD.version
    OR NEW.outbox_seq < OLD.outbox_seq OR NEW.published_seq < OLD.published_seq
    OR NEW.offsets <> OLD.offsets AND goes_back(OLD.offsets, NEW.offsets)
    OR NEW.watermarks <> OLD.watermarks AND goes_back(OLD.watermarks, NEW.watermarks)
       AND watermarks_go_back(OLD.watermarks, NEW.watermarks)
    OR OLD.restored_at IS NULL AND NEW.destinations <> OLD.destinations
       AND goes_back(OLD.destinations, NEW.destinations)
    OR NEW.acknowledged <> OLD.acknowledged AND goes_back(OLD.acknowledged, NEW.acknowledged)))
EXECUTE FUNCTION break_invariant('offsets, watermarks and numbers never go back');
