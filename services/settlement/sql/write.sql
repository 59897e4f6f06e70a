-- name: submit_batches
UPDATE batches b SET submitted_at = $2, message_id = f.message_id
FROM unnest($1::uuid[], $3::text[]) AS f (batch_id, message_id) WHERE b.batch_id = f.batch_id;

-- name: add_to_open
-- What a poll changed of the open payments of batches: one row a batch.
UPDATE batches b SET open_payments = b.open_payments + c.payments, open_minor = b.open_minor + c.minor
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS c (batch_id, payments, minor) WHERE b.batch_id = c.batch_id;

-- name: refuse_batches
UPDATE batches b SET refused_at = $2, refusal = f.refusal
FROM unnest($1::uuid[], $3::text[]) AS f (batch_id, refusal) WHERE b.batch_id = f.batch_id;
