-- The auditor's own reading of the three databases: `every.` of each, the rest of one service.
-- name: every.cluster
SELECT incarnation, partitions FROM cluster
-- name: every.lanes
SELECT lane, incarnation, offsets, started_above, watermarks, destinations, acknowledged, outbox_seq,
       published_seq, stopped_reason FROM lanes
-- name: every.outbox
SELECT lane, outbox_seq, topics, events, frame FROM outbox
-- name: every.parked
SELECT lane, topic, source_partition, source_offset, key, value, amount_minor, currency, poison, fault FROM parked
-- name: ingestion.accounts
SELECT account, lane, currency, state FROM accounts
-- name: ingestion.account_requests
SELECT client, idempotency_key, lane FROM account_requests
-- name: ingestion.payments
SELECT payment_id, lane, client, idempotency_key, debtor_account, amount_minor, currency, rail, state, reason_code,
       source_offset, event_seq FROM payments
-- name: ingestion.refunds
SELECT payment_id, lane, amount_minor, currency, cause, credited_account, source_seq, source_offset, event_seq
FROM refunds
-- name: ingestion.refused_records
SELECT topic, lane, source_offset, reason_code FROM refused_records
-- name: ingestion.postings
SELECT lane, entry_id, debit_account, credit_account, amount_minor, currency, kind FROM postings
-- name: ingestion.balances
SELECT lane, account, currency, balance_minor FROM balances
-- name: settlement.payments
SELECT payment_id, lane, batch_id, amount_minor, account, accepted_seq, accepted_offset FROM payments
-- name: settlement.batches
SELECT batch_id, lane, open_payments, open_minor FROM batches
-- name: settlement.batch_memberships
SELECT payment_id, place, batch_id FROM batch_memberships
-- name: settlement.settlements
SELECT payment_id, lane, amount_minor, event_seq FROM settlements
-- name: settlement.rejections
SELECT payment_id, lane, amount_minor, event_seq FROM rejections
-- name: settlement.returns
SELECT payment_id, lane, amount_minor, charges_minor, event_seq FROM returns
-- name: settlement.contradictions
SELECT payment_id, lane, amount_minor, currency, nostro, kind, event_seq FROM contradictions
-- name: settlement.nostros
SELECT nostro, lane, currency, opening_minor FROM nostros
-- name: settlement.bank_files
SELECT message_id, sha256, payments_count, amount_minor FROM bank_files
-- name: settlement.postings
SELECT lane, entry_id, debit_account, credit_account, amount_minor, currency, kind FROM postings
-- name: settlement.balances
SELECT lane, account, currency, balance_minor FROM balances
-- name: reconciliation.expected_items
SELECT lane, payment_id, side, amount_minor, currency, state, settled_on, statement_id, line_number, match_kind
FROM expected_items
-- name: reconciliation.statement_lines
SELECT lane, statement_id, line_number, payment_id, amount_minor, currency, state FROM statement_lines
-- name: reconciliation.statements
SELECT lane, statement_id, nostro, currency, statement_number, bank_statement_id, opening_minor, closing_minor
FROM statements
-- name: reconciliation.breaks
SELECT lane, break_id, about, reason, amount_minor, currency, payment_id, statement_id, detail, resolved_at
FROM breaks
