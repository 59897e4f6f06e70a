-- name: expected_sums
-- Per lane and account what settlement said has moved, in the bank's sign; of it what no statement shows yet
-- (unmatched), and what a statement shows that settlement has not said (unsettled, in no amount_minor).
SELECT lane, nostro, currency,
       coalesce(sum(amount_minor) FILTER (WHERE side = 1 OR settled_on IS NOT NULL), 0)::bigint AS amount_minor,
       coalesce(sum(('x' || left(md5(payment_id || ' ' || amount_minor), 15))::bit(60)::bigint)
                FILTER (WHERE side = 1 OR settled_on IS NOT NULL), 0) AS fingerprint,
       coalesce(sum(amount_minor) FILTER (WHERE state = 0 AND (side = 1 OR settled_on IS NOT NULL)), 0)::bigint
           AS settled_unmatched_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 1 AND side = -1 AND settled_on IS NULL), 0)::bigint
           AS matched_unsettled_minor
FROM expected_items
GROUP BY lane, nostro, currency ORDER BY lane, nostro, currency;

-- name: proof_known_payments
-- The movements behind it, to name a difference ($1 lane; $2: all are of settlement's events up to the snapshot's).
SELECT payment_id, currency, amount_minor FROM expected_items
WHERE lane = $1 AND $2::bigint IS NOT NULL AND (side = 1 OR settled_on IS NOT NULL);

-- name: line_sums
-- Statement lines by what became of them. A line handed over counts in the lane that has it now; one that
-- was handed over and has not come yet shows as a difference of the two handed-over sums.
SELECT lane, nostro, currency, count(*) AS lines,
       coalesce(sum(amount_minor) FILTER (WHERE handed_over_from IS NULL), 0)::bigint AS from_reader_minor,
       coalesce(sum(amount_minor) FILTER (WHERE handed_over_from IS NOT NULL), 0)::bigint AS handed_in_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 3), 0)::bigint AS handed_out_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 0), 0)::bigint AS waiting_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 1), 0)::bigint AS matched_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 2), 0)::bigint AS broken_minor
FROM statement_lines
GROUP BY lane, nostro, currency ORDER BY lane, nostro, currency;

-- name: open_breaks
-- Signed: what the bank shows and our books do not. Those about a line or an item weigh on the nostro; a
-- contradiction is in settlement's suspense already, a statement's own break moves no payment.
SELECT lane, break_id, about, reason, amount_minor, currency, nostro, payment_id, batch_id, statement_id,
       line_number, bank_reference, detail, opened_at
FROM breaks WHERE resolved_at IS NULL
ORDER BY nostro, lane, opened_at, break_id;

-- name: last_closings
-- The last statement of each account in the order of its chain: its closing balance in the bank's sign.
SELECT DISTINCT ON (nostro, currency) nostro, currency, lane, statement_id, statement_number, from_date, to_date,
       opening_minor, closing_minor, lines_sum_minor, lines_count, reconciled_at
FROM statements WHERE corrects IS NULL
ORDER BY nostro, currency, to_date DESC, from_date DESC,
         (CASE WHEN statement_number ~ '^[0-9]+$' THEN statement_number::numeric ELSE 0 END) DESC,
         bank_statement_id COLLATE "C" DESC;

-- name: differences
-- What must be empty: sums that are kept twice and do not agree, by the rule that they break.
SELECT 'a line and what it explains' AS rule, l.lane, l.payment_id, l.statement_id, l.currency, l.amount_minor,
       coalesce(sum(i.amount_minor), 0)::bigint AS other_minor
FROM statement_lines l LEFT JOIN expected_items i
  ON i.lane = l.lane AND i.statement_id = l.statement_id AND i.line_number = l.line_number AND i.state = 1
 AND i.nostro = l.nostro AND i.currency = l.currency
 AND (i.payment_id = l.payment_id OR i.match_kind = 'batch_total' AND i.batch_id = l.batch_id)
WHERE l.state = 1
GROUP BY l.lane, l.statement_id, l.line_number
HAVING l.amount_minor IS DISTINCT FROM sum(i.amount_minor)
UNION ALL
SELECT 'a matched item and its line', i.lane, i.payment_id, i.statement_id, i.currency, i.amount_minor, 0
FROM expected_items i
WHERE i.state = 1 AND NOT EXISTS (
    SELECT FROM statement_lines l
    WHERE l.lane = i.lane AND l.statement_id = i.statement_id AND l.line_number = i.line_number AND l.state = 1)
UNION ALL
SELECT 'a line and its open break', l.lane, l.payment_id, l.statement_id, l.currency, l.amount_minor,
       coalesce(b.amount_minor, 0)
FROM statement_lines l LEFT JOIN breaks b ON b.lane = l.lane AND b.break_id = l.break_id AND b.resolved_at IS NULL
WHERE l.state = 2 AND b.amount_minor IS DISTINCT FROM l.amount_minor
UNION ALL
SELECT 'a settled item that no statement shows and its open break', i.lane, i.payment_id, NULL, i.currency,
       i.amount_minor, -coalesce(b.amount_minor, 0)
FROM (SELECT lane, nostro, max(to_date) AS to_date FROM statement_shares GROUP BY lane, nostro) c
JOIN batches o ON o.lane = c.lane AND o.nostro = c.nostro AND (o.open_debits > 0 OR o.open_credits > 0)
JOIN expected_items i ON i.lane = o.lane AND i.batch_id = o.batch_id AND i.nostro = o.nostro
 AND i.currency = o.currency
LEFT JOIN breaks b ON b.lane = i.lane AND b.payment_id = i.payment_id AND b.reason = 'missing_line'
 AND b.resolved_at IS NULL AND sign(b.amount_minor) = -i.side
WHERE i.state = 0 AND i.settled_on <= c.to_date AND b.amount_minor IS DISTINCT FROM -i.amount_minor
UNION ALL
SELECT 'a batch and its open items', coalesce(b.lane, i.lane), NULL, NULL, coalesce(b.currency, i.currency),
       coalesce(b.minor, 0), coalesce(i.minor, 0)
FROM (SELECT lane, batch_id, nostro, currency, open_debit_minor + open_credit_minor AS minor FROM batches) b
FULL JOIN (SELECT lane, batch_id, nostro, currency, sum(amount_minor)::bigint AS minor
           FROM expected_items WHERE state = 0 GROUP BY lane, batch_id, nostro, currency) i
  USING (lane, batch_id, nostro, currency)
WHERE coalesce(b.minor, 0) <> coalesce(i.minor, 0)
UNION ALL
-- Once a lane was told that a statement is all sent, its lines are there, or a break says what is missing.
SELECT 'what a lane was sent of a statement and its lines', s.lane, NULL, s.statement_id, s.currency,
       s.lane_sum_minor, coalesce(l.minor, 0)
FROM statement_shares s
LEFT JOIN (SELECT lane, statement_id, count(*) AS lines, sum(amount_minor)::bigint AS minor
           FROM statement_lines WHERE handed_over_from IS NULL GROUP BY lane, statement_id) l
  USING (lane, statement_id)
LEFT JOIN breaks b ON b.lane = s.lane AND b.statement_id = s.statement_id AND b.reason = 'lines_missing'
 AND b.resolved_at IS NULL
WHERE (s.lane_lines, s.lane_sum_minor) IS DISTINCT FROM (coalesce(l.lines, 0), coalesce(l.minor, 0))
  AND b.amount_minor IS DISTINCT FROM s.lane_sum_minor - coalesce(l.minor, 0)
UNION ALL
SELECT 'a statement and what all lanes were sent of it', -1, NULL, s.statement_id, s.currency,
       coalesce(h.lines_sum_minor, 0), s.minor
FROM (SELECT statement_id, min(currency) AS currency, sum(lane_lines) AS lines,
             sum(lane_sum_minor)::bigint AS minor
      FROM statement_shares GROUP BY statement_id
      HAVING count(*) = (SELECT partitions FROM cluster)) s
LEFT JOIN statements h USING (statement_id)
WHERE (h.lines_count, h.lines_sum_minor) IS DISTINCT FROM (s.lines, s.minor)
UNION ALL
SELECT v.rule, c.lane, NULL, c.statement_id, c.currency, v.minor, v.explained
FROM (SELECT lane, statement_id, currency, closing_minor - opening_minor - lines_sum_minor AS lines,
             coalesce(opening_minor - lag(closing_minor) OVER (
                 PARTITION BY lane, nostro, currency
                 ORDER BY to_date, from_date,
                          CASE WHEN statement_number ~ '^[0-9]+$' THEN statement_number::numeric ELSE 0 END,
                          bank_statement_id COLLATE "C"), 0) AS opens
      FROM statements WHERE corrects IS NULL) c
LEFT JOIN (SELECT lane, statement_id,
                  coalesce(sum(amount_minor) FILTER (WHERE reason = 'sum_differs'), 0)::bigint AS lines,
                  coalesce(sum(amount_minor) FILTER (WHERE reason IN ('opening_differs', 'statement_gap')), 0)::bigint
                      AS opens
           FROM breaks WHERE about = 'statement' AND resolved_at IS NULL GROUP BY lane, statement_id) b
  USING (lane, statement_id)
CROSS JOIN LATERAL (VALUES
    ('a statement''s balances, its lines and the open break', c.lines, coalesce(b.lines, 0)),
    ('a statement''s opening, the last closing and the open break', c.opens, coalesce(b.opens, 0))
) v (rule, minor, explained)
WHERE v.minor <> v.explained;

-- name: read_control_totals
SELECT lane, topic, total_partition, producer, producer_lane, event_type, currency, count, amount_minor, last_seq,
       last_offset, computed_at, extract(epoch FROM now() - computed_at) AS seconds
FROM control_totals ORDER BY topic, total_partition, producer, producer_lane, event_type, currency;

-- name: payment_timeline
-- The steps of a payment ($1) in order. A step stands on topic/lane at record_offset, or is the event seq of
-- producer there, or is known by what its event says (StatementLine: statement and line, breaks: their id).
-- Reconciliation has no ledger, so nothing is posted.
SELECT at, step, producer, topic, lane, seq, NULL::bigint AS record_offset, event, NULL::json AS posting, detail FROM (
    SELECT 1 AS place, opened_at AS at, CASE side WHEN -1 THEN 'debit expected' ELSE 'credit expected' END AS step,
           'settlement' AS producer, 'settlement-notifications' AS topic, lane, opened_seq AS seq,
           '' AS event, '' AS detail
    FROM expected_items WHERE payment_id = $1
    UNION ALL
    SELECT 2, l.received_at, CASE l.state WHEN 0 THEN 'statement line waits'
                                          WHEN 1 THEN 'matched with a statement line, by ' || l.found_by
                                          WHEN 2 THEN 'statement line in a break'
                                          ELSE 'statement line handed to its lane' END,
           '', 'bank-statements', l.lane, NULL, concat_ws('/', 'StatementLine', l.statement_id, l.line_number),
           'line ' || l.line_number || ' of statement ' || l.statement_id
    FROM statement_lines l WHERE l.payment_id = $1
    UNION ALL
    SELECT 3, l.received_at, 'matched with its batch''s statement line', '', 'bank-statements', l.lane, NULL,
           concat_ws('/', 'StatementLine', l.statement_id, l.line_number),
           'line ' || l.line_number || ' of statement ' || l.statement_id
    FROM expected_items i JOIN statement_lines l USING (lane, statement_id, line_number)
    WHERE i.payment_id = $1 AND i.match_kind = 'batch_total'
    UNION ALL
    SELECT 4, opened_at, 'break opened: ' || reason, '', 'reconciliation', lane, NULL,
           concat_ws('/', 'BreakOpened', break_id), detail
    FROM breaks WHERE payment_id = $1
    UNION ALL
    SELECT 5, resolved_at, 'break resolved: ' || reason, '', 'reconciliation', lane, NULL,
           concat_ws('/', 'BreakResolved', break_id), resolution
    FROM breaks WHERE payment_id = $1 AND resolved_at IS NOT NULL
) steps ORDER BY at, place;
