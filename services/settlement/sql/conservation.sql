-- name: proof_received
-- Per lane and currency what settlement received by ingestion's events up to a seq ($1 lanes, $2 seqs, inclusive).
SELECT p.lane, b.currency, sum(p.amount_minor)::bigint AS amount_minor,
       sum(('x' || left(md5(p.payment_id || ' ' || p.amount_minor), 15))::bit(60)::bigint) AS fingerprint
FROM payments p JOIN batches b USING (batch_id)
JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = p.lane AND p.accepted_seq <= w.seq
GROUP BY p.lane, b.currency;

-- name: proof_received_payments
-- The payments behind it, to name a difference ($1 lane, $2 seq).
SELECT p.payment_id, b.currency, p.amount_minor
FROM payments p JOIN batches b USING (batch_id) WHERE p.lane = $1 AND p.accepted_seq <= $2;

-- name: proof_moved
-- Per lane and nostro what settlement told of money that moved, in the bank's sign and less charges, up to a seq of
-- its own events ($1 lanes, $2 seqs, inclusive).
SELECT o.lane, b.nostro, b.currency, sum(o.minor)::bigint AS amount_minor,
       sum(('x' || left(md5(o.payment_id || ' ' || o.minor), 15))::bit(60)::bigint) AS fingerprint
FROM (SELECT payment_id, lane, -amount_minor AS minor, event_seq FROM settlements
      UNION ALL SELECT payment_id, lane, amount_minor - charges_minor, event_seq FROM returns) o
JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = o.lane AND o.event_seq <= w.seq
JOIN payments p USING (payment_id) JOIN batches b ON b.batch_id = p.batch_id
GROUP BY o.lane, b.nostro, b.currency;

-- name: proof_moved_payments
-- The movements behind it, to name a difference ($1 lane, $2 seq).
SELECT o.payment_id, b.currency, o.amount_minor
FROM (SELECT payment_id, -amount_minor AS amount_minor FROM settlements WHERE lane = $1 AND event_seq <= $2
      UNION ALL
      SELECT payment_id, amount_minor - charges_minor FROM returns WHERE lane = $1 AND event_seq <= $2) o
JOIN payments p USING (payment_id) JOIN batches b ON b.batch_id = p.batch_id;

-- name: proof_given_back
-- Per lane and currency what settlement gave back, rejected or returned, up to a seq of its own events ($1 lanes,
-- $2 seqs, inclusive): the customer has the whole, whatever a bank kept.
SELECT o.lane, b.currency, sum(o.amount_minor)::bigint AS amount_minor,
       sum(('x' || left(md5(o.payment_id || ' ' || o.amount_minor), 15))::bit(60)::bigint) AS fingerprint
FROM (SELECT payment_id, lane, amount_minor, event_seq FROM rejections
      UNION ALL SELECT payment_id, lane, amount_minor, event_seq FROM returns) o
JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = o.lane AND o.event_seq <= w.seq
JOIN payments p USING (payment_id) JOIN batches b ON b.batch_id = p.batch_id
GROUP BY o.lane, b.currency;

-- name: proof_given_back_payments
-- The rejections and returns behind it ($1 lane, $2 seq): ingestion refunds exactly these.
SELECT o.payment_id, b.currency, o.amount_minor
FROM (SELECT payment_id, amount_minor FROM rejections WHERE lane = $1 AND event_seq <= $2
      UNION ALL
      SELECT payment_id, amount_minor FROM returns WHERE lane = $1 AND event_seq <= $2) o
JOIN payments p USING (payment_id) JOIN batches b ON b.batch_id = p.batch_id;

-- name: nostro_movements
-- What moved each nostro, in the bank's sign, by the kind of posting.
SELECT substr(account, 8) AS nostro, currency, kind, sum(minor)::bigint AS amount_minor
FROM (SELECT debit_account AS account, currency, kind, amount_minor AS minor FROM postings
      UNION ALL SELECT credit_account, currency, kind, -amount_minor FROM postings) moved
WHERE account LIKE 'nostro:%' GROUP BY account, currency, kind ORDER BY account, currency, kind;

-- name: suspended
-- Each booking in suspense, in the bank's sign, with its day: a statement of that day has to show it.
SELECT nostro, currency, amount_minor, booking_date, kind, payment_id, bank_reference
FROM contradictions WHERE amount_minor <> 0 ORDER BY nostro, currency, booking_date, lane, event_seq;

-- name: counted_outcomes
-- What was told of money up to the seq that the second reader has counted to ($1 kinds, $2 lanes, $3 currencies,
-- $4 seqs, inclusive; without one: none), and what lies beyond it and for how long.
SELECT o.kind, o.lane, b.currency,
       coalesce(sum(o.amount_minor) FILTER (WHERE o.event_seq <= w.seq), 0)::bigint AS held_minor,
       count(*) FILTER (WHERE o.event_seq > coalesce(w.seq, 0)) AS uncounted,
       extract(epoch FROM now() - min(o.told_at) FILTER (WHERE o.event_seq > coalesce(w.seq, 0))) AS seconds
FROM (SELECT payment_id, lane, 'settled' AS kind, amount_minor, event_seq, settled_at AS told_at FROM settlements
      UNION ALL SELECT payment_id, lane, 'rejected', amount_minor, event_seq, rejected_at FROM rejections
      UNION ALL SELECT payment_id, lane, 'returned', amount_minor, event_seq, returned_at FROM returns) o
JOIN payments p USING (payment_id) JOIN batches b ON b.batch_id = p.batch_id
LEFT JOIN unnest($1::text[], $2::integer[], $3::text[], $4::bigint[]) AS w (kind, lane, currency, seq)
  ON w.kind = o.kind AND w.lane = o.lane AND w.currency = b.currency
GROUP BY o.kind, o.lane, b.currency ORDER BY o.kind, o.lane, b.currency;
