-- name: next_payment
SELECT coalesce(max(id), 0) + 1 FROM payments

-- name: add_payment
INSERT INTO payments (id, file, payment_information_id, instruction_id, end_to_end_id, amount_minor, currency,
                      execution_date, debtor_account, creditor_account, creditor_agent, creditor_name, remittance,
                      status, reason_code, reason, told_code, contradicted_later, return_code,
                      echoes_end_to_end_only)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: payments_due
SELECT id, file, payment_information_id, amount_minor, currency, debtor_account, creditor_account, told_code,
       contradicted_later
FROM payments WHERE status = 'pending' AND execution_date <= ?
ORDER BY file, debtor_account, currency, id

-- name: payments_to_return
SELECT id, file, payment_information_id, amount_minor, currency, creditor_account, debtor_account, told_code,
       contradicted_later
FROM payments WHERE return_code <> '' AND status = 'booked'
ORDER BY debtor_account, currency, id

-- name: set_status
UPDATE payments SET status = ? WHERE id = ?

-- name: refuse_payment
UPDATE payments SET status = 'rejected', reason_code = ?, reason = ? WHERE id = ?

-- name: payment_enquiry
SELECT p.status, p.instruction_id, p.end_to_end_id, p.payment_information_id, p.amount_minor, p.currency,
       p.reason_code, p.reason, p.execution_date, p.return_code, f.message_id, count(*) OVER () AS copies,
       (SELECT t.entry FROM transfers t WHERE t.payment = p.id AND t.kind = 'payment') AS entry,
       (SELECT t.booked_on FROM transfers t WHERE t.payment = p.id AND t.kind = 'payment') AS booked_on,
       (SELECT t.entry FROM transfers t WHERE t.payment = p.id AND t.kind = 'return') AS return_entry,
       (SELECT t.booked_on FROM transfers t WHERE t.payment = p.id AND t.kind = 'return') AS returned_on
FROM payments p JOIN files f ON f.id = p.file
WHERE p.instruction_id = ? ORDER BY p.id LIMIT 1

-- name: payment_informations_of_file
SELECT p.payment_information_id, count(*), count(t.payment), sum(p.execution_date > :day)
FROM payments p LEFT JOIN told t ON t.answer = :answer AND t.payment = p.id
WHERE p.file = :file GROUP BY p.payment_information_id HAVING min(p.echoes_end_to_end_only) = 0
ORDER BY min(p.id)
