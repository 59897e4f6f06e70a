-- name: write
-- In the order given, so that ids follow it.
INSERT INTO goodfunds_outbox (account, event_type, client, idempotency_key, value, traceparent)
SELECT account, event_type, client, idempotency_key, value, traceparent
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[])
     WITH ORDINALITY AS n(account, event_type, client, idempotency_key, value, traceparent, place)
ORDER BY place;

-- name: become_relay
-- A lock of the session: it ends with its connection, however that ends. One outbox a table, so its oid.
SELECT pg_try_advisory_lock(1735355236::bigint << 32 | 'goodfunds_outbox'::regclass::oid::bigint);

-- name: resign
SELECT pg_advisory_unlock(1735355236::bigint << 32 | 'goodfunds_outbox'::regclass::oid::bigint);

-- name: waiting
-- The oldest rows that anyone can see, at most $1 of them and about $2 bytes; the first whatever its size.
SELECT id, account, event_type, client, idempotency_key, value, traceparent
FROM (
    SELECT *, sum(octet_length(value)) OVER (ORDER BY id) - octet_length(value) AS ahead
    FROM (SELECT * FROM goodfunds_outbox ORDER BY id LIMIT $1) AS oldest
) AS measured
WHERE ahead < $2
ORDER BY id;

-- name: forget
DELETE FROM goodfunds_outbox WHERE id = ANY($1::bigint[]);
