ALTER TABLE replay_lanes ADD COLUMN begun integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN replay_lanes.begun IS 'sessions that have begun with the slice that comes next and have not ended it: all that a process leaves which it kills';
