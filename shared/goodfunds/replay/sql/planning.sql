-- name: lanes_to_replay
SELECT lane, offsets, outbox_seq, published_seq, destinations, stopped_reason,
       restored_at IS NOT NULL OR catch_up <> '{}' AS catching_up
FROM lanes WHERE lane >= 0 ORDER BY lane;

-- name: applied_migrations
SELECT source, file, digest FROM migrations;

-- name: parked_selected
-- Keys $1 as bytes, topic $2, lanes $3, a part of the fault $4, parked before $5, places in $8, $9, $10: NULL asks for
-- nothing. With $6 also all others of a key that one is of: a key is released in its order, or not. $7 at most.
WITH found AS (
    SELECT lane, key, parked_seq FROM parked
    WHERE ($1::bytea[] IS NULL OR key = ANY($1)) AND ($2::text IS NULL OR topic = $2)
      AND ($3::int[] IS NULL OR lane = ANY($3)) AND ($4::text IS NULL OR strpos(fault, $4) > 0)
      AND ($5::timestamptz IS NULL OR parked_at < $5) AND lane >= 0
      AND ($8::text[] IS NULL OR (topic, source_partition, source_offset) IN
           (SELECT * FROM unnest($8::text[], $9::int[], $10::bigint[]))))
SELECT p.lane, p.parked_seq, p.topic, p.source_partition, p.source_offset, p.key, p.amount_minor, p.currency
FROM parked p
WHERE CASE WHEN $6::boolean THEN EXISTS (SELECT FROM found f WHERE f.lane = p.lane AND f.key = p.key)
           ELSE EXISTS (SELECT FROM found f WHERE f.lane = p.lane AND f.parked_seq = p.parked_seq) END
ORDER BY p.lane, p.parked_seq LIMIT $7;

-- name: outbox_kept
-- Of lanes $1 the first row that is kept, and since when this database counts as itself. Days are dropped whole and in
-- their order, so that from the first day that has a partition on (`kept_from`) no row can be missing.
SELECT l.lane, l.published_seq, k.outbox_seq AS oldest_seq, k.decided_at AS oldest_at, c.restored_at, d.kept_from
FROM lanes l CROSS JOIN cluster c
LEFT JOIN LATERAL (SELECT outbox_seq, decided_at FROM outbox o WHERE o.lane = l.lane ORDER BY outbox_seq LIMIT 1) k ON true
CROSS JOIN (SELECT min(to_date(right(r.relname, 8), 'YYYYMMDD'))::timestamp AT TIME ZONE 'UTC' AS kept_from
            FROM pg_inherits i JOIN pg_class r ON r.oid = i.inhrelid
            WHERE i.inhparent = 'outbox'::regclass AND r.relname ~ '^outbox_[0-9]{8}$') d
WHERE l.lane = ANY($1::int[]) ORDER BY l.lane;

-- name: outbox_between
-- Of lane $1 the rows up to outbox_seq $2 that were decided from $3 to $4, exclusive, and have events to topic $5: the
-- first and the last of them. NULL asks for nothing.
SELECT min(outbox_seq) AS first, max(outbox_seq) AS last
FROM outbox
WHERE lane = $1 AND outbox_seq <= $2 AND ($3::timestamptz IS NULL OR decided_at >= $3)
  AND ($4::timestamptz IS NULL OR decided_at < $4) AND ($5::text IS NULL OR $5 = ANY(topics));

-- name: outbox_rows_between
-- Of lane $1 the rows from outbox_seq $2 to $3, both inclusive: their events, and when the first was decided.
SELECT coalesce(sum(events), 0)::bigint AS events, min(decided_at) AS decided_at
FROM outbox WHERE lane = $1 AND outbox_seq BETWEEN $2 AND $3;

-- name: first_seq_from_row
-- Of lane $1 the first number to topic $4, partition $5, in the rows from outbox_seq $2 to $3.
SELECT e.seq FROM outbox o CROSS JOIN LATERAL frame_events(o.frame, o.topics) e
WHERE o.lane = $1 AND o.outbox_seq BETWEEN $2 AND $3 AND $4 = ANY(o.topics) AND e.topic = $4 AND e.to_partition = $5
ORDER BY o.outbox_seq, e.place LIMIT 1;

-- name: last_seq_up_to_row
-- The last one, in the rows up to outbox_seq $2.
SELECT e.seq FROM outbox o CROSS JOIN LATERAL frame_events(o.frame, o.topics) e
WHERE o.lane = $1 AND o.outbox_seq <= $2 AND $3 = ANY(o.topics) AND e.topic = $3 AND e.to_partition = $4
ORDER BY o.outbox_seq DESC, e.place DESC LIMIT 1;

-- name: insert_plan
INSERT INTO replay_plans (plan_id, kind, selection, reason, rate, state, code_version, schema_version, planned_by,
                          planned_at, expires_at, heartbeat, forecast, forecast_digest)
VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9, $10, $11,
        CASE WHEN $6 = 'rehearsing' THEN clock_timestamp() END, $12::jsonb, $13);

-- name: insert_shares
INSERT INTO replay_lanes (plan_id, lane, ranges, total)
SELECT $1, s.lane, s.ranges::jsonb, s.total
FROM unnest($2::int[], $3::text[], $4::bigint[]) AS s (lane, ranges, total);

-- name: plan_for_step
SELECT plan_id, kind, state, code_version, schema_version, planned_by, expires_at, heartbeat,
       clock_timestamp() AS now
FROM replay_plans WHERE plan_id = $1;

-- name: plan_for_step_locked
SELECT plan_id, kind, state, code_version, schema_version, planned_by, expires_at, heartbeat, forecast_digest,
       clock_timestamp() AS now
FROM replay_plans WHERE plan_id = $1 FOR UPDATE;

-- name: take_step
UPDATE replay_plans
SET state = $2, approved_by = CASE WHEN $2 = 'approved' THEN $3 ELSE approved_by END,
    approved_at = CASE WHEN $2 = 'approved' THEN $4 ELSE approved_at END,
    finished_at = CASE WHEN $2 = 'aborted' THEN $4 ELSE finished_at END
WHERE plan_id = $1 AND state = ANY($5::text[]);

-- name: shares_of_plan
SELECT lane, ranges, total, state, position, slice, handled, skipped, rows_changed, events_emitted, fault, started_at,
       finished_at
FROM replay_lanes WHERE plan_id = $1 ORDER BY lane;

-- name: plan
SELECT p.plan_id, p.kind, p.selection, p.reason, p.rate, p.state, p.code_version, p.schema_version, p.planned_by,
       p.planned_at, p.expires_at, p.approved_by, p.approved_at, p.finished_at, p.heartbeat, p.progress, p.forecast,
       p.forecast_digest, p.exact, p.outcome, p.outcome_digest, p.fault, clock_timestamp() AS now
FROM replay_plans p WHERE p.plan_id = $1;

-- name: plans_before
-- The next $2 from before $1, the newest first: ids hold their time.
SELECT p.plan_id, p.kind, p.reason, p.state, p.planned_by, p.planned_at, p.expires_at, p.approved_by, p.approved_at,
       p.finished_at, p.heartbeat, p.exact, p.fault, clock_timestamp() AS now, l.lanes, l.total, l.handled, l.skipped
FROM replay_plans p CROSS JOIN LATERAL (
    SELECT count(*) AS lanes, coalesce(sum(total), 0)::bigint AS total, coalesce(sum(handled), 0)::bigint AS handled,
           coalesce(sum(skipped), 0)::bigint AS skipped
    FROM replay_lanes WHERE plan_id = p.plan_id) l
WHERE p.plan_id < $1 ORDER BY p.plan_id DESC LIMIT $2;

-- name: beat_rehearsal
-- Of plans that are rehearsed now or wait for it in this process; those that were aborted meanwhile do not come back.
UPDATE replay_plans SET heartbeat = clock_timestamp()
WHERE plan_id = ANY($1::uuid[]) AND state = 'rehearsing' RETURNING plan_id;

-- name: note_progress
UPDATE replay_plans SET heartbeat = clock_timestamp(), progress = $2::jsonb
WHERE plan_id = $1 AND state = 'rehearsing' RETURNING true;

-- name: end_rehearsal
UPDATE replay_plans
SET state = $2, progress = $3::jsonb, forecast = $4::jsonb, forecast_digest = $5, exact = $6, fault = $7,
    finished_at = CASE WHEN $2 = 'failed' THEN $8::timestamptz END
WHERE plan_id = $1 AND state = 'rehearsing' RETURNING true;

-- name: plan_to_rehearse
SELECT kind, selection FROM replay_plans WHERE plan_id = $1 AND state = 'rehearsing';

-- name: bound_trial
-- A trial waits for nobody long, and does not outlive a process that is frozen.
SELECT set_config('lock_timeout', '100ms', true), set_config('idle_in_transaction_session_timeout', '10s', true),
       set_config('transaction_timeout', '90s', true);

-- name: destinations_of_lane
SELECT destinations FROM lanes WHERE lane = $1;

-- name: others_wait
-- Whether anybody waits for what this transaction has locked.
SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)));

-- name: parked_to_try
-- As they would be released: the next $4 events after parked_seq $3 of the accounts that are picked, of about $5 bytes
-- together, one at least.
SELECT parked_seq, topic, source_partition, source_offset, key, value, headers, broker_time_ms
FROM (SELECT n.*, sum(coalesce(octet_length(n.value), 0)) OVER (ORDER BY n.parked_seq)
                  - coalesce(octet_length(n.value), 0) AS before
      FROM (SELECT p.* FROM parked p
            WHERE p.lane = $2 AND p.parked_seq > $3
              AND p.key IN (SELECT r.key FROM replay_parked r WHERE r.plan_id = $1 AND r.lane = $2)
            ORDER BY p.parked_seq LIMIT $4) n) q
WHERE before < $5
ORDER BY parked_seq;
