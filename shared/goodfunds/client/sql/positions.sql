-- name: create
INSERT INTO goodfunds_positions (consumer_group, topic, partition, next_offset, noted)
SELECT $1, n.topic, n.partition, n.next_offset, n.noted
FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::text[]) AS n(topic, partition, next_offset, noted)
ORDER BY n.topic, n.partition
ON CONFLICT DO NOTHING;

-- name: take_over
-- Waits for a transaction of the old owner that is still open, and then returns what that has left behind. One
-- row a statement: whoever holds one lock alone is in nobody's way.
UPDATE goodfunds_positions SET epoch = epoch + 1
WHERE consumer_group = $1 AND topic = $2 AND partition = $3
RETURNING epoch, next_offset, noted;

-- name: bound
-- A client that is frozen inside its transaction is ended by the server, and holds up its successor no longer.
SELECT set_config('idle_in_transaction_session_timeout', $1, true);

-- name: move
-- The fence: as many rows as named are ours and stand where we remember them, or nothing is written.
UPDATE goodfunds_positions p
SET next_offset = n.next_offset, noted = n.noted, moved_at = clock_timestamp()
FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
     AS n(topic, partition, epoch, expected, next_offset, noted)
WHERE p.consumer_group = $1 AND p.topic = n.topic AND p.partition = n.partition
  AND p.epoch = n.epoch AND p.next_offset = n.expected
RETURNING p.topic, p.partition;
