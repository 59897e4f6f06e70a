-- name: due_batches
SELECT lane, batch_id FROM batches
WHERE sealed_at IS NULL AND lane = ANY($1::integer[]) AND cut_off_at <= $2
  AND NOT EXISTS (SELECT FROM found_batches f WHERE f.batch_id = batches.batch_id);

-- name: whole_found_batches
-- After a restore: open batches whose payments are all those that a file at the bank carries.
SELECT f.lane, f.batch_id FROM batches b JOIN found_batches f USING (batch_id)
WHERE b.sealed_at IS NULL AND b.lane = ANY($1::integer[])
  AND f.payments_count = (SELECT count(*) FROM batch_members m WHERE m.batch_id = b.batch_id);

-- name: found_among
SELECT batch_id FROM found_batches WHERE batch_id = ANY($1::uuid[]);

-- name: waiting_requests
SELECT lane, request_id, kind, payload FROM requests
WHERE handled_at IS NULL AND lane = ANY($1::integer[]) ORDER BY lane, request_id;

-- name: seal_batches
-- Each batch named, and every open batch of the lanes whose cut-off a person closed.
WITH closing AS (
    SELECT batch_id FROM batches
    WHERE sealed_at IS NULL AND (batch_id = ANY($1::uuid[]) OR lane = ANY($2::integer[]))
      AND NOT EXISTS (SELECT FROM found_batches f WHERE f.batch_id = batches.batch_id)
)
UPDATE batches b SET sealed_at = $3, payments_count = h.payments_count,
    amount_minor = coalesce(h.amount_minor, 0), first_offset = h.first_offset, last_offset = h.last_offset
FROM closing c
CROSS JOIN LATERAL (SELECT count(*) AS payments_count, sum(m.amount_minor)::bigint AS amount_minor,
                           min(m.accepted_offset) AS first_offset, max(m.accepted_offset) AS last_offset
                    FROM batch_members m WHERE m.batch_id = c.batch_id) h
WHERE b.batch_id = c.batch_id
RETURNING b.lane, b.batch_id;

-- name: finish_requests
UPDATE requests r SET handled_at = $3, outcome = f.outcome
FROM unnest($1::bigint[], $2::text[]) AS f (request_id, outcome)
WHERE r.request_id = f.request_id AND r.handled_at IS NULL;

-- name: nostro_is_open
SELECT opening_minor FROM nostros WHERE nostro = $1;

-- name: open_nostro
INSERT INTO nostros (nostro, lane, currency, opening_minor, opened_at) VALUES ($1, $2, $3, $4, $5);
