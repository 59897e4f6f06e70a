-- name: lock_audit_head
-- Entries stand in line for it: taken last in a transaction, so that nobody waits in it for anything else.
SELECT audit_seq, hash FROM audit_head FOR UPDATE;

-- name: append_to_audit
WITH entry AS (
    INSERT INTO audit (audit_seq, at, actor, action, plan_id, detail, previous, hash)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)
    RETURNING audit_seq, hash
)
UPDATE audit_head h SET audit_seq = entry.audit_seq, hash = entry.hash FROM entry;

-- name: audit_head
SELECT audit_seq, hash FROM audit_head;

-- name: whole_audit
SELECT audit_seq, at, actor, action, plan_id, detail, previous, hash FROM audit ORDER BY audit_seq;

-- name: audit_before
-- The next $2 from before entry $1, the newest first.
SELECT audit_seq, at, actor, action, plan_id, detail, previous, hash
FROM audit WHERE audit_seq < $1 ORDER BY audit_seq DESC LIMIT $2;

-- name: audit_of_plan_before
SELECT audit_seq, at, actor, action, plan_id, detail, previous, hash
FROM audit WHERE plan_id = $3 AND audit_seq < $1 ORDER BY audit_seq DESC LIMIT $2;
