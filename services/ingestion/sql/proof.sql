-- name: proof_accepted
-- Per lane and currency what ingestion put into transit, by its events up to a seq ($1 lanes, $2 seqs, inclusive).
SELECT p.lane, p.currency, sum(p.amount_minor)::bigint AS amount_minor,
       sum(('x' || left(md5(p.payment_id || ' ' || p.amount_minor), 15))::bit(60)::bigint) AS fingerprint
FROM payments p JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = p.lane AND p.event_seq <= w.seq
WHERE p.state = 'accepted' GROUP BY p.lane, p.currency;

-- name: proof_accepted_payments
-- The payments behind it, to name a difference ($1 lane, $2 seq).
SELECT payment_id, currency, amount_minor FROM payments
WHERE lane = $1 AND event_seq <= $2 AND state = 'accepted';

-- name: proof_refunded
-- Per lane and currency what was refunded for settlement's events up to a seq ($1 lanes, $2 seqs, inclusive).
SELECT r.lane, r.currency, sum(r.amount_minor)::bigint AS amount_minor,
       sum(('x' || left(md5(r.payment_id || ' ' || r.amount_minor), 15))::bit(60)::bigint) AS fingerprint
FROM refunds r JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = r.lane AND r.source_seq <= w.seq
GROUP BY r.lane, r.currency;

-- name: proof_refunded_payments
-- The refunds behind it, to name a difference ($1 lane, $2 seq).
SELECT payment_id, currency, amount_minor FROM refunds WHERE lane = $1 AND source_seq <= $2;

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

-- name: proof_customers_disagree
-- Payments taken from, or given back to, another account than their rows say.
SELECT p.payment_id, p.debtor_account AS stated_account, d.debit_account AS posted_account
FROM payments p JOIN postings d ON d.entry_id = p.payment_id AND d.kind = 'accepted'
WHERE d.debit_account <> p.debtor_account
UNION ALL
SELECT r.payment_id, r.credited_account, c.credit_account
FROM refunds r JOIN postings c ON c.entry_id = r.payment_id AND c.kind = 'refunded'
WHERE c.credit_account <> r.credited_account;

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
