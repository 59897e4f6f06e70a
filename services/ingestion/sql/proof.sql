-- name: proof_accepted
-- Per lane and currency what ingestion put into transit, by its events up to a seq ($1 lanes, $2 seqs, inclusive).
SELECT p.lane, p.currency, count(*) AS payments_count, sum(p.amount_minor)::bigint AS amount_minor
FROM payments p JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = p.lane AND p.event_seq <= w.seq
WHERE p.state = 'accepted' GROUP BY p.lane, p.currency ORDER BY p.lane, p.currency;

-- name: proof_accepted_payments
-- The payments behind it, to name a difference ($1 lane, $2 seq).
SELECT payment_id, amount_minor, currency, event_seq FROM payments
WHERE lane = $1 AND event_seq <= $2 AND state = 'accepted' ORDER BY event_seq;

-- name: proof_all_accepted
SELECT lane, currency, count(*) AS payments_count, sum(amount_minor)::bigint AS amount_minor
FROM payments WHERE state = 'accepted' GROUP BY lane, currency;

-- name: proof_refunded
-- Per lane what was refunded for settlement's events up to a seq ($1 lanes, $2 seqs, inclusive).
SELECT r.lane, r.cause, r.currency, count(*) AS payments_count, sum(r.amount_minor)::bigint AS amount_minor
FROM refunds r JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = r.lane AND r.source_seq <= w.seq
GROUP BY r.lane, r.cause, r.currency ORDER BY r.lane, r.cause, r.currency;

-- name: proof_refunded_payments
-- The refunds behind it, to name a difference ($1 lane, $2 seq).
SELECT payment_id, cause AS kind, amount_minor, source_seq FROM refunds
WHERE lane = $1 AND source_seq <= $2 ORDER BY source_seq;

-- name: proof_balances_by_lane
SELECT lane, account, currency, balance_minor FROM balances
WHERE account LIKE '%:%' ORDER BY lane, account, currency;

-- name: proof_postings_disagree
-- Balances that are not the sum of their postings: none, ever.
SELECT lane, account, currency, sum(balance_minor)::bigint AS balance_minor, sum(posted_minor)::bigint AS posted_minor
FROM (SELECT lane, account, currency, balance_minor, 0 AS posted_minor FROM balances
      UNION ALL SELECT lane, credit_account, currency, 0, amount_minor FROM postings
      UNION ALL SELECT lane, debit_account, currency, 0, -amount_minor FROM postings) moved
GROUP BY lane, account, currency HAVING sum(balance_minor) <> sum(posted_minor)
ORDER BY lane, account, currency;

-- name: proof_ledger_disagrees
-- Payments whose rows and transit postings differ: accepted and not taken, or the other way round.
SELECT coalesce(o.payment_id, t.payment_id) AS payment_id, coalesce(o.minor, 0) AS stated_minor,
       coalesce(t.minor, 0) AS posted_minor
FROM (SELECT p.payment_id, p.amount_minor - coalesce(r.amount_minor, 0) AS minor
      FROM payments p LEFT JOIN refunds r USING (payment_id) WHERE p.state = 'accepted') o
FULL JOIN (SELECT m.entry_id AS payment_id, sum(m.minor)::bigint AS minor
           FROM (SELECT entry_id, amount_minor AS minor FROM postings WHERE credit_account LIKE 'transit-out:%'
                 UNION ALL
                 SELECT entry_id, -amount_minor FROM postings WHERE debit_account LIKE 'transit-out:%') m
           GROUP BY m.entry_id) t USING (payment_id)
WHERE coalesce(o.minor, 0) <> coalesce(t.minor, 0);

-- name: proof_overdrawn
-- Customers may not owe us anything.
SELECT b.lane, b.account, b.currency, b.balance_minor FROM balances b JOIN accounts a ON a.account = b.account
WHERE b.balance_minor < 0;

-- name: counted_accepted
-- What was accepted up to the seq that the second reader has counted to ($1 kinds, $2 lanes, $3 currencies, $4 seqs,
-- inclusive; without one: none), and what lies beyond it and for how long.
SELECT 'accepted' AS kind, p.lane, p.currency,
       coalesce(sum(p.amount_minor) FILTER (WHERE p.event_seq <= w.seq), 0)::bigint AS held_minor,
       count(*) FILTER (WHERE p.event_seq > coalesce(w.seq, 0)) AS uncounted,
       extract(epoch FROM now() - min(p.decided_at) FILTER (WHERE p.event_seq > coalesce(w.seq, 0))) AS seconds
FROM payments p
LEFT JOIN unnest($1::text[], $2::integer[], $3::text[], $4::bigint[]) AS w (kind, lane, currency, seq)
  ON w.lane = p.lane AND w.currency = p.currency
WHERE p.state = 'accepted' GROUP BY p.lane, p.currency ORDER BY p.lane, p.currency;
