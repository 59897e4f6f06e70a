ALTER TABLE lanes ADD COLUMN restored_at timestamptz;
COMMENT ON COLUMN lanes.restored_at IS 'when `goodfunds db restored` said that this database came back from a backup; NULL once the lane has adopted its own events since';
COMMENT ON TABLE cluster IS 'One row: the partition count, for life, and the life of this database. Written once, by the first instance that starts; `goodfunds db restored` begins another life.';
