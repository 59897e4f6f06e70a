-- name: update_items
-- The batch changes only where a bank refused its file; with the value as it was an update stays within its page.
UPDATE expected_items i
SET batch_id = n.batch_id, opened_at = n.opened_at, opened_seq = n.opened_seq, state = n.state,
    settled_on = n.settled_on, statement_id = n.statement_id, line_number = n.line_number, match_kind = n.match_kind
FROM unnest($1::int[], $2::uuid[], $3::smallint[], $4::uuid[], $5::timestamptz[], $6::bigint[], $7::smallint[],
            $8::date[], $9::uuid[], $10::int[], $11::text[])
     AS n(lane, payment_id, side, batch_id, opened_at, opened_seq, state, settled_on, statement_id, line_number,
          match_kind)
WHERE i.lane = n.lane AND i.payment_id = n.payment_id AND i.side = n.side;

-- name: update_lines
UPDATE statement_lines l
SET state = n.state, break_id = n.break_id, payment_id = n.payment_id, found_by = n.found_by,
    handed_over_to = n.handed_over_to
FROM unnest($1::int[], $2::uuid[], $3::int[], $4::smallint[], $5::uuid[], $6::uuid[], $7::text[], $8::int[])
     AS n(lane, statement_id, line_number, state, break_id, payment_id, found_by, handed_over_to)
WHERE l.lane = n.lane AND l.statement_id = n.statement_id AND l.line_number = n.line_number;

-- name: add_to_batches
INSERT INTO batches AS b (lane, batch_id, nostro, currency, opened_at, open_debits, open_debit_minor,
                          open_credits, open_credit_minor, total_lines)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::bigint[],
                     $8::bigint[], $9::bigint[], $10::int[])
ON CONFLICT (lane, batch_id, nostro, currency) DO UPDATE
SET open_debits = b.open_debits + excluded.open_debits,
    open_debit_minor = b.open_debit_minor + excluded.open_debit_minor,
    open_credits = b.open_credits + excluded.open_credits,
    open_credit_minor = b.open_credit_minor + excluded.open_credit_minor,
    total_lines = b.total_lines + excluded.total_lines;

-- name: open_break
INSERT INTO breaks (lane, break_id, about, reason, amount_minor, currency, nostro, payment_id, batch_id,
                    statement_id, line_number, bank_reference, detail, opened_at, resolved_at, resolution)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (lane, break_id) DO UPDATE
SET detail = excluded.detail, amount_minor = excluded.amount_minor, opened_at = excluded.opened_at,
    resolved_at = NULL, resolution = '';

-- name: resolve_breaks
UPDATE breaks b SET resolved_at = n.resolved_at, resolution = n.resolution
FROM unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::text[]) AS n(lane, break_id, resolved_at, resolution)
WHERE b.lane = n.lane AND b.break_id = n.break_id;

-- name: reconcile_statements
UPDATE statements s SET reconciled_at = $3
FROM unnest($1::int[], $2::uuid[]) AS n(lane, statement_id)
WHERE s.lane = n.lane AND s.statement_id = n.statement_id;

-- name: put_control_totals
INSERT INTO control_totals AS t (lane, topic, total_partition, producer, producer_lane, event_type, currency, count,
                                 amount_minor, last_seq, last_offset, computed_at)
SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[], $8::bigint[],
                     $9::bigint[], $10::bigint[], $11::bigint[], $12::timestamptz[])
ON CONFLICT (lane, topic, total_partition, producer, producer_lane, event_type, currency) DO UPDATE
SET count = excluded.count, amount_minor = excluded.amount_minor, last_seq = excluded.last_seq,
    last_offset = excluded.last_offset, computed_at = excluded.computed_at
WHERE (excluded.last_offset, excluded.computed_at) > (t.last_offset, t.computed_at);

-- name: put_refused_record
INSERT INTO refused_records (lane, topic, source_partition, source_offset, reason, refused_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;
