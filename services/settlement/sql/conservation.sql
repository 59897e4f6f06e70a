-- name: moved_up_to
-- Per lane and currency what settlement told of money up to a seq of its own events ($1 lanes, $2 seqs, inclusive).
SELECT o.lane, b.currency, o.kind, count(*) AS payments_count, sum(o.amount_minor)::bigint AS amount_minor,
       sum(o.charges_minor)::bigint AS charges_minor
FROM (SELECT payment_id, lane, 'settled' AS kind, amount_minor, 0 AS charges_minor, event_seq FROM settlements
      UNION ALL SELECT payment_id, lane, 'rejected', amount_minor, 0, event_seq FROM rejections
      UNION ALL SELECT payment_id, lane, 'returned', amount_minor, charges_minor, event_seq FROM returns) o
JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = o.lane AND o.event_seq <= w.seq
JOIN payments p USING (payment_id) JOIN batches b ON b.batch_id = p.batch_id
GROUP BY o.lane, b.currency, o.kind ORDER BY o.lane, b.currency, o.kind;

-- name: nostro_movements
-- What moved each nostro, in the bank's sign, by the kind of posting.
SELECT substr(account, 8) AS nostro, currency, kind, sum(minor)::bigint AS amount_minor
FROM (SELECT debit_account AS account, currency, kind, amount_minor AS minor FROM postings
      UNION ALL SELECT credit_account, currency, kind, -amount_minor FROM postings) moved
WHERE account LIKE 'nostro:%' GROUP BY account, currency, kind ORDER BY account, currency, kind;

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
