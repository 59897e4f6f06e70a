-- name: request_close_cut_off
-- One request a lane; $1 who asks. Returns the requests to watch.
INSERT INTO requests (lane, kind, requested_by)
SELECT lane, 'close_cut_off', $1 FROM lanes WHERE lane >= 0 RETURNING request_id, lane;

-- name: request_open_nostro
-- $1 lane of the nostro, $2 who asks, $3 {"nostro", "currency", "balance_minor", "source"}.
INSERT INTO requests (lane, kind, requested_by, payload) VALUES ($1, 'open_nostro', $2, $3) RETURNING request_id, lane;

-- name: request_resolve_unknown
-- $1 who asks, $2 {"message_id", "found": true or false}: what the bank told a person.
INSERT INTO requests (lane, kind, requested_by, payload) VALUES (-1, 'resolve_unknown', $1, $2) RETURNING request_id, lane;

-- name: unhandled_requests
SELECT count(*) FROM requests WHERE request_id = ANY($1::bigint[]) AND handled_at IS NULL;
