-- name: proof_lanes
-- Per lane and currency what settlement received from ingestion up to a seq of its events ($1 lanes, $2
-- seqs, inclusive), and what it still holds or took out of transit of all it received.
SELECT s.lane, s.currency,
       count(*) FILTER (WHERE s.accepted_seq <= w.seq) AS received_count,
       coalesce(sum(s.amount_minor) FILTER (WHERE s.accepted_seq <= w.seq), 0)::bigint AS received_minor,
       coalesce(sum(s.amount_minor) FILTER (WHERE s.state IN ('held', 'claimed', 'submitted')), 0)::bigint AS holding_minor,
       coalesce(sum(s.amount_minor) FILTER (WHERE s.state = 'settled'), 0)::bigint AS settled_minor,
       coalesce(sum(s.amount_minor) FILTER (WHERE s.state = 'rejected'), 0)::bigint AS rejected_minor,
       coalesce(sum(s.amount_minor) FILTER (WHERE s.state = 'returned'), 0)::bigint AS returned_minor
FROM payment_states s
JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = s.lane
GROUP BY s.lane, s.currency ORDER BY s.lane, s.currency;

-- name: proof_outcomes
-- Per lane what settlement told of outcomes up to a seq of its own events ($1 lanes, $2 seqs, inclusive).
SELECT o.lane, o.kind, count(*) AS payments_count, sum(o.amount_minor)::bigint AS amount_minor
FROM (SELECT lane, 'settled' AS kind, amount_minor, event_seq FROM settlements
      UNION ALL SELECT lane, 'rejected', amount_minor, event_seq FROM rejections
      UNION ALL SELECT lane, 'returned', amount_minor, event_seq FROM returns) o
JOIN unnest($1::integer[], $2::bigint[]) AS w (lane, seq) ON w.lane = o.lane AND o.event_seq <= w.seq
GROUP BY o.lane, o.kind ORDER BY o.lane, o.kind;

-- name: proof_refundable
-- The payments behind rejections and returns up to a seq ($1 lane, $2 seq): ingestion refunds exactly these.
SELECT payment_id, 'rejected' AS kind, amount_minor, event_seq FROM rejections WHERE lane = $1 AND event_seq <= $2
UNION ALL
SELECT payment_id, 'returned', amount_minor, event_seq FROM returns WHERE lane = $1 AND event_seq <= $2
ORDER BY event_seq;

-- name: proof_received
-- The payments received in a lane up to a seq of ingestion's events, to name a difference ($1 lane, $2 seq).
SELECT payment_id, amount_minor, currency, state, accepted_seq FROM payment_states
WHERE lane = $1 AND accepted_seq <= $2 ORDER BY accepted_seq;

-- name: proof_balances
-- Control accounts summed over lanes; a nostro here is minus the bank's own credit balance.
SELECT account, currency, sum(balance_minor)::bigint AS balance_minor FROM balances
GROUP BY account, currency ORDER BY account, currency;

-- name: proof_balances_by_lane
SELECT lane, account, currency, balance_minor FROM balances ORDER BY lane, account, currency;

-- name: proof_ledger_disagrees
-- Payments whose rows and transit postings differ: settled and not taken out, or the other way round.
SELECT coalesce(o.payment_id, t.payment_id) AS payment_id, coalesce(o.taken_minor, 0) AS stated_minor,
       coalesce(t.taken_minor, 0) AS posted_minor
FROM (SELECT s.payment_id, s.amount_minor - coalesce(r.amount_minor, 0) AS taken_minor
      FROM settlements s LEFT JOIN returns r USING (payment_id)) o
FULL JOIN (SELECT m.entry_id AS payment_id, sum(m.minor)::bigint AS taken_minor
           FROM (SELECT entry_id, amount_minor AS minor FROM postings WHERE debit_account LIKE 'transit-out:%'
                 UNION ALL
                 SELECT entry_id, -amount_minor FROM postings WHERE credit_account LIKE 'transit-out:%') m
           GROUP BY m.entry_id) t USING (payment_id)
WHERE coalesce(o.taken_minor, 0) <> coalesce(t.taken_minor, 0);

-- name: proof_batches_disagree
-- Sealed batches whose count, sum or offsets are not those of their members: none, ever.
SELECT b.lane, b.batch_id FROM batches b
LEFT JOIN LATERAL (SELECT count(*) AS payments_count, sum(p.amount_minor)::bigint AS amount_minor,
                          min(p.accepted_offset) AS first_offset, max(p.accepted_offset) AS last_offset
                   FROM batch_members m JOIN payments p USING (payment_id) WHERE m.batch_id = b.batch_id) h ON true
WHERE b.sealed_at IS NOT NULL
  AND (b.payments_count, b.amount_minor, b.first_offset, b.last_offset)
      IS DISTINCT FROM (h.payments_count, coalesce(h.amount_minor, 0), h.first_offset, h.last_offset);

-- name: proof_contradictions
SELECT lane, event_seq, payment_id, amount_minor, currency, nostro, kind, bank_reference, reason_code, reason, found_at
FROM contradictions ORDER BY found_at, lane, event_seq;

-- name: proof_nostros
SELECT nostro, lane, currency, opening_minor, opened_at FROM nostros ORDER BY nostro;

-- name: proof_unanswered_files
SELECT message_id, file_name, payments_count, amount_minor, currency, claimed_at FROM bank_files
WHERE submitted_at IS NULL AND refused_at IS NULL ORDER BY claimed_at;
