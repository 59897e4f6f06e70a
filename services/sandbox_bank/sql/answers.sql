-- name: next_answer
SELECT coalesce(max(id), 0) + 1 FROM answers

-- name: add_answer
INSERT INTO answers (id, kind, name, message_id, content_of, file, group_status, reason_code, account, currency,
                     booking, day, from_transfer, to_transfer, number, opening_minor, closing_minor, created_at,
                     state, due_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: tell
INSERT INTO told (answer, payment, reason_code) VALUES (?, ?, ?)

-- name: damage_line
INSERT INTO damaged_lines (answer, entry, damage) VALUES (?, ?, ?)

-- name: answers_due
SELECT id, kind, name, message_id, content_of, file, group_status, reason_code, account, currency, booking, day,
       from_transfer, to_transfer, number, opening_minor, closing_minor, created_at
FROM answers WHERE state = 'due' AND due_at <= ? ORDER BY id

-- name: next_due
SELECT min(due_at) FROM answers WHERE state = 'due'

-- name: release_held_answers
UPDATE answers SET state = 'due' WHERE state = 'at_advance'

-- name: answer_written
UPDATE answers SET state = 'written', sha256 = ? WHERE id = ? AND state = 'due'

-- name: told_transactions
SELECT t.reason_code, p.id, p.payment_information_id, p.instruction_id, p.end_to_end_id, p.amount_minor,
       p.currency, p.debtor_account, p.creditor_account, p.creditor_agent, p.creditor_name, p.remittance,
       p.return_code, p.echoes_end_to_end_only, f.message_id
FROM told t JOIN payments p ON p.id = t.payment JOIN files f ON f.id = p.file WHERE t.answer = ? ORDER BY p.id

-- name: damages
SELECT entry, damage FROM damaged_lines WHERE answer = ?

-- name: booked_transactions
SELECT t.entry, t.kind, t.credit_account = :account, t.amount_minor, t.currency, t.booked_on, p.id,
       p.payment_information_id, p.instruction_id, p.end_to_end_id, p.amount_minor, p.currency,
       p.debtor_account, p.creditor_account, p.creditor_agent, p.creditor_name, p.remittance, p.return_code,
       p.echoes_end_to_end_only, f.message_id
FROM transfers t LEFT JOIN payments p ON p.id = t.payment LEFT JOIN files f ON f.id = p.file
WHERE t.id BETWEEN :from_transfer AND :to_transfer AND t.currency = :currency AND (t.debit_account = :account OR t.credit_account = :account)
ORDER BY t.id

-- name: moved
SELECT coalesce(sum(CASE WHEN t.credit_account = :account THEN t.amount_minor ELSE -t.amount_minor END), 0)
FROM transfers t
WHERE t.id BETWEEN :from_transfer AND :to_transfer AND t.currency = :currency AND (t.debit_account = :account OR t.credit_account = :account)

-- name: entries_to_damage
SELECT t.entry, max(CASE WHEN p.instruction_id = '' THEN p.end_to_end_id ELSE p.instruction_id END)
FROM transfers t JOIN payments p ON p.id = t.payment
WHERE t.id BETWEEN :from_transfer AND :to_transfer AND t.currency = :currency AND (t.debit_account = :account OR t.credit_account = :account)
GROUP BY t.entry ORDER BY t.entry

-- name: statements
SELECT name, message_id, account, currency, day, number, opening_minor, closing_minor, state
FROM answers WHERE kind = 'camt.053' ORDER BY id

-- name: last_statement
SELECT coalesce(max(id), 0) FROM answers WHERE kind = 'camt.053'

-- name: statements_after
SELECT name FROM answers WHERE kind = 'camt.053' AND id > ? AND state = 'written' ORDER BY id
