-- name: batches
-- The next $2 from before $1, the newest first: ids hold their time.
SELECT batch_id, lane, rail, nostro, currency, requested_date, sequence, cut_off_at, opened_at, sealed_at,
       payments_count, amount_minor, submitted_at, message_id, refused_at, refusal
FROM batches WHERE batch_id < $1 ORDER BY batch_id DESC LIMIT $2;

-- name: cut_offs
SELECT rail, nostro, currency, requested_date, cut_off_at, count(*) AS batches_count
FROM batches WHERE sealed_at IS NULL GROUP BY 1, 2, 3, 4, 5 ORDER BY cut_off_at, rail, nostro;

-- name: bank_files_before
-- The next $2 from before $1, the newest first.
SELECT f.file_id, f.message_id, f.file_name, f.rail, f.nostro, f.currency, f.requested_date, f.payments_count,
       f.amount_minor, f.claimed_at, f.submitted_at, f.refused_at, f.refusal, coalesce(a.attempt, 0) AS attempts,
       CASE WHEN f.refused_at IS NOT NULL THEN 'refused' WHEN f.submitted_at IS NOT NULL THEN 'submitted'
            ELSE coalesce(a.state, 'claimed') END AS state,
       coalesce(a.detail, '') AS detail
FROM bank_files f
LEFT JOIN LATERAL (SELECT attempt, state, detail FROM attempts WHERE file_id = f.file_id ORDER BY attempt DESC LIMIT 1) a
     ON true
WHERE f.file_id < $1 ORDER BY f.file_id DESC LIMIT $2;
