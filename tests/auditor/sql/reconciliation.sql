-- The auditor's own reading of reconciliation at rest. Rows that are compared as sets: id, lane, minor, and the rest.

-- name: reconciliation.known
SELECT payment_id AS id, lane, amount_minor AS minor FROM expected_items WHERE side = 1 OR settled_on IS NOT NULL

-- name: reconciliation.debits
SELECT payment_id AS id, lane, amount_minor AS minor, currency, nostro, account, end_to_end_id
FROM expected_items WHERE side = -1

-- name: reconciliation.cancelled
SELECT payment_id AS id, lane, amount_minor AS minor FROM expected_items WHERE state = 2

-- name: reconciliation.unmatched
-- What moved is on a line, and a debit that did not is cancelled.
SELECT payment_id::text AS subject,
       format('%s %s, %s: %s', amount_minor, currency,
              CASE WHEN side = 1 THEN 'returned' WHEN settled_on IS NULL THEN 'not settled' ELSE 'settled' END,
              (ARRAY['on no line', 'on a line', 'cancelled'])[state + 1]) AS words
FROM expected_items
WHERE state <> CASE WHEN side = 1 OR settled_on IS NOT NULL THEN 1 ELSE 2 END

-- name: reconciliation.matched
SELECT payment_id AS id, lane, amount_minor AS minor, currency, nostro, statement_id, line_number
FROM expected_items WHERE state = 1 AND match_kind <> 'batch_total'

-- name: reconciliation.explained
SELECT payment_id AS id, lane, amount_minor AS minor, currency, nostro, statement_id, line_number
FROM statement_lines WHERE state = 1 AND payment_id <> '00000000-0000-0000-0000-000000000000'

-- name: reconciliation.wrong_totals
SELECT format('lane %s line %s of %s', coalesce(l.lane, i.lane), coalesce(l.line_number, i.line_number),
              coalesce(l.statement_id, i.statement_id)) AS subject,
       format('says %s, what it explains makes %s', coalesce(l.amount_minor, 0), coalesce(i.minor, 0)) AS words
FROM (SELECT lane, statement_id, line_number, amount_minor FROM statement_lines
      WHERE state = 1 AND payment_id = '00000000-0000-0000-0000-000000000000') l
FULL JOIN (SELECT lane, statement_id, line_number, sum(amount_minor) AS minor FROM expected_items
           WHERE state = 1 AND match_kind = 'batch_total' GROUP BY lane, statement_id, line_number) i
  ON (i.lane, i.statement_id, i.line_number) = (l.lane, l.statement_id, l.line_number)
WHERE l.amount_minor IS DISTINCT FROM i.minor

-- name: reconciliation.unexplained
SELECT CASE payment_id WHEN '00000000-0000-0000-0000-000000000000' THEN format('line %s of %s', line_number, statement_id)
                       ELSE payment_id::text END AS subject,
       format('%s %s %s', amount_minor, currency, CASE state WHEN 0 THEN 'waits' ELSE 'is in a break' END) AS words
FROM statement_lines WHERE state IN (0, 2)

-- name: reconciliation.handed_out
SELECT statement_id AS id, handed_over_to AS lane, amount_minor AS minor, line_number, lane AS from_lane, currency, nostro
FROM statement_lines WHERE state = 3

-- name: reconciliation.handed_in
SELECT statement_id AS id, lane, amount_minor AS minor, line_number, handed_over_from AS from_lane, currency, nostro
FROM statement_lines WHERE handed_over_from IS NOT NULL

-- name: reconciliation.open_breaks
SELECT CASE WHEN payment_id <> '00000000-0000-0000-0000-000000000000' THEN payment_id::text
            WHEN about = 'statement' THEN statement_id::text ELSE break_id::text END AS subject,
       format('%s %s %s', reason, amount_minor, currency) AS words
FROM breaks WHERE resolved_at IS NULL

-- name: reconciliation.wrong_shares
-- What each lane was sent of a statement is on its lines.
SELECT format('lane %s of %s', coalesce(s.lane, l.lane), coalesce(s.statement_id, l.statement_id)) AS subject,
       format('was sent %s lines of %s, has %s of %s', coalesce(s.lane_lines, 0), coalesce(s.lane_sum_minor, 0),
              coalesce(l.lines, 0), coalesce(l.minor, 0)) AS words
FROM statement_shares s
FULL JOIN (SELECT lane, statement_id, count(*) AS lines, sum(amount_minor) AS minor
           FROM statement_lines WHERE handed_over_from IS NULL GROUP BY lane, statement_id) l
  ON (l.lane, l.statement_id) = (s.lane, s.statement_id)
WHERE (coalesce(s.lane_lines, 0), coalesce(s.lane_sum_minor, 0)) IS DISTINCT FROM
      (coalesce(l.lines, 0), coalesce(l.minor, 0))

-- name: reconciliation.wrong_statements
SELECT coalesce(h.statement_id, s.statement_id)::text AS subject,
       format('from %s to %s, %s lines of %s; all lanes were sent %s of %s', h.opening_minor, h.closing_minor,
              h.lines_count, h.lines_sum_minor, coalesce(s.lines, 0), coalesce(s.minor, 0)) AS words
FROM statements h
FULL JOIN (SELECT statement_id, sum(lane_lines) AS lines, sum(lane_sum_minor) AS minor
           FROM statement_shares GROUP BY statement_id) s USING (statement_id)
WHERE h.corrects IS NULL
  AND ((h.lines_count, h.lines_sum_minor) IS DISTINCT FROM (coalesce(s.lines, 0), coalesce(s.minor, 0))
       OR h.closing_minor - h.opening_minor <> h.lines_sum_minor)

-- name: reconciliation.statements
SELECT statement_id, nostro, currency, bank_statement_id, statement_number, from_date, to_date, opening_minor,
       closing_minor
FROM statements WHERE corrects IS NULL

-- name: reconciliation.opened_numbers
SELECT lane, opened_seq FROM expected_items WHERE side = -1
