-- The auditor's own reading of databases at rest: what holds of each of the three alike.

-- name: every.lanes
SELECT lane, destinations, watermarks, stopped_reason FROM lanes WHERE lane >= 0

-- name: every.partitions
SELECT partitions FROM cluster

-- name: every.parked
SELECT format('lane %s %s', lane, topic) AS subject, format('%s records, first at %s', count(*), min(source_offset)) AS words
FROM parked GROUP BY lane, topic

-- name: every.wrong_shapes
-- A row is one debit and one credit of one amount, so that an entry makes nothing in each currency.
SELECT entry_id::text AS subject, format('%s: Dr %s Cr %s %s %s', kind, debit_account, credit_account, amount_minor, currency) AS words
FROM postings WHERE debit_account = credit_account OR amount_minor <= 0 OR debit_account = '' OR credit_account = ''

-- name: every.wrong_balances
-- Read once by pairs of accounts, of which there are few, and only then taken apart into sides.
SELECT format('%s lane %s %s', current_database(), coalesce(b.lane, m.lane), coalesce(b.account, m.account)) AS subject,
       format('holds %s, its postings make %s %s', coalesce(b.balance_minor, 0), coalesce(m.minor, 0),
              coalesce(b.currency, m.currency)) AS words
FROM balances b
FULL JOIN (
    WITH pairs AS (SELECT lane, debit_account, credit_account, currency, sum(amount_minor) AS minor
                   FROM postings GROUP BY lane, debit_account, credit_account, currency)
    SELECT lane, account, currency, sum(minor) AS minor
    FROM (SELECT lane, credit_account AS account, currency, minor FROM pairs
          UNION ALL SELECT lane, debit_account, currency, -minor FROM pairs) sides
    GROUP BY lane, account, currency) m
  ON (m.lane, m.account, m.currency) = (b.lane, b.account, b.currency)
WHERE coalesce(b.balance_minor, 0) <> coalesce(m.minor, 0)

-- name: every.transit
SELECT lane, account, currency, balance_minor FROM balances WHERE account LIKE 'transit-out:%'

-- name: every.sums
-- Rows (id, lane, minor and whatever else is compared) by lane and bucket: how many, how much, and a sum
-- of their hashes, which is the same in any order and in any of the databases.
SELECT lane, bucket, count(*) AS rows, sum(minor) AS minor, sum(print) AS print
FROM (SELECT r.lane, r.minor, uuid_hash_extended(r.id, 1) & 63 AS bucket, hash_record_extended(r, 0) AS print
      FROM ({rows}) r) hashed
GROUP BY lane, bucket

-- name: every.bucket
-- The rows behind one sum ($1 lane, $2 bucket), to name a difference.
SELECT * FROM ({rows}) r WHERE lane = $1 AND uuid_hash_extended(id, 1) & 63 = $2

-- name: every.first
-- The first that break a rule, and one more than are shown.
SELECT subject, words FROM ({rows}) r LIMIT 21
