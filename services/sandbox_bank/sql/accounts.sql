-- name: held_accounts
SELECT account, currency, balance_minor FROM accounts WHERE held = 1

-- name: account
SELECT currency, name, opened_with, balance_minor, transfers, statements
FROM accounts WHERE account = ? AND held = 1

-- name: open_account
INSERT INTO accounts (account, currency, name, held, opened_with, balance_minor, transfers, statements,
                      stated_transfer, stated_minor)
VALUES (?, ?, ?, 1, ?, 0, 0, 0, 0, ?)
ON CONFLICT (account, currency) DO UPDATE
SET held = 1, name = excluded.name, opened_with = excluded.opened_with,
    stated_minor = accounts.balance_minor + excluded.stated_minor

-- name: cover_transfers
UPDATE accounts SET stated_transfer = ? WHERE account = ? AND currency = ?

-- name: move_balance
INSERT INTO accounts (account, currency, name, held, opened_with, balance_minor, transfers, statements,
                      stated_transfer, stated_minor)
VALUES (?, ?, ?, 0, 0, ?, ?, 0, 0, 0)
ON CONFLICT (account, currency) DO UPDATE
SET balance_minor = balance_minor + excluded.balance_minor, transfers = transfers + excluded.transfers

-- name: add_transfer
INSERT INTO transfers (id, entry, payment, kind, debit_account, credit_account, amount_minor, currency, booked_on)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: accounts_to_state
SELECT account, currency, balance_minor, statements, stated_transfer, stated_minor
FROM accounts WHERE held = 1 ORDER BY account, currency

-- name: state_account
UPDATE accounts SET statements = ?, stated_transfer = ?, stated_minor = ? WHERE account = ? AND currency = ?
