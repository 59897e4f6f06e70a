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

-- name: statements_before
-- The next $3 from before the day $1 and the id $2, the newest first.
SELECT statement_id, nostro, currency, statement_number, bank_statement_id, from_date, to_date, opening_minor,
       closing_minor, lines_sum_minor, lines_count, opened_at, reconciled_at, corrects
FROM statements WHERE (to_date, statement_id) < ($1::date, $2::uuid)
ORDER BY to_date DESC, statement_id DESC LIMIT $3;

-- name: breaks_before
-- The next $3 from before the instant $1 and the id $2, the newest first.
SELECT break_id, lane, about, reason, amount_minor, currency, nostro, payment_id, statement_id, line_number,
       detail, opened_at, resolved_at, resolution
FROM breaks WHERE (opened_at, break_id) < ($1::timestamptz, $2::uuid)
ORDER BY opened_at DESC, break_id DESC LIMIT $3;

-- name: unresolved_breaks_before
-- As `breaks_before`, of those that nobody has explained yet.
SELECT break_id, lane, about, reason, amount_minor, currency, nostro, payment_id, statement_id, line_number,
       detail, opened_at, resolved_at, resolution
FROM breaks WHERE resolved_at IS NULL AND (opened_at, break_id) < ($1::timestamptz, $2::uuid)
ORDER BY opened_at DESC, break_id DESC LIMIT $3;

-- name: hand_in
INSERT INTO handed_in_files (file_id, client, sha256, statements, content, received_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (sha256) DO NOTHING RETURNING file_id;

-- name: handed_in_before
SELECT file_id FROM handed_in_files WHERE sha256 = $1;

-- name: handed_in_file
-- With how far each of its statements was sent to the lanes: null where it was not begun.
SELECT f.file_id, f.client, f.received_at, f.taken_at, s.statement_id, t.position, t.lines, t.done_at
FROM handed_in_files f CROSS JOIN LATERAL unnest(f.statements) WITH ORDINALITY AS s (statement_id, place)
LEFT JOIN taken_statements t USING (statement_id)
WHERE f.file_id = $1 ORDER BY s.place;
