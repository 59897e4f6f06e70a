CREATE TABLE replay_plans (
    plan_id          uuid PRIMARY KEY,
    kind             text NOT NULL CHECK (kind IN ('replay', 'release', 'discard', 'republish', 'selfcheck')),
    selection        jsonb NOT NULL,
    reason           text NOT NULL,
    rate             integer CONSTRAINT goes_at_some_rate CHECK (rate > 0),
    state            text NOT NULL CHECK (state IN ('rehearsing', 'rehearsed', 'approved', 'running', 'paused',
                                                    'done', 'failed', 'drifted', 'aborted')),
    code_version     text NOT NULL,
    schema_version   text NOT NULL,
    planned_by       text NOT NULL,
    planned_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    approved_by      text,
    approved_at      timestamptz,
    finished_at      timestamptz,
    heartbeat        timestamptz,
    progress         jsonb NOT NULL DEFAULT '{}',
    forecast         jsonb,
    forecast_digest  bytea,
    exact            boolean,
    outcome          jsonb,
    outcome_digest   bytea,
    fault            text,
    CONSTRAINT four_eyes CHECK (approved_by <> planned_by)
);
CREATE INDEX replay_plans_at_work ON replay_plans (plan_id) WHERE state IN ('running', 'paused');
COMMENT ON TABLE replay_plans IS 'What people want done again, and what came of it. Written by the operators'' HTTP of its service, and by the owner of a lane when the last lane of a plan is done or one cannot go on.';
COMMENT ON COLUMN replay_plans.selection IS 'what was asked for, as it was asked; what it came to is in replay_lanes';
COMMENT ON COLUMN replay_plans.rate IS 'records a second over all lanes; NULL: as fast as the live lanes leave room for';
COMMENT ON COLUMN replay_plans.heartbeat IS 'of the rehearsal under way, by the database''s clock: an old one was given up with its process';
COMMENT ON COLUMN replay_plans.exact IS 'whether the rehearsal was one transaction a lane, so that each slice saw what those before it wrote';

CREATE TABLE replay_lanes (
    plan_id         uuid NOT NULL CONSTRAINT shares_a_plan REFERENCES replay_plans,
    lane            integer NOT NULL,
    ranges          jsonb NOT NULL,
    total           bigint NOT NULL,
    state           text NOT NULL DEFAULT 'waiting'
                    CHECK (state IN ('waiting', 'running', 'done', 'failed', 'drifted')),
    position        jsonb NOT NULL DEFAULT '{}',
    slice           integer NOT NULL DEFAULT 0,
    handled         bigint NOT NULL DEFAULT 0,
    skipped         bigint NOT NULL DEFAULT 0,
    rows_changed    bigint NOT NULL DEFAULT 0,
    events_emitted  bigint NOT NULL DEFAULT 0,
    effects         bytea NOT NULL DEFAULT '',
    fault           text,
    started_at      timestamptz,
    finished_at     timestamptz,
    PRIMARY KEY (plan_id, lane)
) WITH (fillfactor = 50);
COMMENT ON TABLE replay_lanes IS 'A lane''s share of a plan and how far it has come. Written with the plan, then by the owner of the lane in the transaction of each slice''s effects.';
COMMENT ON COLUMN replay_lanes.ranges IS 'in the order of handling: [{"topic", "first", "end"}], offsets, the first inclusive and the end exclusive; of outbox rows the outbox_seq';
COMMENT ON COLUMN replay_lanes.position IS '{"range": index into ranges, "offset": the next one, "seen": last seq of each producer in it}; of outbox rows offset is the outbox_seq; {} is the beginning';
COMMENT ON COLUMN replay_lanes.skipped IS 'records of the range that are not handled: not of the keys or payments asked for, or parked';
COMMENT ON COLUMN replay_lanes.effects IS 'a digest of what the slices so far have changed and emitted, each following from the one before';

CREATE TABLE replay_slices (
    plan_id         uuid NOT NULL,
    lane            integer NOT NULL,
    slice           integer NOT NULL,
    rows_changed    bigint NOT NULL,
    events_emitted  bigint NOT NULL,
    digest          bytea NOT NULL,
    PRIMARY KEY (plan_id, lane, slice),
    CONSTRAINT slices_a_share FOREIGN KEY (plan_id, lane) REFERENCES replay_lanes
);
COMMENT ON TABLE replay_slices IS 'What a rehearsed slice would change and emit; one that is not here would do neither. Written by the rehearsal.';

CREATE TABLE replay_parked (
    plan_id          uuid NOT NULL,
    lane             integer NOT NULL,
    parked_seq       bigint NOT NULL,
    topic            text NOT NULL,
    source_partition integer NOT NULL,
    source_offset    bigint NOT NULL,
    key              bytea NOT NULL,
    fault            text,
    PRIMARY KEY (plan_id, lane, parked_seq),
    CONSTRAINT picked_by_a_share FOREIGN KEY (plan_id, lane) REFERENCES replay_lanes
);
CREATE INDEX replay_parked_by_key ON replay_parked (plan_id, lane, key);
COMMENT ON TABLE replay_parked IS 'The parked events that a plan discards, or of whose accounts it releases all. Written with the plan; a fault by the owner of the lane.';
COMMENT ON COLUMN replay_parked.fault IS 'why an event of this account was not handled this time either: the account is left';

CREATE TABLE replay_discarded (
    plan_id          uuid NOT NULL CONSTRAINT discarded_by_a_plan REFERENCES replay_plans,
    lane             integer NOT NULL,
    topic            text NOT NULL,
    source_partition integer NOT NULL,
    source_offset    bigint NOT NULL,
    key              bytea NOT NULL,
    value            bytea,
    headers          jsonb NOT NULL,
    broker_time_ms   bigint NOT NULL,
    amount_minor     bigint,
    currency         text,
    poison           boolean NOT NULL,
    fault            text NOT NULL,
    parked_at        timestamptz NOT NULL,
    discarded_at     timestamptz NOT NULL,
    PRIMARY KEY (topic, source_partition, source_offset)
);
COMMENT ON TABLE replay_discarded IS 'Parked events that two people have decided never to handle. Written by the owner of the lane.';

-- What the lanes and their operators keep for themselves: no event of a topic speaks of it.
CREATE FUNCTION is_machinery(table_name text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    table_name IN ('migrations', 'cluster', 'lanes', 'lane_stops', 'parked', 'outbox', 'access_tokens', 'audit', 'audit_head')
    OR table_name LIKE 'outbox\_%' OR table_name LIKE 'replay\_%';

-- Of a transaction that is watched (setting goodfunds.watching), into a table of its session's own. A statement's rows
-- at once. Measured: row by row each took three times as long to note, and live traffic was asked at each of its rows
-- whether it is watched. An update is a row gone and a row come: who reads them knows by the key that it is one.
CREATE FUNCTION note_changed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO pg_temp.changed_rows (table_name, before) SELECT TG_TABLE_NAME, row_to_json(o) FROM old_rows o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO pg_temp.changed_rows (table_name, after) SELECT TG_TABLE_NAME, row_to_json(n) FROM new_rows n;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION watch_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT c.relname, w.operation, w.rows FROM pg_class c
                 CROSS JOIN (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
                                    ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS w (operation, rows)
                 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                   AND NOT c.relispartition AND NOT is_machinery(c.relname)
                   AND NOT EXISTS (SELECT FROM pg_trigger t
                                   WHERE t.tgrelid = c.oid AND t.tgname = 'watched_' || w.operation)
                 ORDER BY c.relname, w.operation LOOP
        EXECUTE format('CREATE TRIGGER watched_%1$s AFTER %1$s ON %2$I REFERENCING %3$s FOR EACH STATEMENT '
                       'WHEN (current_setting(''goodfunds.watching'', true) = ''on'') '
                       'EXECUTE FUNCTION note_changed_rows()', found.operation, found.relname, found.rows);
    END LOOP;
END $$;
