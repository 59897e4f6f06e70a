-- name: cluster_seen
SELECT incarnation, partitions, restored_at FROM cluster;

-- name: lanes_seen
-- Each lane with what its outbox holds beyond what was acknowledged, as far as its row says.
SELECT l.lane, l.owner, l.epoch, l.heartbeat, l.decided_at, l.offsets, l.outbox_seq, l.published_seq,
       l.stopped_reason, l.stopped_at, l.restored_at, l.catch_up <> '{}' AS catching_up, t.rows, t.events
FROM lanes l, LATERAL (
    SELECT count(*) AS rows, coalesce(sum(o.events), 0)::bigint AS events
    FROM outbox o WHERE o.lane = l.lane AND o.outbox_seq > l.published_seq) t
ORDER BY l.lane;

-- name: parked_by_lane
SELECT lane, currency, count(*) AS events, count(*) FILTER (WHERE poison) AS poison,
       coalesce(sum(amount_minor), 0)::bigint AS amount_minor, min(parked_at) AS oldest
FROM parked GROUP BY lane, currency ORDER BY lane, currency;

-- name: parked_page
-- After (lane $1, parked_seq $2), $3 at most; NULL filters nothing: lane $4, key $5, topic $6, fault $7.
SELECT lane, parked_seq, topic, source_partition, source_offset, key, value, headers, broker_time_ms,
       amount_minor, currency, poison, fault, parked_at
FROM parked
WHERE (lane, parked_seq) > ($1::integer, $2::bigint)
  AND ($4::integer IS NULL OR lane = $4) AND ($5::bytea IS NULL OR key = $5)
  AND ($6::text IS NULL OR topic = $6) AND ($7::text IS NULL OR strpos(fault, $7) > 0)
  AND (poison OR NOT $8::boolean)
ORDER BY lane, parked_seq LIMIT $3;

-- name: parked_event
SELECT lane, parked_seq, topic, source_partition, source_offset, key, value, headers, broker_time_ms,
       amount_minor, currency, poison, fault, parked_at
FROM parked WHERE topic = $1 AND source_partition = $2 AND source_offset = $3;

-- name: parked_behind
-- What comes after an event (parked_seq $3) of its key, by currency.
SELECT currency, count(*) AS events, coalesce(sum(amount_minor), 0)::bigint AS amount_minor
FROM parked WHERE lane = $1 AND key = $2 AND parked_seq > $3 GROUP BY currency ORDER BY currency;

-- name: parked_of_key
-- The events of a key after parked_seq $3 in the order in which they would have been handled, $4 at most.
SELECT topic, source_partition, source_offset FROM parked
WHERE lane = $1 AND key = $2 AND parked_seq > $3 ORDER BY parked_seq LIMIT $4;

-- name: lane_published
SELECT published_seq, outbox_seq FROM lanes WHERE lane = $1;

-- name: outbox_rows
-- Of a lane $1 the rows from $2 to $3 (outbox_seq, both inclusive): $4 at most, and up to the one that brings
-- their events to $5.
WITH found AS (
    SELECT outbox_seq, decided_at, sum(events) OVER (ORDER BY outbox_seq) - events AS before
    FROM (SELECT outbox_seq, decided_at, events FROM outbox
          WHERE lane = $1 AND outbox_seq BETWEEN $2 AND $3 ORDER BY outbox_seq LIMIT $4) first)
SELECT o.lane, o.outbox_seq, o.decided_at, o.topics, o.events, o.frame, o.replay_id
FROM found f JOIN outbox o ON o.lane = $1 AND o.outbox_seq = f.outbox_seq AND o.decided_at = f.decided_at
WHERE f.before < $5::bigint ORDER BY o.outbox_seq;

-- name: outbox_bounds
SELECT min(outbox_seq) AS first, max(outbox_seq) AS last FROM outbox WHERE lane = $1;
