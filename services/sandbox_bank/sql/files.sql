-- name: receive_file
INSERT INTO files (name, archive_name, sha256, size, message_id, standing, received_at)
VALUES (?, ?, ?, ?, ?, 'received', ?)

-- name: archive_name_taken
SELECT 1 FROM files WHERE archive_name = ?

-- name: next_file
SELECT coalesce(max(id), 0) + 1 FROM files

-- name: files_under_way
SELECT id, name, archive_name, standing FROM files WHERE archived = 0 ORDER BY id

-- name: judge_file
UPDATE files
SET message_id = coalesce(nullif(?, ''), message_id), standing = ?, message_name = ?, message_created_at = ?,
    group_status = ?, reason_code = ?, reason = ?, transactions = ?
WHERE id = ?

-- name: archive_file
UPDATE files SET archived = 1 WHERE id = ?

-- name: message_stands
SELECT 1 FROM files WHERE message_id = ? AND standing = 'stands'

-- name: file_enquiry
SELECT message_id, standing, group_status, reason_code, reason, sha256, name, transactions,
       count(*) OVER () AS copies
FROM files WHERE message_id = ?
ORDER BY standing = 'stands' DESC, standing = 'received' DESC, id DESC LIMIT 1

-- name: file
SELECT message_id, message_name, message_created_at, reason, transactions, name FROM files WHERE id = ?
