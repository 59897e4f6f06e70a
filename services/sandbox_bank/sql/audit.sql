-- name: book_bank
SELECT business_day, seed FROM bank

-- name: book_accounts
SELECT account, currency, name, held, opened_with, balance_minor, transfers, statements
FROM accounts ORDER BY account, currency

-- name: book_files
SELECT id, name, archive_name, sha256, size, message_id, standing, group_status, reason_code, reason,
       transactions, received_at
FROM files ORDER BY id

-- name: book_payments
SELECT id, file, payment_information_id, instruction_id, end_to_end_id, amount_minor, currency, execution_date,
       debtor_account, creditor_account, status, reason_code, told_code, contradicted_later, return_code,
       echoes_end_to_end_only
FROM payments ORDER BY id

-- name: book_transfers
SELECT id, entry, payment, kind, debit_account, credit_account, amount_minor, currency, booked_on
FROM transfers ORDER BY id

-- name: book_answers
SELECT id, kind, name, message_id, content_of, file, group_status, account, currency, day, from_transfer,
       to_transfer, number, opening_minor, closing_minor, state, sha256
FROM answers ORDER BY id

-- name: book_told
SELECT answer, payment, reason_code FROM told ORDER BY answer, payment

-- name: book_damaged_lines
SELECT answer, entry, damage FROM damaged_lines ORDER BY answer, entry

-- name: book_faults
SELECT id, kind, subject, detail, payment, day FROM faults ORDER BY id

-- name: count_payments
SELECT status, currency, count(*), sum(amount_minor) FROM payments GROUP BY status, currency
