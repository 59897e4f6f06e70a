-- name: known_payments
SELECT payment_id FROM payments WHERE payment_id = ANY($1::uuid[]);

-- name: payments_by_id
SELECT payment_id, lane, batch_id, amount_minor, account, end_to_end_id, traceparent, place,
       debit_source, debit_reference, debited_on, rejected, credit_source, credit_reference, returned_on,
       charges_minor
FROM payment_standings WHERE payment_id = ANY($1::uuid[]);

-- name: members_of_batches
-- Those that have moved on to a later batch are left out. By LATERAL each is looked up: a join reads whole tables where
-- the planner takes a batch for large.
SELECT p.payment_id, p.lane, p.batch_id, p.amount_minor, p.account, p.end_to_end_id, p.traceparent, p.place,
       p.debit_source, p.debit_reference, p.debited_on, p.rejected, p.credit_source, p.credit_reference,
       p.returned_on, p.charges_minor
FROM (SELECT DISTINCT payment_id FROM batch_members WHERE batch_id = ANY($1::uuid[])) m
CROSS JOIN LATERAL (SELECT * FROM payment_standings WHERE payment_id = m.payment_id LIMIT 1) p
WHERE p.batch_id = ANY($1::uuid[])
ORDER BY p.accepted_offset;

-- name: batches_by_id
-- A batch that a file at the bank carries (after a restore) counts as sealed, though its payments have yet to come.
SELECT batch_id, lane, rail, nostro, currency, requested_date, sequence, cut_off_at,
       (b.sealed_at IS NOT NULL OR EXISTS (SELECT FROM found_batches f WHERE f.batch_id = b.batch_id)) AS sealed,
       submitted_at IS NOT NULL AS submitted, refused_at IS NOT NULL AS refused
FROM batches b WHERE batch_id = ANY($1::uuid[]);

-- name: latest_batches
SELECT DISTINCT ON (lane, rail, nostro, currency, requested_date)
       batch_id, lane, rail, nostro, currency, requested_date, sequence, cut_off_at,
       (b.sealed_at IS NOT NULL OR EXISTS (SELECT FROM found_batches f WHERE f.batch_id = b.batch_id)) AS sealed,
       submitted_at IS NOT NULL AS submitted, refused_at IS NOT NULL AS refused
FROM batches b WHERE lane = ANY($1::integer[]) AND requested_date >= $2
ORDER BY lane, rail, nostro, currency, requested_date, sequence DESC;

-- name: candidates_for_entries
-- All lanes, read only: an entry that echoes EndToEndId alone does not say which. The bank may know what is sealed, what
-- was in an earlier file ("too late" was said of one copy, and another stood), and what it has answered for.
SELECT w.place, p.payment_id, p.lane, p.account, p.debited_on, p.rejected, p.returned_on,
       p.debit_source IS NOT DISTINCT FROM 'implied' AS implied
FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
     AS w (place, nostro, end_to_end_id, amount_minor, currency, original_minor)
JOIN payment_standings p ON p.end_to_end_id = w.end_to_end_id AND p.amount_minor IN (w.amount_minor, w.original_minor)
JOIN batches b ON b.batch_id = p.batch_id AND b.nostro = w.nostro AND b.currency = w.currency
     AND (b.sealed_at IS NOT NULL OR p.place > 0 OR p.debit_source IS NOT NULL OR p.rejected
          OR EXISTS (SELECT FROM found_batches f WHERE f.batch_id = b.batch_id));

-- name: candidates_for_statuses
-- Of the file that the status is about alone: a client may use an EndToEndId again.
SELECT w.place, p.payment_id, p.lane, p.account, p.debited_on, p.rejected, p.returned_on,
       p.debit_source IS NOT DISTINCT FROM 'implied' AS implied
FROM unnest($1::integer[], $2::text[], $3::text[]) AS w (place, message_id, end_to_end_id)
JOIN payment_standings p ON p.end_to_end_id = w.end_to_end_id
WHERE EXISTS (SELECT FROM bank_file_batches c JOIN bank_files f USING (file_id)
              WHERE c.batch_id = p.batch_id AND f.message_id = w.message_id)
   OR EXISTS (SELECT FROM found_batches g WHERE g.batch_id = p.batch_id AND g.message_id = w.message_id);

-- name: noted_reports
SELECT booking_key, source, identity, effect, payment_id FROM noted_reports WHERE booking_key = ANY($1::uuid[]);

-- name: statuses_of_payments
SELECT payment_id, array_agg(status ORDER BY reported_at, status) AS statuses
FROM payment_statuses WHERE payment_id = ANY($1::uuid[]) GROUP BY payment_id;

-- name: statuses_of_batches
SELECT batch_id, status FROM batch_statuses WHERE batch_id = ANY($1::uuid[]);
