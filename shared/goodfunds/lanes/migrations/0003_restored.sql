ALTER TABLE lanes ADD COLUMN restored_at timestamptz, ADD COLUMN restored_from jsonb;
COMMENT ON COLUMN lanes.restored_at IS 'when `goodfunds db restored` said that this database came back from a backup; NULL once the lane has adopted its own events since';
COMMENT ON COLUMN lanes.restored_from IS 'topic/partition → the offset from which it looks for its own events then; NULL with restored_at';
COMMENT ON TABLE cluster IS 'One row: the partition count, for life, and the life of this database. Written once, by the first instance that starts; `goodfunds db restored` begins another life.';

-- What a backup had decided and not published keeps its numbers, so adoption alone may set numbering back.
DROP TRIGGER never_back ON lanes;
CREATE TRIGGER never_back BEFORE UPDATE ON lanes FOR EACH ROW
WHEN (NEW.incarnation = OLD.incarnation AND (
    NEW.epoch < OLD.epoch OR NEW.version < OLD.version
    OR NEW.outbox_seq < OLD.outbox_seq OR NEW.published_seq < OLD.published_seq
    OR NEW.offsets <> OLD.offsets AND goes_back(OLD.offsets, NEW.offsets)
    OR NEW.watermarks <> OLD.watermarks AND goes_back(OLD.watermarks, NEW.watermarks)
    OR OLD.restored_at IS NULL AND NEW.destinations <> OLD.destinations
       AND goes_back(OLD.destinations, NEW.destinations)
    OR NEW.acknowledged <> OLD.acknowledged AND goes_back(OLD.acknowledged, NEW.acknowledged)))
EXECUTE FUNCTION break_invariant('offsets, watermarks and numbers never go back');
