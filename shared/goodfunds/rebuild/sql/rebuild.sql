-- name: begin_rebuild
-- One at a time; the lock ends with its session, however that ends.
SELECT pg_try_advisory_lock(hashtext('goodfunds rebuild'));

-- name: live_lanes
SELECT l.lane, l.offsets, l.watermarks, l.started_above, l.catch_up, l.restored_at IS NOT NULL AS restored,
       l.stopped_reason, (SELECT count(*) FROM parked p WHERE p.lane = l.lane) AS parked
FROM lanes l WHERE l.lane >= 0 ORDER BY l.lane;

-- name: discarded_records
SELECT topic, source_partition, source_offset FROM replay_discarded;

-- name: rows_statement
-- $1: tables. One row a table, with how many rows it has.
SELECT string_agg(format('SELECT %1$L AS table_name, count(*) AS rows FROM %1$I', t), ' UNION ALL ')
FROM unnest($1::text[]) AS t;

-- name: tables_of_nobody
-- Tables that neither the lanes and their operators keep, nor the service has said what becomes of ($1).
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT is_machinery(c.relname) AND c.relname <> ALL ($1::text[])
ORDER BY 1;

-- name: keep_live_statement
-- $1 schema, $2 table, $3 names, $4 expressions, $5 condition: its compared part as it is at this moment, beside the shadow's.
SELECT format('CREATE UNLOGGED TABLE %1$I.%2$I AS SELECT %3$s FROM %4$I WHERE %5$s', $1::text, 'live ' || $2::text,
              (SELECT string_agg(format('%s AS %I', e, n), ', ' ORDER BY place)
               FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS q(n, e, place)), $2::text, $5::text);

-- name: differences_statement
-- The same, once what is live was kept: rows that only one side has, counted, and the first of each.
SELECT format('WITH live AS (SELECT * FROM %1$I.%6$I EXCEPT ALL SELECT %3$s FROM %1$I.%2$I WHERE %5$s),
                    anew AS (SELECT %3$s FROM %1$I.%2$I WHERE %5$s EXCEPT ALL SELECT * FROM %1$I.%6$I)
               SELECT (SELECT count(*) FROM live) AS live, (SELECT count(*) FROM anew) AS anew,
                      (SELECT jsonb_agg(j) FROM (SELECT to_jsonb(live) AS j FROM live ORDER BY 1 LIMIT %4$s) q) AS live_rows,
                      (SELECT jsonb_agg(j) FROM (SELECT to_jsonb(anew) AS j FROM anew ORDER BY 1 LIMIT %4$s) q) AS anew_rows',
              $1::text, $2::text,
              (SELECT string_agg(format('%s AS %I', e, n), ', ' ORDER BY place)
               FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS q(n, e, place)), $6::int, $5::text,
              'live ' || $2::text);

-- name: columns
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($1::text[])
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum;

-- name: shapes
-- Columns, indexes, constraints and triggers of the tables $2 in schema $1, how they are kept and who sees which rows,
-- and whatever else hangs on them: all without names of schemas.
WITH tables AS (SELECT c.oid, c.relname, c.reltype, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
                       c.relpersistence, c.reltablespace
                FROM pg_class c
                WHERE c.relnamespace = $1::text::regnamespace AND c.relname = ANY($2::text[]))
SELECT t.relname, 'column ' || row_number() OVER (PARTITION BY t.oid ORDER BY a.attnum) || ' ' || a.attname || ' '
       || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || coalesce(' default ' || replace(pg_get_expr(e.adbin, e.adrelid), $1 || '.', ''), '') AS shape
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid LEFT JOIN pg_attrdef e ON (e.adrelid, e.adnum) = (t.oid, a.attnum)
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT t.relname, 'index ' || replace(pg_get_indexdef(i.indexrelid), format(' ON %I.', $1::text), ' ON ')
FROM tables t JOIN pg_index i ON i.indrelid = t.oid
UNION ALL
SELECT t.relname, 'constraint ' || o.conname || ' ' || pg_get_constraintdef(o.oid)
FROM tables t JOIN pg_constraint o ON o.conrelid = t.oid
UNION ALL
SELECT t.relname, 'trigger ' || g.tgname || ' ' || g.tgtype || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' not as usual' END
FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid
WHERE NOT g.tgisinternal
UNION ALL
SELECT DISTINCT t.relname, 'view ' || v.relname
FROM tables t JOIN pg_depend d ON d.refobjid = t.oid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite w ON w.oid = d.objid JOIN pg_class v ON v.oid = w.ev_class
UNION ALL
SELECT t.relname, 'publication ' || p.pubname
FROM tables t JOIN pg_publication_rel r ON r.prrelid = t.oid JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL
SELECT t.relname, format('way to be kept: row security %s %s, replica identity %s, persistence %s, tablespace %s',
                         relrowsecurity, relforcerowsecurity, relreplident, relpersistence, reltablespace)
FROM tables t
UNION ALL
SELECT t.relname, i.type || ' ' || replace(i.identity, $1 || '.', '')
FROM tables t
JOIN pg_type y ON y.oid = t.reltype
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
                 OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (y.oid, y.typarray)
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE d.classid IN ('pg_proc'::regclass, 'pg_policy'::regclass, 'pg_statistic_ext'::regclass)
   OR d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class k WHERE k.oid = d.objid AND k.relkind IN ('r', 'p', 'f', 'S'))
   OR d.classid = 'pg_constraint'::regclass
      AND EXISTS (SELECT FROM pg_constraint o WHERE o.oid = d.objid AND o.conrelid <> t.oid);

-- name: trigger_statements
-- Triggers of the tables $1 made anew, to be run where their functions are found in the live schema: the shadow's go with it.
SELECT replace(pg_get_triggerdef(g.oid), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER')
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($1::text[]) AND NOT g.tgisinternal;

-- name: revoke_statements
-- What was granted on the tables $2 in schema $1 before, or by default.
SELECT DISTINCT format('REVOKE ALL ON %I.%I FROM %s', $1::text, c.relname,
                       CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid
CROSS JOIN LATERAL (SELECT grantee FROM aclexplode(c.relacl) UNION SELECT grantee FROM aclexplode(a.attacl)) g
WHERE c.relnamespace = $1::text::regnamespace AND c.relname = ANY($2::text[]) AND g.grantee <> c.relowner;

-- name: grant_statements
-- What operators have granted and set on the live tables $2, for the shadow's in schema $1.
SELECT format('ALTER TABLE %I.%I OWNER TO %I', $1::text, c.relname, pg_get_userbyid(c.relowner))
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($2::text[]) AND pg_get_userbyid(c.relowner) <> current_user
UNION ALL
SELECT format('ALTER TABLE %I.%I SET (%s)', $1::text, c.relname, array_to_string(c.reloptions, ', '))
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($2::text[]) AND c.reloptions IS NOT NULL
UNION ALL
SELECT format('GRANT %s ON %I.%I TO %s%s', g.privilege_type, $1::text, c.relname,
              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
              CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) g
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($2::text[]) AND g.grantee <> c.relowner
UNION ALL
SELECT format('GRANT %s (%I) ON %I.%I TO %s%s', g.privilege_type, a.attname, $1::text, c.relname,
              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
              CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN LATERAL aclexplode(a.attacl) g
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($2::text[]) AND g.grantee <> c.relowner;

-- name: migrations_applied
SELECT source, file, digest FROM migrations ORDER BY 1, 2;

-- name: stand
-- Owners wait at their fence, and whoever takes a lane over with them; who only reads goes on. One lock for all lanes:
-- their rows, locked one by one, could be waited for crosswise.
LOCK TABLE lanes IN EXCLUSIVE MODE;

-- name: swap_statements
-- $1 the shadow's schema, $2 the one that what was live goes to, $3 tables: moved with all that is theirs.
SELECT statement
FROM unnest($3::text[]) WITH ORDINALITY AS t (name, place)
CROSS JOIN LATERAL (VALUES
    (1, format('ALTER TABLE %I.%I SET SCHEMA %I', current_schema(), name, $2::text)),
    (2, format('ALTER TABLE %I.%I SET SCHEMA %I', $1::text, name, current_schema()))) AS s (step, statement)
ORDER BY place, step;
