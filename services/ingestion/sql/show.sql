-- name: payment_by_key
SELECT payment_id, client, idempotency_key, debtor_account, amount_minor, currency, rail, state, reason_code, reason,
       end_to_end_id, decided_at
FROM payments WHERE client = $1 AND idempotency_key = $2;

-- name: payment_by_id
SELECT payment_id, client, idempotency_key, debtor_account, amount_minor, currency, rail, state, reason_code, reason,
       end_to_end_id, decided_at
FROM payments WHERE payment_id = $1;

-- name: payments_by_end_to_end
SELECT payment_id, lane, amount_minor, currency, state FROM payments WHERE end_to_end_id = $1 AND end_to_end_id <> ''
ORDER BY decided_at LIMIT 100;

-- name: payment_timeline
-- The steps of a payment ($1) in order. A step stands on topic/lane at record_offset, or is the event seq of
-- producer there; posting: what it moved in our books.
SELECT at, step, producer, topic, lane, seq, record_offset, posting, detail FROM (
    SELECT 1 AS place, p.decided_at AS at, 'instructed' AS step, p.client AS producer, 'payment-instructions' AS topic,
           p.lane, NULL::bigint AS seq, p.source_offset AS record_offset, '{}'::text[] AS kinds,
           'key ' || p.idempotency_key AS detail
    FROM payments p WHERE p.payment_id = $1
    UNION ALL SELECT 2, p.decided_at, p.state, 'ingestion', 'payments', p.lane, p.event_seq, NULL, '{accepted}',
           concat_ws(' ', p.reason_code, p.reason)
    FROM payments p WHERE p.payment_id = $1
    UNION ALL SELECT 3, r.refunded_at, 'refunded', 'ingestion', 'payments', r.lane, r.event_seq, NULL, '{refunded}',
           concat_ws(' ', r.cause, r.reason_code, format('by settlement-notifications/%s offset %s', r.lane, r.source_offset))
    FROM refunds r WHERE r.payment_id = $1
) steps
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('debit', debit_account, 'credit', credit_account, 'amount_minor', amount_minor,
                                      'currency', currency) ORDER BY kind) AS posting
    FROM postings WHERE entry_id = $1 AND kind = ANY (kinds)
) posted ON true
ORDER BY at, place;

-- name: account
SELECT a.account, a.lane, a.currency, a.name, a.state, a.opened_at, coalesce(b.balance_minor, 0) AS balance_minor
FROM accounts a LEFT JOIN balances b ON b.lane = a.lane AND b.account = a.account AND b.currency = a.currency
WHERE a.account = $1;

-- name: account_list
SELECT a.account, a.lane, a.currency, a.name, a.state, a.opened_at, coalesce(b.balance_minor, 0) AS balance_minor
FROM accounts a LEFT JOIN balances b ON b.lane = a.lane AND b.account = a.account AND b.currency = a.currency
ORDER BY a.account LIMIT $1;

-- name: answers
-- Whether records on payment-instructions ($1 lanes, $2 offsets, of equal length) were decided, and why refused.
SELECT w.lane, w.source_offset,
       coalesce((l.offsets ->> 'payment-instructions')::bigint > w.source_offset, false) AS decided,
       r.reason_code, r.reason
FROM unnest($1::integer[], $2::bigint[]) AS w (lane, source_offset)
LEFT JOIN lanes l ON l.lane = w.lane
LEFT JOIN refused_records r
       ON r.topic = 'payment-instructions' AND r.lane = w.lane AND r.source_offset = w.source_offset;

-- name: money_by_state
-- Money that waits here: of files that are not on payment-instructions to the last item (a file counts whole),
-- decided and not published, parked. What was accepted and published is settlement's to count. By LATERAL each payment
-- is looked up: a join reads the whole table where the planner takes the unpublished for many.
SELECT 'filed' AS state, s.key AS currency, sum(s.value::bigint)::bigint AS amount_minor, count(*) AS count,
       min(f.received_at) AS oldest
FROM payment_files f CROSS JOIN LATERAL jsonb_each_text(f.sums_minor) s
WHERE f.finished_at IS NULL GROUP BY s.key
UNION ALL
SELECT 'outbox', p.currency, sum(p.amount_minor)::bigint, count(*), min(e.decided_at)
FROM lanes l JOIN outbox_events e ON e.lane = l.lane AND e.outbox_seq > l.published_seq
CROSS JOIN LATERAL (SELECT * FROM payments
                    WHERE payment_id = encode(substring(e.body FROM 6 FOR 16), 'hex')::uuid LIMIT 1) p
WHERE e.event_type IN ('PaymentAccepted', 'PaymentRejected') GROUP BY p.currency
UNION ALL
SELECT 'parked', currency, sum(amount_minor)::bigint, count(*), min(parked_at) FROM parked
WHERE amount_minor IS NOT NULL GROUP BY currency;

-- name: progress
SELECT count(*) FILTER (WHERE state = 'accepted') AS accepted, count(*) FILTER (WHERE state = 'rejected') AS rejected,
       (SELECT count(*) FROM refunds) AS refunded, (SELECT count(*) FROM refused_records) AS refused,
       (SELECT jsonb_object_agg(currency, minor)
        FROM (SELECT currency, sum(amount_minor) AS minor FROM payments WHERE state = 'accepted' GROUP BY currency) s)
       AS accepted_sums
FROM payments;

-- name: reasons_of_file
-- Why payments of a file were rejected here, or rejected or returned by the bank ($1 client, $2 MsgId).
SELECT coalesce(r.cause, 'rejected') AS fate, coalesce(r.reason_code, p.reason_code) AS reason_code,
       count(*) AS payments_count
FROM payments p LEFT JOIN refunds r USING (payment_id)
WHERE p.client = $1 AND p.idempotency_key >= $2 || '/' AND p.idempotency_key < $2 || '0'
  AND substr(p.idempotency_key, length($2) + 2) ~ '^[0-9]+/[0-9]+$'
  AND (p.state = 'rejected' OR r.payment_id IS NOT NULL)
GROUP BY 1, 2 ORDER BY 1, 2;
