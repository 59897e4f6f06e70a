-- name: money_by_state
-- Money that is not at its end yet, with the oldest of it; `unknown` is claimed money whose file may have gone.
SELECT CASE WHEN b.submitted_at IS NOT NULL THEN 'submitted' WHEN b.sealed_at IS NULL THEN 'held'
            WHEN u.batch_id IS NOT NULL THEN 'unknown' ELSE 'claimed' END AS state,
       b.currency, sum(p.amount_minor)::bigint AS amount_minor, count(*) AS payments_count,
       min(p.received_at) AS oldest
FROM payment_standings p JOIN batches b ON b.batch_id = p.batch_id
LEFT JOIN (SELECT DISTINCT f.batch_id FROM bank_file_batches f JOIN attempts a USING (file_id)
           WHERE a.state IN ('delivering', 'unknown')) u ON u.batch_id = b.batch_id
WHERE p.debit_source IS NULL AND NOT p.rejected
GROUP BY 1, 2
UNION ALL
SELECT 'outbox', b.currency, sum(p.amount_minor)::bigint, count(*), min(e.decided_at)
FROM lanes l JOIN outbox_events e ON e.lane = l.lane AND e.outbox_seq > l.published_seq
JOIN payments p ON p.payment_id = encode(substring(e.body FROM 6 FOR 16), 'hex')::uuid
JOIN batches b ON b.batch_id = p.batch_id
WHERE e.event_type IN ('PaymentSubmitted', 'PaymentSettled', 'PaymentRejectedByBank', 'PaymentReturned')
GROUP BY b.currency
UNION ALL
SELECT 'parked', currency, sum(amount_minor)::bigint, count(*), min(parked_at) FROM parked
WHERE amount_minor IS NOT NULL GROUP BY currency;

-- name: payment_timeline
-- The steps of a payment in order: when, what, detail, seq of the event that told of it where there is one.
SELECT at, step, detail, seq FROM (
    SELECT 1 AS place, p.received_at AS at, 'received' AS step,
           format('lane %s, payments offset %s', p.lane, p.accepted_offset) AS detail, p.accepted_seq AS seq
    FROM payments p WHERE p.payment_id = $1
    UNION ALL SELECT 2, b.sealed_at, 'claimed', format('batch of %s, %s payments', b.requested_date, b.payments_count), NULL
    FROM payments p JOIN batches b USING (batch_id) WHERE p.payment_id = $1 AND b.sealed_at IS NOT NULL
    UNION ALL SELECT 3, f.claimed_at, 'in bank file', format('%s (%s)', f.file_name, f.message_id), NULL
    FROM payment_standings p JOIN bank_file_batches fb USING (batch_id) JOIN bank_files f USING (file_id)
    WHERE p.payment_id = $1
    UNION ALL SELECT 4, a.started_at, 'sent to the bank', format('attempt %s: %s %s', a.attempt, a.state, a.detail), NULL
    FROM payment_standings p JOIN bank_file_batches fb USING (batch_id) JOIN attempts a USING (file_id)
    WHERE p.payment_id = $1
    UNION ALL SELECT 5, b.submitted_at, 'submitted', b.message_id, NULL
    FROM payment_standings p JOIN batches b USING (batch_id) WHERE p.payment_id = $1 AND b.submitted_at IS NOT NULL
    UNION ALL SELECT 6, m.joined_at, 'joined a later batch', format('place %s', m.place), m.event_seq
    FROM batch_memberships m WHERE m.payment_id = $1
    UNION ALL SELECT 7, t.reported_at, 'status ' || t.status, concat_ws(' ', t.reason_code, t.reason), NULL
    FROM payment_statuses t WHERE t.payment_id = $1
    UNION ALL SELECT 8, s.settled_at, 'settled', format('%s %s, booked %s', s.source, s.bank_reference, s.booking_date), s.event_seq
    FROM settlements s WHERE s.payment_id = $1
    UNION ALL SELECT 9, r.rejected_at, 'rejected by the bank', concat_ws(' ', r.reason_code, r.reason), r.event_seq
    FROM rejections r WHERE r.payment_id = $1
    UNION ALL SELECT 10, r.returned_at, 'returned', concat_ws(' ', r.source, r.bank_reference, r.reason_code, r.reason), r.event_seq
    FROM returns r WHERE r.payment_id = $1
    UNION ALL SELECT 11, c.found_at, 'contradicted', concat_ws(' ', c.kind, c.amount_minor, c.currency, c.reason), c.event_seq
    FROM contradictions c WHERE c.payment_id = $1
    UNION ALL SELECT 12, l.posted_at, 'posted',
           format('%s: Dr %s / Cr %s %s %s', l.kind, l.debit_account, l.credit_account, l.amount_minor, l.currency), NULL
    FROM postings l WHERE l.entry_id = $1
) steps ORDER BY at, place;

-- name: payments_by_end_to_end
SELECT payment_id, lane, amount_minor, currency, state FROM payment_states WHERE end_to_end_id = $1
ORDER BY received_at LIMIT 100;

-- name: batches
SELECT batch_id, lane, rail, nostro, currency, requested_date, sequence, cut_off_at, opened_at, sealed_at,
       payments_count, amount_minor, submitted_at, message_id, refused_at, refusal
FROM batches WHERE $1::uuid IS NULL OR batch_id < $1 ORDER BY batch_id DESC LIMIT $2;

-- name: cut_offs
SELECT rail, nostro, currency, requested_date, cut_off_at, count(*) AS batches_count
FROM batches WHERE sealed_at IS NULL GROUP BY 1, 2, 3, 4, 5 ORDER BY cut_off_at;

-- name: bank_files
SELECT f.message_id, f.file_name, f.rail, f.nostro, f.requested_date, f.payments_count, f.amount_minor, f.currency,
       f.claimed_at, f.submitted_at, f.refused_at, f.refusal, a.attempt, a.state AS attempt_state, a.detail
FROM bank_files f LEFT JOIN LATERAL (SELECT attempt, state, detail FROM attempts WHERE file_id = f.file_id
                                     ORDER BY attempt DESC LIMIT 1) a ON true
ORDER BY f.claimed_at DESC LIMIT $1;
