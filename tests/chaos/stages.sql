-- name: ingestion
SELECT count(*)::int AS decided, count(*) FILTER (WHERE state = 'accepted')::int AS accepted FROM payments
-- name: settlement
SELECT (SELECT count(*) FROM payments)::int AS received,
       (SELECT coalesce(sum(payments_count), 0) FROM batches WHERE sealed_at IS NOT NULL)::int AS sealed,
       (SELECT coalesce(sum(payments_count), 0) FROM batches
        WHERE submitted_at IS NOT NULL OR refused_at IS NOT NULL)::int AS submitted,
       ((SELECT count(*) FROM settlements) + (SELECT count(*) FROM rejections))::int AS ended
-- name: reconciliation
SELECT count(*) FILTER (WHERE side = -1)::int AS known FROM expected_items
