-- name: submit_batches
UPDATE batches b SET submitted_at = $2, message_id = f.message_id
FROM unnest($1::uuid[], $3::text[]) AS f (batch_id, message_id) WHERE b.batch_id = f.batch_id;

-- name: refuse_batches
UPDATE batches b SET refused_at = $2, refusal = f.refusal
FROM unnest($1::uuid[], $3::text[]) AS f (batch_id, refusal) WHERE b.batch_id = f.batch_id;
