-- name: items_of_payments
SELECT i.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, payment_id) JOIN expected_items i USING (lane, payment_id);

-- name: payments_of_batches
SELECT i.lane, i.payment_id
FROM unnest($1::int[], $2::uuid[]) AS q(lane, batch_id) JOIN expected_items i USING (lane, batch_id)
WHERE i.side = -1;

-- name: unexplained_lines_of_payments
SELECT l.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, payment_id) JOIN statement_lines l USING (lane, payment_id)
WHERE l.state IN (0, 2);

-- name: lines_at
SELECT l.* FROM unnest($1::int[], $2::uuid[], $3::int[]) AS q(lane, statement_id, line_number)
JOIN statement_lines l USING (lane, statement_id, line_number);

-- name: unexplained_lines_of_statements
SELECT l.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, statement_id) JOIN statement_lines l USING (lane, statement_id)
WHERE l.state IN (0, 2);

-- name: stray_lines_of_entries
SELECT l.* FROM unnest($1::int[], $2::text[]) AS q(lane, bank_reference) JOIN statement_lines l USING (lane, bank_reference)
WHERE l.state IN (0, 2) AND l.payment_id = '00000000-0000-0000-0000-000000000000'
  AND l.batch_id = '00000000-0000-0000-0000-000000000000';

-- name: lines_of_batches
SELECT l.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, batch_id) JOIN statement_lines l USING (lane, batch_id)
WHERE l.payment_id = '00000000-0000-0000-0000-000000000000';

-- name: batches_booked_as_a_sum
SELECT DISTINCT b.lane, b.batch_id
FROM unnest($1::int[], $2::uuid[]) AS q(lane, batch_id) JOIN batches b USING (lane, batch_id)
WHERE b.total_lines > 0;

-- name: breaks_of_payments
SELECT b.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, payment_id) JOIN breaks b USING (lane, payment_id);

-- name: breaks_of_batches
SELECT b.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, batch_id) JOIN breaks b USING (lane, batch_id)
WHERE b.payment_id = '00000000-0000-0000-0000-000000000000' AND b.about = 'line';

-- name: breaks_of_lines
SELECT b.* FROM unnest($1::int[], $2::uuid[], $3::int[]) AS q(lane, statement_id, line_number)
JOIN breaks b USING (lane, statement_id, line_number)
WHERE b.about = 'line';

-- name: breaks_of_statements
SELECT b.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, statement_id) JOIN breaks b USING (lane, statement_id)
WHERE b.about = 'statement';

-- name: contradictions_of_entries
SELECT b.* FROM breaks b
WHERE b.lane = ANY($1::int[]) AND b.payment_id = '00000000-0000-0000-0000-000000000000'
  AND b.about = 'contradiction' AND b.bank_reference = ANY($2::text[]);

-- name: candidates
-- Reads the items of all lanes: a line with nothing but an EndToEndId may belong to any. Where none is open, one
-- that was cancelled: settlement's finding about a debit after its rejection lies in its lane. One of which a match
-- was told before a restore is open no more, though its lane has yet to find that again. A line that another lane has
-- from this one is that lane's: read anew, it may stand there before it is handed over.
WITH q AS (SELECT * FROM unnest($1::int[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::text[])
                         AS q(lane, statement_id, line_number, nostro, end_to_end_id, amount_minor, currency)),
handed_over AS (
    SELECT q.lane AS nostro_lane, q.statement_id, q.line_number, l.lane, l.payment_id
    FROM q CROSS JOIN lanes b
    JOIN statement_lines l ON l.lane = b.lane AND l.statement_id = q.statement_id AND l.line_number = q.line_number
    WHERE l.handed_over_from = q.lane)
SELECT nostro_lane, statement_id, line_number, lane, payment_id FROM handed_over
UNION ALL
SELECT nostro_lane, statement_id, line_number, lane, payment_id
FROM (SELECT q.lane AS nostro_lane, q.statement_id, q.line_number, i.lane, i.payment_id, i.state,
             min(i.state) OVER (PARTITION BY q.lane, q.statement_id, q.line_number) AS first_state
      FROM q
      JOIN expected_items i ON i.end_to_end_id = q.end_to_end_id AND i.nostro = q.nostro
       AND i.amount_minor = q.amount_minor AND i.currency = q.currency AND i.state IN (0, 2)
      WHERE q.end_to_end_id NOT IN ('', 'NOTPROVIDED') AND i.end_to_end_id NOT IN ('', 'NOTPROVIDED')
        AND NOT EXISTS (SELECT FROM told t
                        WHERE t.lane = i.lane AND t.kind = 'matched' AND t.id = i.payment_id AND t.number = i.side
                          AND t.event_seq > 0)
        AND NOT EXISTS (SELECT FROM handed_over h
                        WHERE (h.nostro_lane, h.statement_id, h.line_number) = (q.lane, q.statement_id, q.line_number))
     ) found
WHERE state = first_state;

-- name: lines_with_a_candidate
-- One open item or, where none is, one that was cancelled: whichever of line and rejection comes first. None while a
-- lane has yet to adopt its own events, or to read the topic $2 to where it ended then.
SELECT l.lane, l.statement_id, l.line_number
FROM statement_lines l
JOIN expected_items i ON i.end_to_end_id = l.end_to_end_id AND i.nostro = l.nostro
 AND i.amount_minor = l.amount_minor AND i.currency = l.currency AND i.state IN (0, 2)
WHERE l.lane = ANY($1::int[]) AND l.state = 2 AND l.payment_id = '00000000-0000-0000-0000-000000000000'
  AND l.batch_id = '00000000-0000-0000-0000-000000000000'
  AND l.end_to_end_id NOT IN ('', 'NOTPROVIDED') AND i.end_to_end_id NOT IN ('', 'NOTPROVIDED')
  AND NOT EXISTS (SELECT FROM told t
                  WHERE t.lane = i.lane AND t.kind = 'matched' AND t.id = i.payment_id AND t.number = i.side
                    AND t.event_seq > 0)
  AND NOT EXISTS (SELECT FROM lanes b
                  WHERE b.lane >= 0 AND (b.restored_at IS NOT NULL
                                         OR (b.offsets ->> $2)::bigint < (b.catch_up ->> $2)::bigint))
GROUP BY l.lane, l.statement_id, l.line_number
HAVING CASE WHEN count(*) FILTER (WHERE i.state = 0) > 0 THEN count(*) FILTER (WHERE i.state = 0) ELSE count(*) END = 1
LIMIT 1000;

-- name: lines_that_others_have
-- Lines of nobody that another lane has from theirs: of lanes read anew, where each is read in its own order.
SELECT l.lane, l.statement_id, l.line_number
FROM statement_lines l CROSS JOIN lanes b
JOIN statement_lines o ON o.lane = b.lane AND o.statement_id = l.statement_id AND o.line_number = l.line_number
WHERE l.lane = ANY($1::int[]) AND l.state = 2 AND l.payment_id = '00000000-0000-0000-0000-000000000000'
  AND l.batch_id = '00000000-0000-0000-0000-000000000000' AND o.handed_over_from = l.lane
LIMIT 1000;

-- name: payments_to_miss
-- Debits and returns booked on a day which a statement now covers, and that no line has explained.
SELECT i.lane, i.payment_id
FROM unnest($1::int[], $2::text[], $3::date[]) AS q(lane, nostro, to_date)
JOIN batches b ON b.lane = q.lane AND b.nostro = q.nostro AND (b.open_debits > 0 OR b.open_credits > 0)
JOIN expected_items i ON i.lane = b.lane AND i.batch_id = b.batch_id
WHERE i.nostro = q.nostro AND i.state = 0 AND i.settled_on <= q.to_date;

-- name: shares
SELECT s.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, statement_id) JOIN statement_shares s USING (lane, statement_id);

-- name: covered_to
-- By steps along the index, from one nostro of a lane to the next: every poll asks, and shares are kept for years.
WITH RECURSIVE covered AS (
    SELECT l.lane, s.nostro, s.to_date
    FROM unnest($1::int[]) AS l(lane)
    CROSS JOIN LATERAL (SELECT nostro, to_date FROM statement_shares WHERE lane = l.lane
                        ORDER BY nostro DESC, to_date DESC LIMIT 1) s
    UNION ALL
    SELECT c.lane, s.nostro, s.to_date
    FROM covered c
    CROSS JOIN LATERAL (SELECT nostro, to_date FROM statement_shares WHERE lane = c.lane AND nostro < c.nostro
                        ORDER BY nostro DESC, to_date DESC LIMIT 1) s
)
SELECT lane, nostro, to_date FROM covered;

-- name: received_of_statements
SELECT q.lane, q.statement_id, l.lines, l.sum_minor
FROM unnest($1::int[], $2::uuid[]) AS q(lane, statement_id)
CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(amount_minor)::bigint AS sum_minor FROM statement_lines
                    WHERE lane = q.lane AND statement_id = q.statement_id AND handed_over_from IS NULL) l
WHERE l.lines > 0;

-- name: chains
-- From the last day before the first new statement on: enough to judge it and what follows it.
SELECT s.* FROM unnest($1::int[], $2::text[], $3::text[], $4::date[]) AS q(lane, nostro, currency, to_date)
JOIN statements s ON s.lane = q.lane AND s.nostro = q.nostro AND s.currency = q.currency
 AND s.to_date >= coalesce((SELECT max(p.to_date) FROM statements p
                            WHERE p.lane = q.lane AND p.nostro = q.nostro AND p.currency = q.currency
                              AND p.to_date < q.to_date), q.to_date);

-- name: known_statements
SELECT s.lane, s.statement_id
FROM unnest($1::int[], $2::uuid[]) AS q(lane, statement_id) JOIN statements s USING (lane, statement_id);

-- name: statements_named
-- Statements of the same year that a new one could be a correction of.
SELECT s.* FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS q(lane, nostro, statement_number, bank_statement_id)
JOIN statements s ON s.lane = q.lane AND s.nostro = q.nostro
 AND ((s.statement_number <> '' AND s.statement_number = q.statement_number)
      OR (s.bank_statement_id <> '' AND s.bank_statement_id = q.bank_statement_id));
