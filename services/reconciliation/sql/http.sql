-- name: money_by_state
-- Expected and not matched (debits, returns), open breaks, outbox, parked; unsigned. `expected` is as old as the
-- oldest batch with anything open: batches are read, not their items.
SELECT 'expected' AS state, currency, (-sum(open_debit_minor))::bigint AS amount_minor,
       sum(open_debits)::bigint AS count, min(opened_at) AS oldest
FROM batches WHERE open_debits > 0 GROUP BY currency
UNION ALL
SELECT 'return_expected', currency, sum(open_credit_minor)::bigint, sum(open_credits)::bigint, min(opened_at)
FROM batches WHERE open_credits > 0 GROUP BY currency
UNION ALL
SELECT 'break_' || about, currency, sum(abs(amount_minor))::bigint, count(*), min(opened_at)
FROM breaks WHERE resolved_at IS NULL GROUP BY about, currency
UNION ALL
-- A match's amount follows its two ids; its sign says which of the payment's movements it explains.
-- By LATERAL each is looked up: a join reads all items where the planner takes the unpublished for many.
SELECT 'outbox', i.currency, sum(abs(i.amount_minor))::bigint, count(*), min(e.decided_at)
FROM lanes l JOIN outbox_events e ON e.lane = l.lane AND e.outbox_seq > l.published_seq
CROSS JOIN LATERAL (SELECT currency, amount_minor FROM expected_items
                    WHERE lane = e.lane AND payment_id = encode(substring(e.body FROM 6 FOR 16), 'hex')::uuid
                      AND side = sign(frame_integer(e.body, 37, 8)) LIMIT 1) i
WHERE e.event_type = 'PaymentMatched' GROUP BY i.currency
UNION ALL
SELECT 'parked', currency, sum(amount_minor)::bigint, count(*), min(parked_at) FROM parked
WHERE amount_minor IS NOT NULL GROUP BY currency;

-- name: list_statements
SELECT statement_id, nostro, currency, statement_number, bank_statement_id, from_date, to_date, opening_minor,
       closing_minor, lines_sum_minor, lines_count, opened_at, reconciled_at, corrects
FROM statements ORDER BY to_date DESC, nostro, statement_id DESC LIMIT $1;

-- name: list_breaks
SELECT break_id, lane, about, reason, amount_minor, currency, nostro, payment_id, statement_id, line_number,
       detail, opened_at, resolved_at, resolution
FROM breaks WHERE $2 OR resolved_at IS NULL ORDER BY opened_at DESC, break_id LIMIT $1;
