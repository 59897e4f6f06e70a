-- name: create_cluster
INSERT INTO cluster (partitions) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: read_cluster
SELECT incarnation, partitions FROM cluster;

-- name: create_lane
INSERT INTO lanes (lane, incarnation, offsets, started_above, acknowledged)
SELECT $1, c.incarnation, $2::jsonb, $3::jsonb, $4::jsonb FROM cluster c
ON CONFLICT (lane) DO NOTHING;

-- name: lanes_with_offsets
SELECT lane, offsets FROM lanes;

-- name: take_over
-- The UPDATE waits for a transaction of the old owner that is still open; a SELECT would not.
UPDATE lanes
SET epoch = epoch + 1, owner = $2, backend_pid = pg_backend_pid(), heartbeat = clock_timestamp(),
    backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
WHERE lane = $1
RETURNING epoch;

-- name: take_over_feed
UPDATE lanes
SET epoch = epoch + 1, owner = $2, backend_pid = pg_backend_pid(), heartbeat = clock_timestamp(),
    backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
WHERE lane = $1
  AND (heartbeat IS NULL OR owner = $2 OR heartbeat < clock_timestamp() - make_interval(secs => $3))
RETURNING epoch;

-- name: release_feed
-- A clean stop: whoever stands by need not wait for the heartbeat to grow old.
UPDATE lanes SET heartbeat = NULL WHERE lane = $1 AND epoch = $2;

-- name: terminate_owner
-- Only the very connection that the row names: a process id alone may have been given out again.
SELECT pg_terminate_backend(a.pid)
FROM lanes l JOIN pg_stat_activity a ON a.pid = l.backend_pid AND a.backend_start = l.backend_start
WHERE l.lane = $1 AND a.pid <> $2;

-- name: read_lanes
SELECT lane, incarnation, epoch, version, offsets, started_above, watermarks, destinations, acknowledged,
       outbox_seq, published_seq, stopped_reason, restored_from, catch_up
FROM lanes WHERE lane = ANY($1::int[]);

-- name: read_destinations
SELECT lane, epoch, destinations, acknowledged, restored_at FROM lanes WHERE (lane < 0) = $1::boolean;

-- name: read_tails
SELECT o.lane, o.outbox_seq, o.decided_at, o.topics, o.events, o.frame, o.replay_id
FROM lanes l JOIN outbox o ON o.lane = l.lane AND o.outbox_seq > l.published_seq
WHERE l.lane = ANY($1::int[])
ORDER BY o.lane, o.outbox_seq;

-- name: read_parked_keys
SELECT DISTINCT lane, key FROM parked WHERE lane = ANY($1::int[]);

-- name: fence
UPDATE lanes l
SET version = l.version + 1, offsets = n.offsets::jsonb, watermarks = n.watermarks::jsonb,
    published_seq = n.published_seq, acknowledged = n.acknowledged::jsonb,
    heartbeat = clock_timestamp(), decided_at = $10
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
     AS n(lane, epoch, version, expected_offsets, offsets, watermarks, published_seq, acknowledged)
WHERE l.lane = n.lane AND l.epoch = n.epoch AND l.version = n.version AND l.incarnation = $9
  AND l.offsets = n.expected_offsets::jsonb AND l.stopped_reason IS NULL
RETURNING l.lane;

-- name: advance
-- Each row follows the lane's last one, and the numbering goes on from where its owner remembers it.
UPDATE lanes l
SET outbox_seq = n.outbox_seq, destinations = n.destinations::jsonb
FROM unnest($1::int[], $2::bigint[], $3::text[], $4::text[]) AS n(lane, outbox_seq, destinations, expected)
WHERE l.lane = n.lane AND l.outbox_seq = n.outbox_seq - 1 AND l.destinations = n.expected::jsonb;

-- name: stop_lane
-- The reason and its evidence in one statement: neither is ever there without the other.
WITH stopped AS (
    UPDATE lanes SET stopped_reason = $3, stopped_at = clock_timestamp()
    WHERE lane = $1 AND epoch = $2 AND stopped_reason IS NULL
    RETURNING lane, epoch, version, stopped_at, stopped_reason
)
INSERT INTO lane_stops (lane, epoch, version, stopped_at, reason, ranges, records, work, memory, database_fault,
                        traceback)
SELECT lane, epoch, version, stopped_at, stopped_reason, $4::jsonb, $5::jsonb, $6::jsonb, $7::jsonb, $8::jsonb, $9
FROM stopped
RETURNING lane;

-- name: workers
-- Who else works on this database: sessions of lanes and feeds, whatever they are doing ($1: our own name).
SELECT application_name, pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'goodfunds %' AND application_name <> $1
ORDER BY application_name, pid;

-- name: begin_incarnation
UPDATE cluster SET incarnation = substr(replace(gen_random_uuid()::text, '-', ''), 1, 12), restored_at = clock_timestamp()
RETURNING incarnation;

-- name: before_restore
SELECT lane, destinations, acknowledged, restored_from FROM lanes;

-- name: restore_lanes
-- Whoever remembers a lane from before is fenced; what only the safety net stopped ($1, the end of its reason) goes on.
-- From where each looks for its own events: $2 lanes, $3 offsets, of equal length.
UPDATE lanes l
SET incarnation = c.incarnation, epoch = l.epoch + 1, version = l.version + 1, heartbeat = NULL,
    restored_at = clock_timestamp(), restored_from = n.restored_from::jsonb,
    stopped_reason = CASE WHEN right(l.stopped_reason, length($1)) = $1 THEN NULL ELSE l.stopped_reason END
FROM cluster c, unnest($2::integer[], $3::text[]) AS n (lane, restored_from)
WHERE l.lane = n.lane
RETURNING l.lane, l.stopped_reason;

-- name: end_adoption
UPDATE lanes SET destinations = $2::jsonb, catch_up = $3::jsonb, restored_at = NULL, restored_from = NULL
WHERE lane = $1;

-- name: resumed_lanes
SELECT lane FROM lanes WHERE lane = ANY($1::int[]) AND stopped_reason IS NULL;

-- name: wait_briefly
-- Dropping a day locks the whole outbox: who waits for that lock makes every lane wait behind it.
SELECT set_config('lock_timeout', '500ms', false);

-- name: keep_outbox
-- The earlier of two clocks, so that one that runs ahead drops nothing too early.
SELECT keep_outbox(least($1::date, (clock_timestamp() AT TIME ZONE 'UTC')::date), $2::integer);

-- name: lane_positions
SELECT lane, epoch, owner, offsets, watermarks, destinations, outbox_seq, published_seq, stopped_reason, decided_at
FROM lanes ORDER BY lane;

-- name: parked_money
SELECT currency, count(*) AS count, sum(amount_minor)::bigint AS amount_minor, min(parked_at) AS oldest
FROM parked GROUP BY currency;

-- name: parked_events
-- The records of a topic ($1) that are parked, as they came.
SELECT lane, value FROM parked WHERE topic = $1 ORDER BY lane, source_offset;

-- name: outbox_holes
-- Lanes whose events beyond what was published are not all there: they would never be.
SELECT l.lane, l.published_seq, l.outbox_seq, count(o.outbox_seq) AS rows
FROM lanes l LEFT JOIN outbox o ON o.lane = l.lane AND o.outbox_seq > l.published_seq
GROUP BY l.lane HAVING count(o.outbox_seq) <> l.outbox_seq - l.published_seq;
