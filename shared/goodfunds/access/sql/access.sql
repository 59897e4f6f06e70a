-- name: principal
-- Of a secret's hash ($1) that is neither revoked nor expired at $2.
SELECT token_id, client, scopes, expires_at FROM access_tokens
WHERE sha256 = $1 AND revoked_at IS NULL AND expires_at > $2;

-- name: insert_token
INSERT INTO access_tokens (token_id, sha256, client, scopes, description, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: list_tokens
SELECT token_id, client, scopes, description, created_at, expires_at, revoked_at FROM access_tokens
ORDER BY created_at, token_id;

-- name: revoke_token
-- The first revocation stands.
UPDATE access_tokens SET revoked_at = coalesce(revoked_at, $2) WHERE token_id = $1 RETURNING revoked_at;

-- name: remove_token
DELETE FROM access_tokens WHERE token_id = $1;
