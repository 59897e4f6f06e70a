-- name: running_plans
SELECT plan_id FROM replay_plans WHERE state = 'running';

-- name: shares_at_work
-- Of held lanes $2 the share whose turn it is, of plans $1: that of the plan that was made first.
SELECT DISTINCT ON (l.lane)
       p.plan_id, p.kind, p.selection, p.rate, p.exact, p.code_version,
       p.planned_at < c.restored_at AS from_before_restore, l.lane, l.ranges, l.position, l.slice, l.handled,
       l.skipped, l.rows_changed, l.events_emitted, l.effects, l.begun,
       (SELECT count(*) FROM replay_lanes a WHERE a.plan_id = p.plan_id) AS lanes_of_plan,
       (SELECT coalesce(sum(s.rows_changed), 0)::bigint FROM replay_slices s
        WHERE s.plan_id = p.plan_id AND s.lane = l.lane) AS rows_rehearsed,
       (SELECT coalesce(sum(s.events_emitted), 0)::bigint FROM replay_slices s
        WHERE s.plan_id = p.plan_id AND s.lane = l.lane) AS events_rehearsed
FROM replay_plans p JOIN replay_lanes l USING (plan_id) CROSS JOIN cluster c
WHERE p.plan_id = ANY($1::uuid[]) AND p.state = 'running' AND l.lane = ANY($2::int[])
  AND l.state IN ('waiting', 'running')
ORDER BY l.lane, p.planned_at, p.plan_id;

-- name: begin_share
-- In a transaction of its own, before that of the slice, which sets it back. A share that people work on counts later.
UPDATE replay_lanes SET begun = begun + 1
WHERE (plan_id, lane) = (SELECT plan_id, lane FROM replay_lanes WHERE plan_id = $1 AND lane = $2
                         FOR UPDATE SKIP LOCKED);

-- name: rehearsed_slice
SELECT rows_changed, events_emitted, digest FROM replay_slices WHERE plan_id = $1 AND lane = $2 AND slice = $3;

-- name: set_aside
-- Of records from offset $3 to $4, both inclusive: those that wait parked, and those that nobody shall ever handle.
SELECT source_offset FROM parked
WHERE topic = $1 AND source_partition = $2 AND source_offset BETWEEN $3 AND $4
UNION ALL
SELECT source_offset FROM replay_discarded
WHERE topic = $1 AND source_partition = $2 AND source_offset BETWEEN $3 AND $4;

-- name: advance_share
-- Only while the plan runs, and no step of people is under way: none ends before this transaction has. Locked last, so
-- that nobody waits for a slice.
WITH plan AS MATERIALIZED (
    SELECT plan_id FROM replay_plans WHERE plan_id = $1 AND state = 'running' FOR SHARE SKIP LOCKED
)
UPDATE replay_lanes l
SET state = $5, position = $4::jsonb, slice = $7, handled = l.handled + $8, skipped = l.skipped + $9,
    rows_changed = l.rows_changed + $10, events_emitted = l.events_emitted + $11, effects = $12, fault = $13,
    begun = 0, started_at = coalesce(l.started_at, $14), finished_at = CASE WHEN $5 = 'running' THEN NULL ELSE $14 END
FROM plan
WHERE l.plan_id = plan.plan_id AND l.lane = $2 AND l.position = $3::jsonb AND l.slice = $6
  AND l.state IN ('waiting', 'running');

-- name: ended_plans
-- Of plans $1 those that nothing is left to do of: every share is done, or one cannot go on.
SELECT plan_id FROM replay_plans p
WHERE plan_id = ANY($1::uuid[]) AND state = 'running'
  AND (NOT EXISTS (SELECT FROM replay_lanes l WHERE l.plan_id = p.plan_id AND l.state <> 'done')
       OR EXISTS (SELECT FROM replay_lanes l WHERE l.plan_id = p.plan_id AND l.state IN ('failed', 'drifted')));

-- name: bound_ending
-- Owners wait a moment at most for whoever else writes into the audit.
SELECT set_config('lock_timeout', '100ms', true);

-- name: lock_ended_plan
SELECT kind FROM replay_plans WHERE plan_id = $1 AND state = 'running' FOR UPDATE SKIP LOCKED;

-- name: ended_shares
SELECT lane, state, handled, skipped, rows_changed, events_emitted, effects, fault
FROM replay_lanes WHERE plan_id = $1 ORDER BY lane;

-- name: end_plan
UPDATE replay_plans
SET state = $2, finished_at = $3, outcome = $4::jsonb, outcome_digest = $5, fault = $6
WHERE plan_id = $1;

-- name: parked_to_release
-- The next $3 events of the accounts that the plan releases, those that were parked since included, but of none that
-- has been left: of about $4 bytes together, one at least.
SELECT parked_seq, topic, source_partition, source_offset, key, value, headers, broker_time_ms
FROM (SELECT n.*, sum(coalesce(octet_length(n.value), 0)) OVER (ORDER BY n.parked_seq)
                  - coalesce(octet_length(n.value), 0) AS before
      FROM (SELECT p.* FROM parked p
            WHERE p.lane = $2
              AND p.key IN (SELECT r.key FROM replay_parked r WHERE r.plan_id = $1 AND r.lane = $2
                            GROUP BY r.key HAVING bool_and(r.fault IS NULL))
            ORDER BY p.parked_seq LIMIT $3) n) q
WHERE before < $4
ORDER BY parked_seq;

-- name: delete_parked
DELETE FROM parked p USING unnest($1::text[], $2::int[], $3::bigint[]) AS r (topic, source_partition, source_offset)
WHERE p.topic = r.topic AND p.source_partition = r.source_partition AND p.source_offset = r.source_offset;

-- name: keys_still_parked
SELECT DISTINCT key FROM parked WHERE lane = $1 AND key = ANY($2::bytea[]);

-- name: leave_parked
-- The event stays where it is, with what it faulted with this time.
UPDATE parked SET fault = $4, poison = true WHERE topic = $1 AND source_partition = $2 AND source_offset = $3;

-- name: leave_key
UPDATE replay_parked SET fault = $4 WHERE plan_id = $1 AND lane = $2 AND key = $3;

-- name: left_keys
SELECT count(DISTINCT key) AS keys, min(fault) AS fault
FROM replay_parked WHERE plan_id = $1 AND lane = $2 AND fault IS NOT NULL;

-- name: discard_parked
-- The next $3 of the picked events that are still there, of whatever account.
WITH next AS (
    SELECT p.topic, p.source_partition, p.source_offset
    FROM replay_parked r JOIN parked p USING (topic, source_partition, source_offset)
    WHERE r.plan_id = $1 AND r.lane = $2 ORDER BY r.parked_seq LIMIT $3
), gone AS (
    DELETE FROM parked p USING next n
    WHERE p.topic = n.topic AND p.source_partition = n.source_partition AND p.source_offset = n.source_offset
    RETURNING p.*
)
INSERT INTO replay_discarded (plan_id, lane, topic, source_partition, source_offset, key, value, headers,
                              broker_time_ms, amount_minor, currency, poison, fault, parked_at, discarded_at)
SELECT $1, lane, topic, source_partition, source_offset, key, value, headers, broker_time_ms, amount_minor, currency,
       poison, fault, parked_at, $4
FROM gone
RETURNING topic, source_partition, source_offset, key, amount_minor, currency;

-- name: outbox_to_republish
-- From outbox_seq $2 on, before $3 and as far as it was published: rows of about $4 events together, one at least.
SELECT lane, outbox_seq, decided_at, topics, events, frame
FROM (SELECT o.*, sum(o.events) OVER (ORDER BY o.outbox_seq) - o.events AS before
      FROM (SELECT * FROM outbox WHERE lane = $1 AND outbox_seq >= $2 AND outbox_seq < $3
              AND outbox_seq <= (SELECT published_seq FROM lanes WHERE lane = $1)
            ORDER BY outbox_seq LIMIT 200) o) r
WHERE before < $4
ORDER BY outbox_seq;
