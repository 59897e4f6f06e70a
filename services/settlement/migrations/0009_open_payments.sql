-- What of each batch is open, kept with it: a bank may answer after days, and nobody looks each payment up meanwhile.
ALTER TABLE batches
    ADD COLUMN open_payments bigint NOT NULL DEFAULT 0,
    ADD COLUMN open_minor bigint NOT NULL DEFAULT 0;
UPDATE batches b SET open_payments = o.payments, open_minor = o.minor
FROM (SELECT coalesce(m.batch_id, p.batch_id) AS batch_id, count(*) AS payments, sum(p.amount_minor)::bigint AS minor
      FROM payments p
      LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, batch_id FROM batch_memberships
                 ORDER BY payment_id, place DESC) m USING (payment_id)
      WHERE NOT EXISTS (SELECT FROM settlements s WHERE s.payment_id = p.payment_id)
        AND NOT EXISTS (SELECT FROM rejections r WHERE r.payment_id = p.payment_id)
      GROUP BY 1) o
WHERE o.batch_id = b.batch_id;

-- A column that an index's condition names cannot change within the page, whether the condition changes with it or not.
-- So the index is on this one, which changes twice in a batch's life.
ALTER TABLE batches
    ADD COLUMN has_open boolean NOT NULL GENERATED ALWAYS AS (open_payments > 0) STORED,
    ADD CONSTRAINT open_sums_fit_their_counts CHECK (
        open_payments >= 0 AND open_minor >= 0 AND (open_payments > 0) = (open_minor > 0)),
    ADD CONSTRAINT open_are_of_the_sealed CHECK (
        sealed_at IS NULL OR open_payments <= payments_count AND open_minor <= amount_minor),
    ADD CONSTRAINT none_open_once_refused CHECK (refused_at IS NULL OR open_payments = 0);
CREATE INDEX batches_with_open ON batches (lane) WHERE has_open;
COMMENT ON COLUMN batches.open_payments IS 'Payments that are in this batch now (none that joined a later one) and neither settled nor rejected. Counted on by the owner of the lane in the transaction that puts one in, ends it or moves it; a return changes nothing.';
COMMENT ON COLUMN batches.open_minor IS 'what they come to, in minor units of the batch''s currency';
COMMENT ON COLUMN batches.has_open IS 'whether there are any: what batches are looked up by';
