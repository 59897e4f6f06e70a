-- The auditor's own reading of settlement at rest. Rows that are compared as sets: id, lane, minor, and the rest.

-- name: settlement.taken_in
SELECT p.payment_id AS id, p.lane, p.amount_minor AS minor, b.currency, b.rail, p.account, p.end_to_end_id,
       p.accepted_seq AS seq
FROM payments p JOIN batches b USING (batch_id)

-- name: settlement.taken
SELECT payment_id AS id, lane, amount_minor AS minor FROM payments

-- name: settlement.ended
SELECT payment_id AS id, lane, amount_minor AS minor FROM settlements
UNION ALL SELECT payment_id, lane, amount_minor FROM rejections

-- name: settlement.given_back
SELECT payment_id AS id, lane, amount_minor AS minor, 'rejected' AS cause, event_seq AS seq FROM rejections
UNION ALL SELECT payment_id, lane, amount_minor, 'returned', event_seq FROM returns

-- name: settlement.wrong_returns
SELECT r.payment_id::text AS subject, format('returned %s less %s in lane %s, settled %s in lane %s', r.amount_minor,
                                             r.charges_minor, r.lane, s.amount_minor, s.lane) AS words
FROM returns r LEFT JOIN settlements s USING (payment_id)
WHERE (s.amount_minor, s.lane) IS DISTINCT FROM (r.amount_minor, r.lane)
   OR r.charges_minor < 0 OR r.charges_minor >= r.amount_minor

-- name: settlement.due_postings
-- What the ledger must hold by the rows: out of transit to the bank; back, with what a bank kept out of our fees.
SELECT s.payment_id AS id, s.lane, v.minor, b.currency, v.debit, v.credit, v.kind
FROM settlements s
JOIN payments p USING (payment_id)
LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, batch_id FROM batch_memberships
           ORDER BY payment_id, place DESC) m USING (payment_id)
JOIN batches b ON b.batch_id = coalesce(m.batch_id, p.batch_id)
LEFT JOIN returns r USING (payment_id)
CROSS JOIN LATERAL (VALUES
    (s.amount_minor, 'transit-out:' || b.rail, 'nostro:' || b.nostro, 'settled'),
    (r.amount_minor - r.charges_minor, 'nostro:' || b.nostro, 'transit-out:' || b.rail, 'returned'),
    (r.charges_minor, 'fees', 'transit-out:' || b.rail, 'return_charges')) v (minor, debit, credit, kind)
WHERE v.minor > 0

-- name: settlement.postings
SELECT entry_id AS id, lane, amount_minor AS minor, currency, debit_account AS debit, credit_account AS credit, kind
FROM postings WHERE kind NOT IN ('bank_opening_balance', 'contradicted')

-- name: settlement.wrong_openings
SELECT coalesce(n.nostro, o.nostro) AS subject,
       format('opened with %s, posted %s', coalesce(n.opening_minor, 0), coalesce(o.minor, 0)) AS words
FROM nostros n
FULL JOIN (SELECT CASE WHEN debit_account LIKE 'nostro:%' THEN substr(debit_account, 8) ELSE substr(credit_account, 8) END
                      AS nostro,
                  lane, currency,
                  sum(CASE WHEN debit_account LIKE 'nostro:%' THEN amount_minor ELSE -amount_minor END) AS minor
           FROM postings WHERE kind = 'bank_opening_balance' GROUP BY 1, lane, currency) o
  ON (o.nostro, o.lane, o.currency) = (n.nostro, n.lane, n.currency)
WHERE coalesce(n.opening_minor, 0) <> coalesce(o.minor, 0)

-- name: settlement.wrong_suspense
-- What contradicts our books moves what it says between the nostro and suspense.
SELECT format('lane %s %s', coalesce(c.lane, s.lane), coalesce(c.nostro, s.nostro)) AS subject,
       format('%s contradictions of %s, posted %s', coalesce(c.times, 0), coalesce(c.minor, s.minor),
              coalesce(s.times, 0)) AS words
FROM (SELECT lane, nostro, currency, amount_minor AS minor, count(*) AS times
      FROM contradictions WHERE amount_minor <> 0 GROUP BY lane, nostro, currency, amount_minor) c
FULL JOIN (SELECT lane, substr(account, 8) AS nostro, currency, minor, count(*) AS times
           FROM (SELECT lane, debit_account AS account, currency, amount_minor AS minor FROM postings
                 WHERE kind = 'contradicted' AND credit_account LIKE 'suspense:%'
                 UNION ALL SELECT lane, credit_account, currency, -amount_minor FROM postings
                 WHERE kind = 'contradicted' AND credit_account NOT LIKE 'suspense:%') moved
           GROUP BY lane, account, currency, minor) s
  ON (s.lane, s.nostro, s.currency, s.minor) = (c.lane, c.nostro, c.currency, c.minor)
WHERE coalesce(c.times, 0) <> coalesce(s.times, 0)

-- name: settlement.moved
-- In the bank's sign.
SELECT payment_id AS id, lane, -amount_minor AS minor FROM settlements
UNION ALL SELECT payment_id, lane, amount_minor - charges_minor FROM returns

-- name: settlement.sent
SELECT p.payment_id AS id, p.lane, -p.amount_minor AS minor, b.currency, b.nostro, p.account, p.end_to_end_id
FROM payments p
LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, batch_id FROM batch_memberships
           ORDER BY payment_id, place DESC) m USING (payment_id)
JOIN batches b ON b.batch_id = coalesce(m.batch_id, p.batch_id)

-- name: settlement.rejected
SELECT payment_id AS id, lane, -amount_minor AS minor FROM rejections

-- name: settlement.wrong_batches
SELECT b.batch_id::text AS subject, format('sealed with %s of %s, its members are %s of %s', b.payments_count,
                                           b.amount_minor, coalesce(h.payments, 0), coalesce(h.minor, 0)) AS words
FROM batches b
LEFT JOIN (SELECT batch_id, count(*) AS payments, sum(amount_minor) AS minor
           FROM (SELECT p.batch_id, p.payment_id, p.amount_minor FROM payments p
                 UNION ALL SELECT m.batch_id, m.payment_id, p.amount_minor
                 FROM batch_memberships m JOIN payments p USING (payment_id)) members
           WHERE NOT EXISTS (SELECT FROM batch_withdrawals w
                             WHERE (w.batch_id, w.payment_id) = (members.batch_id, members.payment_id))
           GROUP BY batch_id) h USING (batch_id)
WHERE b.sealed_at IS NOT NULL
  AND (b.payments_count, b.amount_minor) IS DISTINCT FROM (coalesce(h.payments, 0), coalesce(h.minor, 0))

-- name: settlement.wrong_open
-- Batches by whose rows other payments are open than those that are in them last and have no end.
SELECT batch_id::text AS subject, format('counts %s of %s as open, without an end are %s of %s', max(counted),
                                         max(counted_minor), sum(payments), sum(minor)) AS words
FROM (SELECT batch_id, open_payments AS counted, open_minor AS counted_minor, 0 AS payments, 0 AS minor FROM batches
      UNION ALL
      SELECT coalesce((SELECT m.batch_id FROM batch_memberships m WHERE m.payment_id = p.payment_id
                       ORDER BY m.place DESC LIMIT 1), p.batch_id), 0, 0, 1, p.amount_minor
      FROM payments p LEFT JOIN settlements s USING (payment_id) LEFT JOIN rejections r USING (payment_id)
      WHERE s.payment_id IS NULL AND r.payment_id IS NULL) known
GROUP BY batch_id
HAVING (max(counted), max(counted_minor)) <> (sum(payments), sum(minor))

-- name: settlement.wrong_files
SELECT f.message_id AS subject, format('%s of %s, its batches are %s of %s', f.payments_count, f.amount_minor,
                                       sum(b.payments_count), sum(b.amount_minor)) AS words
FROM bank_files f LEFT JOIN bank_file_batches m USING (file_id) LEFT JOIN batches b USING (batch_id)
GROUP BY f.file_id
HAVING (f.payments_count, f.amount_minor) IS DISTINCT FROM (sum(b.payments_count), sum(b.amount_minor))

-- name: settlement.files
-- What is settled of each bank file, and under the name '' what is settled and in none.
SELECT coalesce(f.message_id, '') AS message_id, count(*) AS payments, sum(s.amount_minor)::bigint AS minor
FROM settlements s
JOIN payments p USING (payment_id)
LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, batch_id FROM batch_memberships
           ORDER BY payment_id, place DESC) m USING (payment_id)
LEFT JOIN bank_file_batches c ON c.batch_id = coalesce(m.batch_id, p.batch_id)
LEFT JOIN bank_files f USING (file_id)
GROUP BY f.message_id

-- name: settlement.of_file
-- The settled payments of a bank file ($1 its message id), with the number that each has in its lane.
SELECT s.payment_id, p.lane, p.accepted_seq
FROM settlements s
JOIN payments p USING (payment_id)
LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, batch_id FROM batch_memberships
           ORDER BY payment_id, place DESC) m USING (payment_id)
JOIN bank_file_batches c ON c.batch_id = coalesce(m.batch_id, p.batch_id)
JOIN bank_files f USING (file_id)
WHERE f.message_id = $1

-- name: settlement.known
-- What our books say of payments ($1 ids) that the bank has moved money for.
SELECT p.payment_id, p.lane, p.accepted_seq, p.amount_minor, b.currency, p.end_to_end_id, b.nostro,
       coalesce(f.message_id, '') AS message_id, s.payment_id IS NOT NULL AS settled,
       r.amount_minor - r.charges_minor AS returned_minor
FROM payments p
LEFT JOIN LATERAL (SELECT batch_id FROM batch_memberships m WHERE m.payment_id = p.payment_id
                   ORDER BY place DESC LIMIT 1) m ON true
JOIN batches b ON b.batch_id = coalesce(m.batch_id, p.batch_id)
LEFT JOIN bank_file_batches c ON c.batch_id = b.batch_id
LEFT JOIN bank_files f USING (file_id)
LEFT JOIN settlements s ON s.payment_id = p.payment_id
LEFT JOIN returns r ON r.payment_id = p.payment_id
WHERE p.payment_id = ANY($1::uuid[])

-- name: settlement.returned
SELECT count(*) AS payments, coalesce(sum(amount_minor - charges_minor), 0)::bigint AS minor FROM returns

-- name: settlement.nostros
SELECT n.nostro, n.lane, n.currency, n.opening_minor, coalesce(b.balance_minor, 0) AS balance_minor
FROM nostros n
LEFT JOIN (SELECT account, currency, sum(balance_minor)::bigint AS balance_minor FROM balances
           WHERE account LIKE 'nostro:%' GROUP BY account, currency) b
  ON (b.account, b.currency) = ('nostro:' || n.nostro, n.currency)

-- name: settlement.numbers
SELECT lane, event_seq FROM settlements
UNION ALL SELECT lane, event_seq FROM rejections
UNION ALL SELECT lane, event_seq FROM returns
UNION ALL SELECT lane, event_seq FROM contradictions
UNION ALL SELECT lane, event_seq FROM batch_memberships WHERE event_seq IS NOT NULL

-- name: settlement.other_numbers
-- A payment that went out again was submitted twice, and reconciliation keeps the later number alone.
SELECT lane, 0::bigint AS certain, count(*) AS possible FROM batch_memberships GROUP BY lane
