-- name: batches_to_send
SELECT b.batch_id, b.lane, b.rail, b.nostro, b.currency, b.requested_date, b.sealed_at, b.payments_count, b.amount_minor
FROM batches b
WHERE b.sealed_at IS NOT NULL AND b.submitted_at IS NULL AND b.refused_at IS NULL AND b.payments_count > 0
  AND NOT EXISTS (SELECT FROM bank_file_batches f WHERE f.batch_id = b.batch_id)
ORDER BY b.rail, b.nostro, b.currency, b.requested_date, b.lane, b.sequence;

-- name: late_batches
-- Open although their cut-off has passed, or although a person asked their lane to close.
SELECT b.rail, b.nostro, b.currency, b.requested_date FROM batches b
WHERE b.sealed_at IS NULL
  AND (b.cut_off_at <= $1
       OR EXISTS (SELECT FROM requests r WHERE r.lane = b.lane AND r.kind = 'close_cut_off' AND r.handled_at IS NULL));

-- name: payments_of_batches
-- The payments that a file carries: fixed once its batches are sealed, whatever became of them since.
SELECT b.lane, m.batch_id, m.payment_id, m.amount_minor, m.end_to_end_id, m.instruction
FROM batch_members m JOIN batches b USING (batch_id)
WHERE m.batch_id = ANY($1::uuid[])
ORDER BY b.lane, b.sequence, m.accepted_offset, m.payment_id;

-- name: known_debits
-- Debits that their lanes have booked already, under the same reference: told again they would change nothing.
SELECT w.place
FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::bigint[], $5::text[])
     AS w (place, payment_id, bank_reference, amount_minor, currency)
JOIN settlements s ON s.payment_id = w.payment_id AND s.bank_reference = w.bank_reference
     AND s.amount_minor = w.amount_minor
JOIN payments p ON p.payment_id = s.payment_id
JOIN batches b ON b.batch_id = p.batch_id AND b.currency = w.currency;

-- name: claim_file
INSERT INTO bank_files (file_id, rail, nostro, currency, requested_date, message_id, file_name, created_at, sha256,
                        payments_count, amount_minor, claimed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: claim_batches
INSERT INTO bank_file_batches (file_id, batch_id, lane) SELECT $1, batch_id, lane
FROM unnest($2::uuid[], $3::integer[]) AS c (batch_id, lane);

-- name: undelivered_files
SELECT f.file_id, f.rail, f.nostro, f.currency, f.requested_date, f.message_id, f.file_name, f.created_at, f.sha256,
       count(a.attempt)::integer AS attempts,
       coalesce((array_agg(a.state ORDER BY a.attempt DESC))[1], '') AS state,
       max(a.started_at) AS last_started_at,
       max(a.delivering_at) FILTER (WHERE a.state <> 'not_sent') AS last_delivering_at
FROM bank_files f LEFT JOIN attempts a USING (file_id)
WHERE f.submitted_at IS NULL AND f.refused_at IS NULL
GROUP BY f.file_id ORDER BY f.claimed_at, f.file_id;

-- name: silent_file
-- The submitted file to ask for at $1: one whose round is under way or due. $2 is the silence after which the
-- first round is due and after which, once a statement is taken, lanes have handled it. `whole`: no batch has a
-- status, and no enquiry told the file's rejection. Never asked for goes first, then the one that waits longest.
-- A round that ended after $1 did so by a clock that ran ahead: nobody knows how long ago, and it is due.
SELECT f.file_id, f.message_id, f.file_name, f.asked_to, coalesce(s.at > f.submitted_at, false) AS stated,
       f.asked_to IS NULL
       AND NOT EXISTS (SELECT FROM bank_messages m WHERE m.name = 'enquiry/' || f.message_id)
       AND NOT EXISTS (SELECT FROM bank_file_batches c JOIN batch_statuses b USING (batch_id)
                       WHERE c.file_id = f.file_id) AS whole
FROM bank_files f
CROSS JOIN (SELECT max(m.finished_at) AS at FROM bank_messages m
            WHERE m.kind = 'camt.053' AND m.finished_at <= $1::timestamptz - $2::interval) s
WHERE f.submitted_at <= $1::timestamptz - $2::interval AND f.refused_at IS NULL AND f.answered_at IS NULL
  AND (f.asked_to IS NOT NULL
       OR f.asked_at IS NULL
       OR f.asked_at > $1::timestamptz
       OR f.asked_at + least(f.asked_at - f.submitted_at, interval '1 day') <= $1::timestamptz
       OR f.asked_at < s.at + $2::interval)
ORDER BY f.asked_at NULLS FIRST, f.submitted_at, f.file_id LIMIT 1;

-- name: silent_payments
-- Open payments of a file after the payment $2, batch by batch as they were accepted: those whose batch has no status,
-- where $3 all of them. A step looks up what it returns and what is answered in between, however large the file.
WITH reached AS (
    SELECT c.batch_id, p.accepted_offset
    FROM payments p
    CROSS JOIN LATERAL (SELECT p.batch_id UNION ALL
                        SELECT m.batch_id FROM batch_memberships m WHERE m.payment_id = p.payment_id) i
    JOIN bank_file_batches c ON c.batch_id = i.batch_id AND c.file_id = $1
    WHERE p.payment_id = $2
)
SELECT c.lane, c.batch_id, m.payment_id, m.end_to_end_id
FROM (SELECT c.lane, c.batch_id, CASE WHEN r.batch_id = c.batch_id THEN r.accepted_offset ELSE -1 END AS reached
      FROM bank_file_batches c JOIN batches b USING (batch_id) LEFT JOIN reached r ON true
      WHERE c.file_id = $1 AND b.has_open AND (r.batch_id IS NULL OR c.batch_id >= r.batch_id)
        AND ($3::boolean OR NOT EXISTS (SELECT FROM batch_statuses s WHERE s.batch_id = c.batch_id))
      ORDER BY c.batch_id) c
CROSS JOIN LATERAL (
    (SELECT p.payment_id, p.end_to_end_id, p.accepted_offset FROM payments p
     WHERE p.batch_id = c.batch_id AND p.accepted_offset > c.reached
       AND NOT coalesce((SELECT true FROM settlements s WHERE s.payment_id = p.payment_id),
                        (SELECT true FROM rejections j WHERE j.payment_id = p.payment_id), false)
     ORDER BY p.accepted_offset LIMIT $4)
    UNION ALL
    (SELECT p.payment_id, p.end_to_end_id, p.accepted_offset FROM batch_memberships n JOIN payments p USING (payment_id)
     WHERE n.batch_id = c.batch_id AND p.accepted_offset > c.reached
       AND NOT coalesce((SELECT true FROM settlements s WHERE s.payment_id = p.payment_id),
                        (SELECT true FROM rejections j WHERE j.payment_id = p.payment_id), false)
     ORDER BY p.accepted_offset LIMIT $4)
) m
ORDER BY c.batch_id, m.accepted_offset LIMIT $4;

-- name: go_on_asking
UPDATE bank_files SET asked_to = $2 WHERE file_id = $1;

-- name: end_asking
-- Ends a round; where no payment of the file is open any more, it was the last.
UPDATE bank_files f SET asked_to = NULL, asked_at = $2,
    answered_at = CASE WHEN EXISTS (SELECT FROM bank_file_batches c JOIN batches b USING (batch_id)
                                    WHERE c.file_id = $1 AND b.has_open) THEN NULL ELSE $2::timestamptz END
WHERE f.file_id = $1;

-- name: batches_of_file
SELECT c.batch_id, c.lane FROM bank_file_batches c WHERE c.file_id = $1 ORDER BY c.lane, c.batch_id;

-- name: file_of_message
-- One that was found after a restore may have been delivered more than once.
SELECT f.file_id, f.rail, f.nostro, f.message_id, f.file_name, f.submitted_at IS NOT NULL AS submitted,
       f.refused_at IS NOT NULL AS refused,
       CASE WHEN f.found_at IS NOT NULL THEN 2
            ELSE (SELECT count(*) FROM attempts a WHERE a.file_id = f.file_id AND a.delivering_at IS NOT NULL)
       END AS deliveries
FROM bank_files f WHERE f.message_id = $1;

-- name: start_attempt
INSERT INTO attempts (file_id, attempt, state, started_at) VALUES ($1, $2, 'sending', $3);

-- name: mark_delivering
UPDATE attempts SET state = 'delivering', delivering_at = $3
WHERE file_id = $1 AND attempt = $2 AND state = 'sending' RETURNING attempt;

-- name: end_attempt
UPDATE attempts SET state = $3, ended_at = $4, detail = $5 WHERE file_id = $1 AND attempt = $2;

-- name: submit_file
-- What another life had claimed it may have delivered too, and more than once.
UPDATE bank_files SET submitted_at = $2,
    found_at = CASE WHEN claimed_at <= (SELECT restored_at FROM cluster) THEN $2::timestamptz END
WHERE file_id = $1 AND submitted_at IS NULL AND refused_at IS NULL
RETURNING nostro, message_id, file_name;

-- name: submit_last_attempt
UPDATE attempts SET state = 'submitted', ended_at = $2
WHERE file_id = $1 AND state <> 'submitted'
  AND attempt = (SELECT max(attempt) FROM attempts WHERE file_id = $1 AND delivering_at IS NOT NULL);

-- name: forget_deliveries
-- The bank told a person that it never had the file: its "not found" counts from now on. That they may have
-- delivered stays on record, for the person or the bank may err, and then the first copy stands.
UPDATE attempts SET state = 'not_sent' WHERE file_id = $1;

-- name: refuse_file
UPDATE bank_files SET refused_at = $2, refusal = $3 WHERE file_id = $1 AND refused_at IS NULL RETURNING file_id;

-- name: gateway_requests
SELECT request_id, payload FROM requests WHERE handled_at IS NULL AND lane = -1 AND kind = 'resolve_unknown'
ORDER BY request_id;

-- name: known_messages
SELECT name, finished_at IS NOT NULL AS finished, position FROM bank_messages WHERE name = ANY($1::text[]);

-- name: message_of_content
SELECT name FROM bank_messages WHERE sha256 = $1 AND name <> $2 ORDER BY taken_at LIMIT 1;

-- name: take_message
INSERT INTO bank_messages (name, sha256, kind, taken_at, position, finished_at, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, position = excluded.position,
    finished_at = excluded.finished_at, outcome = excluded.outcome;
