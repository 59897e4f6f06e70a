-- name: told_lanes
SELECT DISTINCT lane FROM told WHERE lane = ANY($1::integer[]);

-- name: told
-- What was told of inputs ($1 lanes, $2 kinds, $3 references, of equal length), a reference's first told first.
SELECT t.lane, t.kind, t.reference, t.event_seq, t.credited_account, t.reason_code, t.reason
FROM told t JOIN unnest($1::integer[], $2::text[], $3::text[]) AS w (lane, kind, reference) USING (lane, kind, reference)
ORDER BY t.lane, t.event_seq DESC;

-- name: forget_told
DELETE FROM told t USING unnest($1::integer[], $2::text[], $3::text[], $4::bigint[]) AS w (lane, kind, reference, event_seq)
WHERE (t.lane, t.kind, t.reference, t.event_seq) = (w.lane, w.kind, w.reference, w.event_seq);

-- name: adopted_payments
-- Those that are there, of ids ($1) and of clients' keys ($2 clients, $3 keys, of equal length).
-- Two questions, each by its key: with OR all payments would be read.
SELECT payment_id, client, idempotency_key FROM payments WHERE payment_id = ANY($1::uuid[])
UNION
SELECT p.payment_id, p.client, p.idempotency_key
FROM unnest($2::text[], $3::text[]) AS w (client, key)
JOIN payments p ON p.client = w.client AND p.idempotency_key = w.key;

-- name: adopted_told
SELECT kind, reference, event_seq FROM told WHERE lane = $1 AND event_seq = ANY($2::bigint[]);

-- name: files_not_known
-- Of files ($1 clients, $2 MsgIds, of equal length) those that were taken in after the backup.
SELECT w.client, w.message_id FROM unnest($1::text[], $2::text[]) AS w (client, message_id)
WHERE NOT EXISTS (SELECT FROM payment_files f WHERE f.client = w.client AND f.message_id = w.message_id);
