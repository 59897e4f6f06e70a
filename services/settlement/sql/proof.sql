-- name: proof_ledger_disagrees
-- Payments whose rows and transit postings differ: settled and not taken out, or the other way round.
SELECT coalesce(o.payment_id, t.payment_id) AS payment_id, coalesce(o.taken_minor, 0) AS stated_minor,
       coalesce(t.taken_minor, 0) AS posted_minor
FROM (SELECT s.payment_id, s.amount_minor - coalesce(r.amount_minor, 0) AS taken_minor
      FROM settlements s LEFT JOIN returns r USING (payment_id)) o
FULL JOIN (SELECT m.entry_id AS payment_id, sum(m.minor)::bigint AS taken_minor
           FROM (SELECT entry_id, amount_minor AS minor FROM postings WHERE debit_account LIKE 'transit-out:%'
                 UNION ALL
                 SELECT entry_id, -amount_minor FROM postings WHERE credit_account LIKE 'transit-out:%') m
           GROUP BY m.entry_id) t USING (payment_id)
WHERE coalesce(o.taken_minor, 0) <> coalesce(t.taken_minor, 0);

-- name: proof_batches_disagree
-- Sealed batches whose count, sum or offsets are not those of their members: none, ever.
SELECT b.lane, b.batch_id FROM batches b
LEFT JOIN LATERAL (SELECT count(*) AS payments_count, sum(m.amount_minor)::bigint AS amount_minor,
                          min(m.accepted_offset) AS first_offset, max(m.accepted_offset) AS last_offset
                   FROM batch_members m WHERE m.batch_id = b.batch_id) h ON true
WHERE b.sealed_at IS NOT NULL
  AND (b.payments_count, b.amount_minor, b.first_offset, b.last_offset)
      IS DISTINCT FROM (h.payments_count, coalesce(h.amount_minor, 0), h.first_offset, h.last_offset);

-- name: proof_open_disagree
-- Batches that count other payments as open than are in them now and have no end.
SELECT coalesce(b.lane, o.lane) AS lane, batch_id, b.currency, coalesce(b.open_payments, 0) AS counted,
       coalesce(b.open_minor, 0) AS counted_minor, coalesce(o.payments, 0) AS open, coalesce(o.minor, 0) AS open_minor
FROM batches b
FULL JOIN (SELECT min(p.lane) AS lane, coalesce(m.batch_id, p.batch_id) AS batch_id, count(*) AS payments,
                  sum(p.amount_minor)::bigint AS minor
           FROM payments p
           LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, batch_id FROM batch_memberships
                      ORDER BY payment_id, place DESC) m USING (payment_id)
           WHERE NOT EXISTS (SELECT FROM settlements s WHERE s.payment_id = p.payment_id)
             AND NOT EXISTS (SELECT FROM rejections r WHERE r.payment_id = p.payment_id)
           GROUP BY 2) o USING (batch_id)
WHERE (coalesce(b.open_payments, 0), coalesce(b.open_minor, 0)) <> (coalesce(o.payments, 0), coalesce(o.minor, 0));

-- name: proof_files_disagree
-- Bank files whose count or sum is not that of the batches in them.
SELECT f.message_id, f.payments_count, f.amount_minor, coalesce(sum(b.amount_minor), 0)::bigint AS batches_minor
FROM bank_files f LEFT JOIN bank_file_batches m USING (file_id) LEFT JOIN batches b USING (batch_id)
GROUP BY f.file_id
HAVING (f.payments_count, f.amount_minor) IS DISTINCT FROM (sum(b.payments_count), sum(b.amount_minor));

-- name: proof_suspense_disagrees
-- What answers of a bank that contradict our books moved, and what was posted for it, by lane and nostro.
SELECT coalesce(c.lane, t.lane) AS lane, coalesce(c.nostro, t.nostro) AS nostro,
       coalesce(c.currency, t.currency) AS currency, coalesce(c.minor, 0) AS stated_minor,
       coalesce(t.minor, 0) AS posted_minor
FROM (SELECT lane, nostro, currency, sum(amount_minor)::bigint AS minor
      FROM contradictions WHERE amount_minor <> 0 GROUP BY lane, nostro, currency) c
FULL JOIN (SELECT lane, substr(account, 8) AS nostro, currency, sum(minor)::bigint AS minor
           FROM (SELECT lane, debit_account AS account, currency, amount_minor AS minor
                 FROM postings WHERE kind = 'contradicted'
                 UNION ALL SELECT lane, credit_account, currency, -amount_minor
                 FROM postings WHERE kind = 'contradicted') moved
           WHERE account LIKE 'nostro:%' GROUP BY lane, account, currency) t
  ON t.lane = c.lane AND t.nostro = c.nostro AND t.currency = c.currency
WHERE coalesce(c.minor, 0) <> coalesce(t.minor, 0);
