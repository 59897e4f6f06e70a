-- The auditor's own reading of ingestion at rest. Rows that are compared as sets: id, lane, minor, and the rest.

-- name: ingestion.decided
SELECT count(*) AS payments, count(*) FILTER (WHERE state = 'accepted') AS accepted FROM payments

-- name: ingestion.accepted
SELECT payment_id AS id, lane, amount_minor AS minor, currency, rail, debtor_account AS account,
       coalesce(nullif(end_to_end_id, ''), 'NOTPROVIDED') AS end_to_end_id, event_seq AS seq
FROM payments WHERE state = 'accepted'

-- name: ingestion.refunded
SELECT payment_id AS id, lane, amount_minor AS minor, cause, source_seq AS seq FROM refunds

-- name: ingestion.due_postings
-- What the ledger must hold by the rows: the customer pays into transit, and has it back from there.
SELECT payment_id AS id, lane, amount_minor AS minor, currency, debtor_account AS debit,
       'transit-out:' || rail AS credit, 'accepted' AS kind
FROM payments WHERE state = 'accepted'
UNION ALL
SELECT r.payment_id, r.lane, r.amount_minor, r.currency, 'transit-out:' || p.rail, r.credited_account, 'refunded'
FROM refunds r JOIN payments p USING (payment_id)

-- name: ingestion.postings
SELECT entry_id AS id, lane, amount_minor AS minor, currency, debit_account AS debit, credit_account AS credit, kind
FROM postings WHERE kind <> 'funded'

-- name: ingestion.wrong_fundings
SELECT f.entry_id::text AS subject, format('Dr %s Cr %s of lane %s', f.debit_account, f.credit_account, f.lane) AS words
FROM postings f LEFT JOIN accounts a ON a.account = f.credit_account
WHERE f.kind = 'funded'
  AND (f.debit_account NOT LIKE 'funding:_%' OR (a.lane, a.currency) IS DISTINCT FROM (f.lane, f.currency))

-- name: ingestion.wrong_refunds
SELECT r.payment_id::text AS subject,
       format('refunded %s %s to %s in lane %s, %s %s %s of %s in lane %s', r.amount_minor, r.currency, r.credited_account,
              r.lane, coalesce(p.state, 'unknown'), p.amount_minor, p.currency, p.debtor_account, p.lane) AS words
FROM refunds r LEFT JOIN payments p USING (payment_id)
WHERE (p.state, p.amount_minor, p.currency, p.lane) IS DISTINCT FROM ('accepted', r.amount_minor, r.currency, r.lane)
   OR r.credited_account <> p.debtor_account AND r.credited_account NOT LIKE 'unapplied:_%'

-- name: ingestion.overdrawn
SELECT format('lane %s %s', lane, account) AS subject, format('holds %s %s', balance_minor, currency) AS words
FROM balances
WHERE balance_minor < 0 AND account NOT LIKE 'funding:%' AND account NOT LIKE 'transit-in:%'

-- name: ingestion.strange_accounts
SELECT format('lane %s %s', p.lane, p.account) AS subject,
       format('paid in %s, its account is in %s of lane %s', p.currency, coalesce(a.currency, 'none'), a.lane) AS words
FROM (SELECT lane, debtor_account AS account, currency FROM payments WHERE state = 'accepted'
      GROUP BY lane, debtor_account, currency) p
LEFT JOIN accounts a USING (account)
WHERE (a.lane, a.currency) IS DISTINCT FROM (p.lane, p.currency)

-- name: ingestion.accounts
SELECT account, lane FROM accounts

-- name: ingestion.numbers
SELECT lane, event_seq FROM payments UNION ALL SELECT lane, event_seq FROM refunds

-- name: ingestion.other_numbers
-- Events that are told and whose number stands on no row: at least, and at most.
SELECT lane, sum(certain)::bigint AS certain, sum(possible)::bigint AS possible
FROM (SELECT lane, 1 AS certain, 1 AS possible FROM accounts
      UNION ALL SELECT lane, 1, 1 FROM postings WHERE kind = 'funded'
      UNION ALL SELECT lane, 0, 1 FROM refused_records) told
GROUP BY lane
