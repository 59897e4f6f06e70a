-- name: expected_sums
-- What our books expect of statements, by lane, with the last of settlement's events that opened an item.
-- unmatched and settled: settlement has booked it and no statement shows it yet.
SELECT lane, nostro, currency, max(opened_seq) AS last_opened_seq, count(*) AS items,
       sum(amount_minor)::bigint AS expected_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 1), 0)::bigint AS matched_minor,
       count(*) FILTER (WHERE state = 1) AS matched,
       coalesce(sum(amount_minor) FILTER (WHERE state = 2), 0)::bigint AS cancelled_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 0), 0)::bigint AS open_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 0 AND (side = 1 OR settled_on IS NOT NULL)), 0)::bigint
           AS settled_unmatched_minor,
       coalesce(sum(amount_minor) FILTER (WHERE state = 1 AND side = -1 AND settled_on IS NULL), 0)::bigint
           AS matched_unsettled_minor
FROM expected_items
GROUP BY lane, nostro, currency ORDER BY lane, nostro, currency;

-- name: expected_up_to
-- The items of one lane opened by settlement's events up to a seq, inclusive.
SELECT nostro, currency, side, count(*) AS items, sum(amount_minor)::bigint AS amount_minor
FROM expected_items WHERE lane = $1 AND opened_seq <= $2
GROUP BY nostro, currency, side ORDER BY nostro, currency, side;

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

-- name: unmatched_lines
SELECT lane, statement_id, line_number, payment_id, amount_minor, currency, nostro, end_to_end_id, bank_reference,
       booking_date, state, break_id
FROM statement_lines WHERE state IN (0, 2)
ORDER BY lane, statement_id, line_number;

-- name: unmatched_items
-- Through the open batches, so that a long history of matched items is not read.
SELECT i.lane, i.payment_id, i.side, i.batch_id, i.amount_minor, i.currency, i.nostro, i.account, i.opened_at,
       i.settled_on
FROM batches b JOIN expected_items i ON i.lane = b.lane AND i.batch_id = b.batch_id
 AND i.nostro = b.nostro AND i.currency = b.currency
WHERE (b.open_debits > 0 OR b.open_credits > 0) AND i.state = 0
ORDER BY i.lane, i.payment_id, i.side;

-- name: open_breaks
-- Signed: what the bank shows and our books do not. Those about a line or an item weigh on the nostro; a
-- contradiction is in settlement's suspense already, a statement's own break moves no payment.
SELECT lane, break_id, about, reason, amount_minor, currency, nostro, payment_id, batch_id, statement_id,
       line_number, bank_reference, detail, opened_at
FROM breaks WHERE resolved_at IS NULL
ORDER BY nostro, lane, opened_at, break_id;

-- name: last_closings
-- The last statement of each account by its day: its closing balance in the bank's sign.
SELECT DISTINCT ON (nostro, currency) nostro, currency, lane, statement_id, statement_number, from_date, to_date,
       opening_minor, closing_minor, lines_sum_minor, lines_count, reconciled_at
FROM statements WHERE corrects IS NULL
ORDER BY nostro, currency, to_date DESC, from_date DESC,
         (CASE WHEN statement_number ~ '^[0-9]+$' THEN statement_number::numeric ELSE 0 END) DESC;

-- name: first_openings
-- The balance that each account had before the first statement that was taken.
SELECT DISTINCT ON (nostro, currency) nostro, currency, opening_minor, from_date
FROM statements WHERE corrects IS NULL
ORDER BY nostro, currency, to_date, from_date,
         (CASE WHEN statement_number ~ '^[0-9]+$' THEN statement_number::numeric ELSE 0 END);

-- name: differences
-- What must be empty: sums that are kept twice and do not agree, by the rule that they break.
SELECT 'a line and what it explains' AS rule, l.lane, l.nostro, l.currency, l.amount_minor,
       coalesce(sum(i.amount_minor), 0)::bigint AS other_minor
FROM statement_lines l LEFT JOIN expected_items i
  ON i.lane = l.lane AND i.statement_id = l.statement_id AND i.line_number = l.line_number AND i.state = 1
WHERE l.state = 1
GROUP BY l.lane, l.statement_id, l.line_number, l.nostro, l.currency, l.amount_minor
HAVING l.amount_minor IS DISTINCT FROM sum(i.amount_minor)
UNION ALL
SELECT 'a line and its open break', l.lane, l.nostro, l.currency, l.amount_minor, coalesce(b.amount_minor, 0)
FROM statement_lines l LEFT JOIN breaks b ON b.lane = l.lane AND b.break_id = l.break_id AND b.resolved_at IS NULL
WHERE l.state = 2 AND b.amount_minor IS DISTINCT FROM l.amount_minor
UNION ALL
SELECT 'a batch and its open items', coalesce(b.lane, i.lane), coalesce(b.nostro, i.nostro),
       coalesce(b.currency, i.currency), coalesce(b.minor, 0), coalesce(i.minor, 0)
FROM (SELECT lane, batch_id, nostro, currency, open_debit_minor + open_credit_minor AS minor FROM batches) b
FULL JOIN (SELECT lane, batch_id, nostro, currency, sum(amount_minor)::bigint AS minor
           FROM expected_items WHERE state = 0 GROUP BY lane, batch_id, nostro, currency) i
  USING (lane, batch_id, nostro, currency)
WHERE coalesce(b.minor, 0) <> coalesce(i.minor, 0);

-- name: read_control_totals
SELECT lane, topic, total_partition, producer, producer_lane, event_type, currency, count, amount_minor, last_seq,
       last_offset, computed_at
FROM control_totals ORDER BY topic, total_partition, producer, producer_lane, event_type, currency;

-- name: payment_timeline
-- The steps of a payment ($1) in order. A step stands on topic/lane at record_offset, or is the event seq of
-- producer there; reconciliation has no ledger, so nothing is posted.
SELECT at, step, producer, topic, lane, seq, NULL::bigint AS record_offset, NULL::json AS posting, detail FROM (
    SELECT 1 AS place, opened_at AS at, CASE side WHEN -1 THEN 'debit expected' ELSE 'credit expected' END AS step,
           'settlement' AS producer, 'settlement-notifications' AS topic, lane, opened_seq AS seq, '' AS detail
    FROM expected_items WHERE payment_id = $1
    UNION ALL
    SELECT 2, l.received_at, CASE l.state WHEN 0 THEN 'statement line waits'
                                          WHEN 1 THEN 'matched with a statement line, by ' || l.found_by
                                          WHEN 2 THEN 'statement line in a break'
                                          ELSE 'statement line handed to its lane' END,
           '', 'bank-statements', l.lane, NULL, 'line ' || l.line_number || ' of statement ' || l.statement_id
    FROM statement_lines l WHERE l.payment_id = $1
    UNION ALL
    SELECT 3, l.received_at, 'matched with its batch''s statement line', '', 'bank-statements', l.lane, NULL,
           'line ' || l.line_number || ' of statement ' || l.statement_id
    FROM expected_items i JOIN statement_lines l USING (lane, statement_id, line_number)
    WHERE i.payment_id = $1 AND i.match_kind = 'batch_total'
    UNION ALL
    SELECT 4, opened_at, 'break opened: ' || reason, '', 'reconciliation', lane, NULL, detail
    FROM breaks WHERE payment_id = $1
    UNION ALL
    SELECT 5, resolved_at, 'break resolved: ' || reason, '', 'reconciliation', lane, NULL, resolution
    FROM breaks WHERE payment_id = $1 AND resolved_at IS NOT NULL
) steps ORDER BY at, place;

-- name: payments_of_end_to_end_id
SELECT DISTINCT payment_id FROM expected_items
WHERE end_to_end_id = $1 AND end_to_end_id NOT IN ('', 'NOTPROVIDED')
ORDER BY payment_id LIMIT 100;
