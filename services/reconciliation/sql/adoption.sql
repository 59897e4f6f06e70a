-- name: put_told
INSERT INTO told (lane, kind, id, number, event_seq, destination, body)
SELECT * FROM unnest($1::int[], $2::text[], $3::uuid[], $4::int[], $5::bigint[], $6::int[], $7::bytea[])
ON CONFLICT (lane, kind, id, number) DO UPDATE
SET event_seq = excluded.event_seq, destination = excluded.destination, body = excluded.body
WHERE excluded.event_seq >= told.event_seq;

-- name: adopt_reconciled
UPDATE statements s SET reconciled_at = n.reconciled_at
FROM unnest($1::int[], $2::uuid[], $3::timestamptz[]) AS n(lane, statement_id, reconciled_at)
WHERE s.lane = n.lane AND s.statement_id = n.statement_id AND s.reconciled_at IS NULL;

-- name: lanes_catching_up
-- Those that have yet to read the topics $2 to where they ended when the lane adopted, or to settle what it had told.
SELECT lane FROM lanes l
WHERE lane = ANY($1::int[])
  AND (EXISTS (SELECT FROM told t WHERE t.lane = l.lane)
       OR EXISTS (SELECT FROM unnest($2::text[]) AS q(topic)
                  WHERE (l.offsets ->> topic)::bigint < (l.catch_up ->> topic)::bigint));

-- name: caught_up
-- Those that have read the topics $2 to where they ended, and have yet to settle what they had told.
SELECT lane FROM lanes l
WHERE lane = ANY($1::int[]) AND EXISTS (SELECT FROM told t WHERE t.lane = l.lane)
  AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS q(topic)
                  WHERE (l.offsets ->> topic)::bigint < (l.catch_up ->> topic)::bigint);

-- name: lanes_behind
-- Those that have yet to adopt their own events, or to read the topic $1 to where it ended then. Of lanes $2, whose
-- rows this transaction has moved on, what begins at the offsets $3 counts as not read.
SELECT l.lane FROM lanes l LEFT JOIN unnest($2::int[], $3::bigint[]) AS q(lane, first) USING (lane)
WHERE l.lane >= 0
  AND (l.restored_at IS NOT NULL
       OR coalesce(q.first, (l.offsets ->> $1)::bigint) < (l.catch_up ->> $1)::bigint);

-- name: told_reconciled
SELECT lane, id, body FROM told WHERE lane = ANY($1::int[]) AND kind = 'reconciled' AND event_seq > 0;

-- name: told_owners
-- Of lines by (lane, statement id, line number) whose they were told to be.
SELECT t.lane, t.id, t.number, t.destination, t.body
FROM unnest($1::int[], $2::uuid[], $3::int[]) AS q(lane, id, number) JOIN told t USING (lane, id, number)
WHERE t.kind = 'owner';

-- name: told_matches
SELECT t.lane, t.id, t.number, t.body
FROM unnest($1::int[], $2::uuid[]) AS q(lane, id) JOIN told t USING (lane, id)
WHERE t.kind = 'matched' AND t.event_seq > 0;

-- name: note_untold
-- What is concluded now, and told only if it is true in the end.
INSERT INTO told (lane, kind, id, number, event_seq, destination, body)
SELECT n.lane, n.kind, n.id, n.number, -1, n.lane, ''
FROM unnest($1::int[], $2::text[], $3::uuid[], $4::int[]) AS n(lane, kind, id, number)
ON CONFLICT DO NOTHING;

-- name: owned_lines_in_breaks
-- Lines in a break of which was told whose they are: what comes of that is due.
SELECT l.lane, l.statement_id, l.line_number
FROM told t
JOIN statement_lines l ON l.lane = t.lane AND l.statement_id = t.id AND l.line_number = t.number
WHERE t.lane = ANY($1::int[]) AND t.kind = 'owner' AND l.state = 2
  AND l.payment_id = '00000000-0000-0000-0000-000000000000' AND l.batch_id = '00000000-0000-0000-0000-000000000000';

-- name: note_break_as_told
-- How a break stands for those who listen, before this lane, catching up, changes its row: 0 of one that the backup
-- has, -1 of one that nobody was ever told of.
INSERT INTO told (lane, kind, id, number, event_seq, destination, body)
SELECT n.lane, n.kind, n.id, 0, CASE WHEN b.break_id IS NULL THEN -1 ELSE 0 END, n.lane, ''
FROM unnest($1::int[], $2::text[], $3::uuid[]) AS n(lane, kind, id)
LEFT JOIN breaks b ON b.lane = n.lane AND b.break_id = n.id
WHERE NOT EXISTS (SELECT FROM told t WHERE t.lane = n.lane AND t.kind IN ('opened', 'resolved') AND t.id = n.id);

-- name: told_breaks
SELECT lane, kind, id, event_seq, body FROM told
WHERE lane = ANY($1::int[]) AND kind IN ('opened', 'resolved') ORDER BY lane, id;

-- name: breaks_by_id
SELECT b.* FROM unnest($1::int[], $2::uuid[]) AS q(lane, break_id) JOIN breaks b USING (lane, break_id);

-- name: told_matches_left
-- Matches that were told and not found again, or not told so far (without body), of items that are matched.
SELECT t.lane, t.id, t.number, t.body FROM told t
JOIN expected_items i ON i.lane = t.lane AND i.payment_id = t.id AND i.side = t.number
WHERE t.lane = ANY($1::int[]) AND t.kind = 'matched' AND i.state = 1;

-- name: statements_to_reconcile
-- Of those that were to be told once all is read again: which are reconciled then.
SELECT s.* FROM told t JOIN statements s ON s.lane = t.lane AND s.statement_id = t.id
WHERE t.lane = ANY($1::int[]) AND t.kind = 'reconciled' AND t.event_seq < 0
  AND s.reconciled_at IS NULL
  AND NOT EXISTS (SELECT FROM breaks b
                  WHERE b.lane = s.lane AND b.statement_id = s.statement_id AND b.about = 'statement'
                    AND b.resolved_at IS NULL)
ORDER BY s.to_date, s.statement_id;

-- name: put_breaks_as_told
INSERT INTO breaks (lane, break_id, about, reason, amount_minor, currency, nostro, payment_id, batch_id,
                    statement_id, line_number, bank_reference, detail, opened_at, resolved_at, resolution)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (lane, break_id) DO UPDATE
SET opened_at = excluded.opened_at, resolved_at = excluded.resolved_at, resolution = excluded.resolution;

-- name: drop_breaks
DELETE FROM breaks b USING unnest($1::int[], $2::uuid[]) AS n(lane, break_id)
WHERE b.lane = n.lane AND b.break_id = n.break_id;

-- name: forget_matches
DELETE FROM told t USING unnest($1::int[], $2::uuid[], $3::int[]) AS n(lane, id, number)
WHERE t.lane = n.lane AND t.kind = 'matched' AND t.id = n.id AND t.number = n.number;

-- name: forget_told
DELETE FROM told WHERE lane = ANY($1::int[]);

-- name: finish_told_statements
-- Done are statements of which every lane was told the end, and headers ($1) that go out alone.
UPDATE taken_statements s SET position = CASE WHEN held_back THEN 0 ELSE lines END, done_at = $2
WHERE done_at IS NULL
  AND (held_back AND statement_id = ANY($1::uuid[])
       OR (SELECT count(*) FROM told t WHERE t.lane = s.lane AND t.kind = 'closed' AND t.id = s.statement_id)
          = (SELECT partitions FROM cluster));

-- name: forget_closed
DELETE FROM told t USING taken_statements s
WHERE t.lane = s.lane AND t.kind = 'closed' AND t.id = s.statement_id AND s.done_at IS NOT NULL;

-- name: statements_without_file
SELECT statement_id, nostro, statement_number, bank_statement_id, to_date FROM taken_statements
WHERE done_at IS NULL AND file_name = '' ORDER BY to_date, statement_id;
