-- name: life
SELECT incarnation FROM cluster;

-- name: restore_under_way
-- None before the first restore of this database, and once the last is released.
SELECT c.incarnation, c.restored_at, r.folders_read_at, r.asked_to
FROM cluster c LEFT JOIN restores r USING (incarnation)
WHERE c.restored_at IS NOT NULL AND r.released_at IS NULL;

-- name: found_of_payments
-- The batches that files at the bank carry these payments in, in the order of the files.
SELECT p.payment_id, b.batch_id, b.lane, f.rail, f.nostro, f.currency, f.requested_date, b.sequence, f.created_at,
       true AS sealed, false AS submitted, false AS refused
FROM found_payments p JOIN found_batches b USING (batch_id) JOIN found_files f USING (message_id)
WHERE p.payment_id = ANY($1::uuid[]) ORDER BY f.file_id;

-- name: found_of_lanes
SELECT b.batch_id, b.lane, f.rail, f.nostro, f.currency, f.requested_date, b.sequence, f.created_at,
       true AS sealed, false AS submitted, false AS refused
FROM found_batches b JOIN found_files f USING (message_id)
WHERE b.lane = ANY($1::integer[]) AND f.adopted_at IS NULL;

-- name: withdraw_answered
-- Members that the bank answered for while their batch was open: the file carries it without them. OFFSET 0 and scalar
-- selects keep it to these batches: else the planner makes joins of them that read whole tables, at every poll.
INSERT INTO batch_withdrawals (batch_id, payment_id, lane, withdrawn_at)
SELECT f.batch_id, m.payment_id, f.lane, $2
FROM found_batches f JOIN batches b USING (batch_id)
CROSS JOIN LATERAL (SELECT payment_id FROM batch_members WHERE batch_id = f.batch_id OFFSET 0) m
WHERE f.lane = ANY($1::integer[]) AND b.sealed_at IS NULL
  AND NOT EXISTS (SELECT FROM found_payments c WHERE c.batch_id = f.batch_id AND c.payment_id = m.payment_id)
  AND coalesce((SELECT true FROM settlements s WHERE s.payment_id = m.payment_id),
               (SELECT true FROM rejections r WHERE r.payment_id = m.payment_id), false);

-- name: seal_found
-- Found batches whose payments are all there and no others, and whether they add up to what the file carries. OFFSET 0:
-- as in `withdraw_answered`.
WITH whole AS (
    SELECT b.batch_id, f.amount_minor AS carried_minor, count(*) AS payments_count,
           sum(m.amount_minor)::bigint AS amount_minor, min(m.accepted_offset) AS first_offset,
           max(m.accepted_offset) AS last_offset
    FROM found_batches f JOIN batches b USING (batch_id)
    CROSS JOIN LATERAL (SELECT * FROM batch_members WHERE batch_id = f.batch_id OFFSET 0) m
    LEFT JOIN found_payments c ON c.batch_id = f.batch_id AND c.payment_id = m.payment_id
    WHERE f.lane = ANY($1::integer[]) AND b.sealed_at IS NULL
    GROUP BY b.batch_id, f.batch_id
    HAVING count(*) = f.payments_count AND count(c.payment_id) = f.payments_count
)
UPDATE batches b SET sealed_at = $2, payments_count = w.payments_count, amount_minor = w.amount_minor,
    first_offset = w.first_offset, last_offset = w.last_offset
FROM whole w WHERE b.batch_id = w.batch_id
RETURNING b.batch_id, w.amount_minor = w.carried_minor AS agrees;

-- name: told
SELECT lane, event_seq, kind, payment_id, reference FROM told
WHERE payment_id = ANY($1::uuid[]) AND lane = ANY($2::integer[]) ORDER BY lane, event_seq DESC;

-- name: told_seqs
SELECT event_seq FROM told WHERE lane = $1 AND event_seq = ANY($2::bigint[]);

-- name: adopt_forwards
INSERT INTO noted_reports (booking_key, source, identity, lane, effect, payment_id, noted_at)
SELECT w.booking_key, w.source, w.identity, $5, 'forwarded', w.payment_id, $6
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS w (booking_key, source, identity, payment_id)
ON CONFLICT DO NOTHING;

-- name: forget_told
DELETE FROM told t USING unnest($1::integer[], $2::bigint[]) AS w (lane, event_seq)
WHERE t.lane = w.lane AND t.event_seq = w.event_seq;

-- name: tell_of_file
INSERT INTO found_files (message_id, file_name)
SELECT w.message_id, w.file_name FROM unnest($1::text[], $2::text[]) AS w (message_id, file_name)
WHERE NOT EXISTS (SELECT FROM bank_files f WHERE f.message_id = w.message_id)
ON CONFLICT DO NOTHING;

-- name: submit_told_files
-- Files that the backup was about to send: they went out, and the lanes were told. How often is not known.
UPDATE bank_files SET submitted_at = $2, found_at = $2
WHERE message_id = ANY($1::text[]) AND submitted_at IS NULL AND refused_at IS NULL;

-- name: unknown_file
-- Of files by name one whose content the database does not know.
SELECT w.name FROM unnest($1::text[]) AS w (name)
WHERE NOT EXISTS (SELECT FROM bank_files f WHERE f.file_name = w.name)
  AND NOT EXISTS (SELECT FROM found_files f WHERE f.file_name = w.name AND f.sha256 IS NOT NULL)
ORDER BY w.name LIMIT 1;

-- name: note_found_file
INSERT INTO found_files (message_id, file_name, file_id, rail, nostro, currency, requested_date, created_at, sha256,
                         payments_count, amount_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (message_id) DO UPDATE SET file_id = excluded.file_id, rail = excluded.rail, nostro = excluded.nostro,
    currency = excluded.currency, requested_date = excluded.requested_date, created_at = excluded.created_at,
    sha256 = excluded.sha256, payments_count = excluded.payments_count, amount_minor = excluded.amount_minor;

-- name: note_folders_read
INSERT INTO restores (incarnation, folders_read_at) VALUES ($1, $2);

-- name: adoptable_file
-- A found file whose batches are all sealed, as it carries them: its payments are where they were when it went out.
SELECT f.message_id, f.file_id,
       bool_and((b.payments_count, b.amount_minor) = (g.payments_count, g.amount_minor)) AS agrees
FROM found_files f JOIN found_batches g USING (message_id) LEFT JOIN batches b USING (batch_id)
WHERE f.adopted_at IS NULL
GROUP BY f.message_id HAVING bool_and(b.sealed_at IS NOT NULL)
ORDER BY f.file_id LIMIT 1;

-- name: adopt_file
WITH adopted AS (
    UPDATE found_files SET adopted_at = $2 WHERE message_id = $1 RETURNING *
), file AS (
    INSERT INTO bank_files (file_id, rail, nostro, currency, requested_date, message_id, file_name, created_at, sha256,
                            payments_count, amount_minor, claimed_at, found_at)
    SELECT file_id, rail, nostro, currency, requested_date, message_id, file_name, created_at, sha256,
           payments_count, amount_minor, created_at, $2
    FROM adopted RETURNING file_id
)
INSERT INTO bank_file_batches (file_id, batch_id, lane)
SELECT a.file_id, g.batch_id, g.lane FROM file JOIN adopted a USING (file_id) JOIN found_batches g USING (message_id);

-- name: unfound_file
-- A file that went out, by our own word, and is not in the bank's folders.
SELECT message_id FROM found_files WHERE sha256 IS NULL ORDER BY message_id LIMIT 1;

-- name: file_not_whole
-- A found file whose payments have not all come again, with how many have.
SELECT f.message_id, f.payments_count,
       (SELECT count(*) FROM batch_members m WHERE m.batch_id = ANY (
            ARRAY(SELECT g.batch_id FROM found_batches g WHERE g.message_id = f.message_id))) AS there
FROM found_files f WHERE f.adopted_at IS NULL AND f.sha256 IS NOT NULL ORDER BY f.file_id LIMIT 1;

-- name: lanes_behind
-- Lanes that have not adopted its own events, or not handled again what stood on its topics then.
SELECT l.lane FROM lanes l
WHERE l.lane >= 0
  AND (l.restored_at IS NOT NULL
       OR EXISTS (SELECT FROM jsonb_each_text(l.catch_up) e WHERE (l.offsets->>e.key)::bigint < e.value::bigint))
ORDER BY l.lane;

-- name: catch_ups
SELECT lane, catch_up FROM lanes WHERE lane = ANY($1::integer[]) AND catch_up <> '{}';

-- name: payment_elsewhere
-- A payment whose last found file carries it in another batch than its own, which was not refused: it would go
-- out a second time.
SELECT s.payment_id
FROM (SELECT DISTINCT ON (p.payment_id) p.payment_id, p.batch_id
      FROM found_payments p JOIN found_batches USING (batch_id) JOIN found_files f USING (message_id)
      ORDER BY p.payment_id, f.file_id DESC) last
JOIN payment_standings s USING (payment_id) JOIN batches b ON b.batch_id = last.batch_id
WHERE s.batch_id <> last.batch_id AND b.refused_at IS NULL AND s.debit_source IS NULL AND NOT s.rejected
ORDER BY s.payment_id LIMIT 1;

-- name: payments_to_ask_for
-- Payments up to where `payments` ($1) ended at the restore that would go out, after $2, by id.
SELECT p.payment_id, p.lane FROM payment_standings p JOIN lanes l USING (lane)
WHERE p.payment_id > $2 AND p.accepted_offset < (l.catch_up->>$1)::bigint
  AND p.debit_source IS NULL AND NOT p.rejected
  AND NOT EXISTS (SELECT FROM bank_file_batches c JOIN bank_files f USING (file_id)
                  WHERE c.batch_id = p.batch_id AND f.submitted_at IS NOT NULL)
ORDER BY p.payment_id LIMIT $3;

-- name: go_on_asking_for_payments
UPDATE restores SET asked_to = $2 WHERE incarnation = $1 AND released_at IS NULL;

-- name: release
UPDATE restores SET released_at = $2 WHERE incarnation = $1 AND released_at IS NULL;

-- name: refused_files
-- By the bank's answer, or as the lanes were told before the restore.
SELECT f.message_id FROM bank_files f
WHERE f.message_id = ANY($1::text[])
  AND (f.refused_at IS NOT NULL
       OR NOT EXISTS (SELECT FROM bank_file_batches c JOIN batches b USING (batch_id)
                      WHERE c.file_id = f.file_id AND b.refused_at IS NULL));
