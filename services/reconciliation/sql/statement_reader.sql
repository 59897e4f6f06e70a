-- name: known_files
SELECT file_name, listed_as FROM statement_files WHERE file_name = ANY($1::text[]);

-- name: note_file
INSERT INTO statement_files (lane, file_name, sha256, found_at, problem, listed_as)
VALUES (-1, $1, $2, $3, $4, $5)
ON CONFLICT (file_name, sha256) DO UPDATE SET listed_as = excluded.listed_as;

-- name: note_part
INSERT INTO statement_file_parts (lane, file_name, sha256, part, content) VALUES (-1, $1, $2, $3, $4)
ON CONFLICT (file_name, sha256, part) DO NOTHING;

-- name: part_of_file
-- $4: the size of a part. A file that was found before parts were kept has its bytes in its row.
SELECT content FROM statement_file_parts WHERE file_name = $1 AND sha256 = $2 AND part = $3
UNION ALL
SELECT substring(content FROM $3::int * $4::int + 1 FOR $4::int) FROM statement_files
WHERE file_name = $1 AND sha256 = $2 AND octet_length(content) > $3::int * $4::int
LIMIT 1;

-- name: refused_files
-- Files of which nothing could be taken, unless another content of the name was since.
SELECT file_name, problem, found_at
FROM (SELECT DISTINCT ON (file_name) file_name, problem, found_at FROM statement_files
      ORDER BY file_name, found_at DESC, problem) latest
WHERE problem <> '' ORDER BY found_at, file_name;

-- name: statement_under_way
-- Of a file, corrections of what it says itself go last: the lanes take for the correction what comes later.
SELECT statement_id, file_name, sha256, position, held_back FROM taken_statements
WHERE done_at IS NULL AND file_name <> '' ORDER BY taken_at, held_back, to_date, statement_number, statement_id LIMIT 1;

-- name: take_statement
-- 1 where the statement is to be sent: it is new, or was adopted after a restore and waits for its file. One of a number (in its year) or an id that came before with other content
-- corrects it: of that the header alone is sent, since its lines would repeat those that were taken.
WITH taken AS (
    INSERT INTO taken_statements (lane, statement_id, file_name, sha256, nostro, statement_number, bank_statement_id,
                                  to_date, held_back, lines, ignored, position, taken_at, currency)
    SELECT -1, $1::uuid, $2::text, $3::bytea, $4::text, $5::text, $6::text, $7::date,
           EXISTS (SELECT FROM taken_statements t
                   WHERE t.nostro = $4 AND t.currency = $11 AND t.statement_id <> $1 AND NOT t.held_back
                   AND ((t.statement_number <> '' AND t.statement_number = $5
                         AND extract(year FROM t.to_date) = extract(year FROM $7::date))
                        OR (t.bank_statement_id <> '' AND t.bank_statement_id = $6))),
           $8::int, $9::int, 0, $10::timestamptz, $11::text
    ON CONFLICT (statement_id) DO UPDATE
    SET file_name = excluded.file_name, sha256 = excluded.sha256, ignored = excluded.ignored
    WHERE taken_statements.file_name = '' AND taken_statements.done_at IS NULL AND excluded.file_name <> ''
    RETURNING 1
)
SELECT count(*)::int FROM taken;

-- name: move_position
UPDATE taken_statements SET position = $3, done_at = $4
WHERE statement_id = $1 AND position = $2 AND done_at IS NULL
RETURNING position;

-- name: handed_in_and_waiting
SELECT file_id FROM handed_in_files WHERE taken_at IS NULL ORDER BY received_at, file_id LIMIT 100;

-- name: handed_in_part
SELECT substring(content FROM $2::int * $3::int + 1 FOR $3::int) FROM handed_in_files WHERE file_id = $1;

-- name: take_handed_in
UPDATE handed_in_files SET taken_at = $2 WHERE file_id = $1 AND taken_at IS NULL;
