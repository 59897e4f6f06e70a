-- name: statement_sums
-- The lines that the bank says its statements of an account have, all together.
SELECT nostro, currency, sum(lines_sum_minor)::bigint AS lines_minor, count(*) AS statements_count
FROM statements WHERE corrects IS NULL GROUP BY nostro, currency;

-- name: stated_days
-- The days of statements that every lane was told to be all sent, and whose own balances are in no break.
SELECT s.nostro, s.currency, s.from_date, s.to_date
FROM statements s
JOIN (SELECT statement_id FROM statement_shares GROUP BY statement_id
      HAVING count(*) = (SELECT partitions FROM cluster)) c USING (statement_id)
WHERE s.corrects IS NULL AND NOT EXISTS (
    SELECT FROM breaks b WHERE b.statement_id = s.statement_id AND b.about = 'statement' AND b.resolved_at IS NULL);

-- name: lines_not_settled
-- By amount, the lines that settlement explains by no payment: open or in a break, on their way from lane to lane,
-- or matched with a payment that is not settled.
SELECT nostro, currency, amount_minor, count(*) AS lines
FROM (SELECT nostro, currency, amount_minor FROM statement_lines WHERE state IN (0, 2)
      UNION ALL
      SELECT nostro, currency, amount_minor FROM statement_lines l
      WHERE state = 3 AND NOT EXISTS (
          SELECT FROM statement_lines i WHERE i.lane = l.handed_over_to AND i.statement_id = l.statement_id
          AND i.line_number = l.line_number)
      UNION ALL
      SELECT l.nostro, l.currency, l.amount_minor
      FROM (SELECT DISTINCT lane, statement_id, line_number FROM expected_items
            WHERE state = 1 AND side = -1 AND settled_on IS NULL) i
      JOIN statement_lines l USING (lane, statement_id, line_number)) found
GROUP BY nostro, currency, amount_minor;
