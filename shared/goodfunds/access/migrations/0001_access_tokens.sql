CREATE TABLE access_tokens (
    token_id    uuid PRIMARY KEY,
    sha256      bytea NOT NULL UNIQUE,
    client      text NOT NULL,
    scopes      text[] NOT NULL,
    description text NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    CONSTRAINT stored_as_a_hash CHECK (octet_length(sha256) = 32)
);
COMMENT ON TABLE access_tokens IS 'Who may use HTTP here, and for what. Written by goodfunds tokens; the services only read it.';
COMMENT ON COLUMN access_tokens.sha256 IS 'of the secret, which stands nowhere: it is 256 random bits, so that nobody finds it by guessing';
COMMENT ON COLUMN access_tokens.client IS 'whose token it is: what it hands in is this client''s, and it sees nothing of another''s';
