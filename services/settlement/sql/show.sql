-- name: money_by_state
-- Money that is not at its end yet, with the oldest of it; `unknown` is claimed money whose file may have gone. What is
-- open is counted with its batch, and as old as the batch is in its state: no payment is looked at.
SELECT CASE WHEN b.submitted_at IS NOT NULL THEN 'submitted' WHEN b.sealed_at IS NULL THEN 'held'
            WHEN EXISTS (SELECT FROM bank_file_batches f JOIN attempts a USING (file_id)
                         WHERE f.batch_id = b.batch_id AND a.state IN ('delivering', 'unknown')) THEN 'unknown'
            ELSE 'claimed' END AS state,
       b.currency, sum(b.open_minor)::bigint AS amount_minor, sum(b.open_payments)::bigint AS payments_count,
       min(coalesce(b.submitted_at, b.sealed_at, b.opened_at)) AS oldest
FROM batches b WHERE b.has_open
GROUP BY 1, 2
UNION ALL
SELECT 'outbox', b.currency, sum(p.amount_minor)::bigint, count(*), min(e.decided_at)
FROM lanes l JOIN outbox_events e ON e.lane = l.lane AND e.outbox_seq > l.published_seq
CROSS JOIN LATERAL (SELECT * FROM payments
                    WHERE payment_id = encode(substring(e.body FROM 6 FOR 16), 'hex')::uuid LIMIT 1) p
JOIN batches b ON b.batch_id = p.batch_id
WHERE e.event_type IN ('PaymentSubmitted', 'PaymentSettled', 'PaymentRejectedByBank', 'PaymentReturned')
GROUP BY b.currency
UNION ALL
SELECT 'parked', currency, sum(amount_minor)::bigint, count(*), min(parked_at) FROM parked
WHERE amount_minor IS NOT NULL GROUP BY currency;

-- name: payment_timeline
-- The steps of a payment ($1) in order. A step stands on topic/lane at record_offset, or is the event seq of
-- producer there; posting: what it moved in our books.
SELECT at, step, producer, topic, lane, seq, record_offset, posting, detail FROM (
    SELECT 1 AS place, p.received_at AS at, 'received' AS step, 'ingestion' AS producer, 'payments' AS topic, p.lane,
           p.accepted_seq AS seq, p.accepted_offset AS record_offset, '{}'::text[] AS kinds, '' AS detail
    FROM payments p WHERE p.payment_id = $1
    UNION ALL SELECT 2, b.sealed_at, 'claimed', '', '', b.lane, NULL, NULL, '{}',
           format('batch of %s, %s payments', b.requested_date, b.payments_count)
    FROM payments p JOIN batches b USING (batch_id) WHERE p.payment_id = $1 AND b.sealed_at IS NOT NULL
    UNION ALL SELECT 3, f.claimed_at, 'in bank file', '', '', p.lane, NULL, NULL, '{}',
           format('%s (%s)', f.file_name, f.message_id)
    FROM payment_standings p JOIN bank_file_batches fb USING (batch_id) JOIN bank_files f USING (file_id)
    WHERE p.payment_id = $1
    UNION ALL SELECT 4, a.started_at, 'sent to the bank', '', '', p.lane, NULL, NULL, '{}',
           format('attempt %s: %s %s', a.attempt, a.state, a.detail)
    FROM payment_standings p JOIN bank_file_batches fb USING (batch_id) JOIN attempts a USING (file_id)
    WHERE p.payment_id = $1
    UNION ALL SELECT 5, b.submitted_at, 'submitted', '', '', b.lane, NULL, NULL, '{}', b.message_id
    FROM payment_standings p JOIN batches b USING (batch_id) WHERE p.payment_id = $1 AND b.submitted_at IS NOT NULL
    UNION ALL SELECT 6, m.joined_at, 'joined a later batch', 'settlement', 'settlement-notifications', m.lane,
           m.event_seq, NULL, '{}', format('place %s', m.place)
    FROM batch_memberships m WHERE m.payment_id = $1
    UNION ALL SELECT 7, t.reported_at, 'status ' || t.status, '', '', t.lane, NULL, NULL, '{}',
           concat_ws(' ', t.reason_code, t.reason)
    FROM payment_statuses t WHERE t.payment_id = $1
    UNION ALL SELECT 8, s.settled_at, 'settled', 'settlement', 'settlement-notifications', s.lane, s.event_seq, NULL,
           '{settled}', format('%s %s, booked %s', s.source, s.bank_reference, s.booking_date)
    FROM settlements s WHERE s.payment_id = $1
    UNION ALL SELECT 9, r.rejected_at, 'rejected by the bank', 'settlement', 'settlement-notifications', r.lane,
           r.event_seq, NULL, '{}', concat_ws(' ', r.reason_code, r.reason)
    FROM rejections r WHERE r.payment_id = $1
    UNION ALL SELECT 10, r.returned_at, 'returned', 'settlement', 'settlement-notifications', r.lane, r.event_seq, NULL,
           '{returned,return_charges}', concat_ws(' ', r.source, r.bank_reference, r.reason_code, r.reason)
    FROM returns r WHERE r.payment_id = $1
    UNION ALL SELECT 11, c.found_at, 'contradicted', 'settlement', 'settlement-notifications', c.lane, c.event_seq, NULL,
           '{contradicted}', concat_ws(' ', c.kind, c.amount_minor, c.currency, c.reason)
    FROM contradictions c WHERE c.payment_id = $1
) steps
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('debit', debit_account, 'credit', credit_account, 'amount_minor', amount_minor,
                                      'currency', currency) ORDER BY kind) AS posting
    FROM postings WHERE entry_id = $1 AND kind = ANY (kinds)
) posted ON true
ORDER BY at, place;

-- name: payments_by_end_to_end
SELECT payment_id, lane, amount_minor, currency, state FROM payment_states WHERE end_to_end_id = $1
ORDER BY received_at LIMIT 100;

-- name: bank_files
-- The latest files for a bank ($1 how many), with how the last attempt to send each ended.
SELECT f.message_id, f.file_name, f.rail, f.nostro, f.currency, f.requested_date, f.payments_count, f.amount_minor,
       f.claimed_at, f.submitted_at, f.refused_at, f.refusal, coalesce(a.attempt, 0) AS attempts,
       CASE WHEN f.refused_at IS NOT NULL THEN 'refused' WHEN f.submitted_at IS NOT NULL THEN 'submitted'
            ELSE coalesce(a.state, 'claimed') END AS state,
       coalesce(a.detail, '') AS detail
FROM bank_files f
LEFT JOIN LATERAL (SELECT attempt, state, detail FROM attempts WHERE file_id = f.file_id ORDER BY attempt DESC LIMIT 1) a
     ON true
ORDER BY f.claimed_at DESC, f.message_id LIMIT $1;

-- name: request_outcome
SELECT outcome FROM requests WHERE request_id = $1 AND handled_at IS NOT NULL;
