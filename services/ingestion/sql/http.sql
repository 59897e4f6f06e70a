-- name: own_payment_by_key
SELECT * FROM payment_outcomes WHERE client = $1 AND idempotency_key = $2;

-- name: own_payment
SELECT * FROM payment_outcomes WHERE client = $1 AND payment_id = $2;

-- name: decided_payments
-- Those of the keys ($1 clients, $2 keys, of equal length) that were decided.
SELECT o.* FROM payment_outcomes o
JOIN unnest($1::text[], $2::text[]) AS k (client, idempotency_key) USING (client, idempotency_key);

-- name: own_payments
-- The next $5 of a client in the order of their keys: after $2, from $3 to $4.
SELECT * FROM payment_outcomes
WHERE client = $1 AND idempotency_key > $2 AND idempotency_key >= $3 AND idempotency_key <= $4
ORDER BY idempotency_key LIMIT $5;

-- name: own_payments_by_end_to_end_id
SELECT * FROM payment_outcomes
WHERE end_to_end_id = $3 AND end_to_end_id <> '' AND client = $1 AND idempotency_key > $2
ORDER BY idempotency_key LIMIT $4;

-- name: own_payments_by_uetr
SELECT * FROM payment_outcomes
WHERE uetr = $3 AND uetr <> '' AND client = $1 AND idempotency_key > $2
ORDER BY idempotency_key LIMIT $4;

-- name: insert_file
INSERT INTO payment_files (file_id, client, message_id, sha256, format, items, sums_minor, content, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (client, message_id) DO NOTHING RETURNING file_id;

-- name: file_by_message
SELECT file_id, sha256 FROM payment_files WHERE client = $1 AND message_id = $2;

-- name: own_file
-- Its payments are those with its keys, MsgId/1/1 and so on; another file's MsgId may begin with this one's.
SELECT f.file_id, f.client, f.message_id, f.format, f.items, f.sums_minor, f.position, f.received_at, f.finished_at,
       count(*) FILTER (WHERE p.state = 'accepted') AS accepted,
       count(*) FILTER (WHERE p.state = 'rejected') AS rejected
FROM payment_files f
LEFT JOIN payments p ON p.client = f.client AND p.idempotency_key >= f.message_id || '/'
     AND p.idempotency_key < f.message_id || '0'
     AND substr(p.idempotency_key, length(f.message_id) + 2) ~ '^[0-9]+/[0-9]+$'
WHERE f.client = $1 AND f.file_id = $2
GROUP BY f.file_id;

-- name: own_file_content
SELECT message_id, content FROM payment_files WHERE client = $1 AND file_id = $2;

-- name: outcomes_of_file
-- What was decided of the payments of a file ($1 client, $2 MsgId).
SELECT idempotency_key, state, reason_code, reason, refund_cause, refund_reason_code FROM payment_outcomes
WHERE client = $1 AND idempotency_key >= $2 || '/' AND idempotency_key < $2 || '0';
