-- name: payment_by_key
SELECT payment_id, client, idempotency_key, debtor_account, amount_minor, currency, rail, state, reason_code, reason,
       end_to_end_id, decided_at
FROM payments WHERE client = $1 AND idempotency_key = $2;

-- name: payment_by_id
SELECT payment_id, client, idempotency_key, debtor_account, amount_minor, currency, rail, state, reason_code, reason,
       end_to_end_id, decided_at
FROM payments WHERE payment_id = $1;

-- name: payments_by_end_to_end
SELECT payment_id, lane, amount_minor, currency, state FROM payments WHERE end_to_end_id = $1 AND $1 <> ''
ORDER BY decided_at LIMIT 100;

-- name: payment_timeline
-- The steps of a payment in order: when, what, detail, seq of the event that told of it where there is one.
SELECT at, step, detail, seq FROM (
    SELECT 1 AS place, p.decided_at AS at, p.state AS step,
           concat_ws(' ', format('%s %s from %s, payment-instructions/%s offset %s', p.amount_minor, p.currency,
                                 p.debtor_account, p.lane, p.source_offset), p.reason_code, p.reason) AS detail,
           p.event_seq AS seq
    FROM payments p WHERE p.payment_id = $1
    UNION ALL SELECT 2, r.refunded_at, 'refunded',
           concat_ws(' ', 'to', r.credited_account, format('settlement-notifications/%s offset %s', r.lane, r.source_offset),
                     r.cause, r.reason_code), r.event_seq
    FROM refunds r WHERE r.payment_id = $1
    UNION ALL SELECT 3, l.posted_at, 'posted',
           format('%s: Dr %s / Cr %s %s %s', l.kind, l.debit_account, l.credit_account, l.amount_minor, l.currency), NULL
    FROM postings l WHERE l.entry_id = $1
) steps ORDER BY at, place;

-- name: account
SELECT a.account, a.lane, a.currency, a.name, a.state, a.opened_at, coalesce(b.balance_minor, 0) AS balance_minor
FROM accounts a LEFT JOIN balances b ON b.lane = a.lane AND b.account = a.account AND b.currency = a.currency
WHERE a.account = $1;

-- name: account_list
SELECT a.account, a.lane, a.currency, a.name, a.state, a.opened_at, coalesce(b.balance_minor, 0) AS balance_minor
FROM accounts a LEFT JOIN balances b ON b.lane = a.lane AND b.account = a.account AND b.currency = a.currency
ORDER BY a.account LIMIT $1;

-- name: accounts_open
SELECT count(*) FROM accounts WHERE account = ANY($1::text[]);

-- name: money_by_state
-- Money of customers that is on its way: taken from them and not given back, decided and not published, parked.
SELECT 'in transit' AS state, currency, sum(balance_minor)::bigint AS amount_minor, count(*) AS count,
       NULL::timestamptz AS oldest
FROM balances WHERE account LIKE 'transit-out:%' AND balance_minor <> 0 GROUP BY currency
UNION ALL
SELECT 'outbox', p.currency, sum(p.amount_minor)::bigint, count(*), min(e.decided_at)
FROM lanes l JOIN outbox_events e ON e.lane = l.lane AND e.outbox_seq > l.published_seq
JOIN payments p ON p.payment_id = encode(substring(e.body FROM 6 FOR 16), 'hex')::uuid
WHERE e.event_type IN ('PaymentAccepted', 'PaymentRejected') GROUP BY p.currency
UNION ALL
SELECT 'parked', currency, sum(amount_minor)::bigint, count(*), min(parked_at) FROM parked
WHERE amount_minor IS NOT NULL GROUP BY currency;

-- name: progress
SELECT count(*) FILTER (WHERE state = 'accepted') AS accepted, count(*) FILTER (WHERE state = 'rejected') AS rejected,
       (SELECT count(*) FROM refunds) AS refunded, (SELECT count(*) FROM refused_records) AS refused
FROM payments;

-- name: reasons_of_file
-- Why payments of a file were rejected ($1 client, $2 MsgId).
SELECT reason_code, count(*) AS payments_count FROM payments
WHERE client = $1 AND idempotency_key >= $2 || '/' AND idempotency_key < $2 || '0' AND state = 'rejected'
GROUP BY reason_code ORDER BY reason_code;
