-- name: load_balances
SELECT b.lane, b.account, b.currency, b.balance_minor
FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(lane, account, currency)
JOIN balances b USING (lane, account, currency);

-- name: move_balances
-- A poll names each balance once, and its lanes are fenced: nobody else can insert the row in between. Returns by how
-- much each row that is there now differs from the one that was there before the statement.
WITH moved(lane, account, currency, minor) AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[])
), kept AS (
    UPDATE balances b SET balance_minor = b.balance_minor + m.minor
    FROM moved m
    WHERE b.lane = m.lane AND b.account = m.account AND b.currency = m.currency
    RETURNING b.lane, b.account, b.currency, b.balance_minor
), opened AS (
    INSERT INTO balances (lane, account, currency, balance_minor)
    SELECT m.lane, m.account, m.currency, m.minor FROM moved m
    WHERE NOT EXISTS (
        SELECT FROM kept k WHERE k.lane = m.lane AND k.account = m.account AND k.currency = m.currency)
    RETURNING lane, account, currency, balance_minor
)
SELECT k.lane, k.account, k.currency, k.balance_minor - before.balance_minor AS moved_minor
FROM kept k JOIN balances before USING (lane, account, currency)
UNION ALL
SELECT lane, account, currency, balance_minor FROM opened;

-- name: ledger_differences
-- Every balance that is not the sum of its postings; no row is the proof.
WITH recomputed AS (
    SELECT lane, account, currency, sum(minor)::numeric AS minor
    FROM (
        SELECT lane, credit_account AS account, currency, amount_minor::numeric AS minor FROM postings
        UNION ALL
        SELECT lane, debit_account, currency, -amount_minor FROM postings
    ) AS sides
    GROUP BY lane, account, currency
)
SELECT lane, account, currency,
       coalesce(b.balance_minor, 0) AS balance_minor, coalesce(r.minor, 0) AS recomputed_minor
FROM recomputed r FULL JOIN balances b USING (lane, account, currency)
WHERE coalesce(b.balance_minor, 0) <> coalesce(r.minor, 0)
ORDER BY lane, account, currency;

-- name: ledger_sums
-- By lane and currency the balances add up to nothing: every debit is someone's credit.
SELECT lane, currency, sum(balance_minor) AS sum_minor
FROM balances GROUP BY lane, currency ORDER BY lane, currency;

-- name: moved_by_kind
SELECT lane, kind, currency, count(*) AS count, sum(amount_minor) AS amount_minor
FROM postings GROUP BY lane, kind, currency ORDER BY lane, kind, currency;

-- name: balances_of_account
SELECT lane, currency, balance_minor FROM balances WHERE account = $1 ORDER BY lane, currency;

-- name: balances_of_accounts_like
-- $1: a prefix such as 'transit-out:'; control accounts have a row a lane.
SELECT lane, account, currency, balance_minor
FROM balances WHERE starts_with(account, $1) ORDER BY lane, account, currency;

-- name: postings_of_entry
SELECT lane, entry_id, debit_account, credit_account, amount_minor, currency, kind, posted_at
FROM postings WHERE entry_id = $1 ORDER BY posted_at, kind;
