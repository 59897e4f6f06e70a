-- With all that is asked of a member: nobody has to join payments again for it, which reads the whole table where the
-- planner takes a batch for large. A query names the batches by a value or by LATERAL: a plain join is not pushed down.
CREATE OR REPLACE VIEW batch_members AS
SELECT p.batch_id, p.payment_id, p.accepted_offset, p.lane, p.amount_minor, p.end_to_end_id, p.instruction
FROM payments p
WHERE NOT EXISTS (SELECT FROM batch_withdrawals w WHERE w.batch_id = p.batch_id AND w.payment_id = p.payment_id)
UNION ALL
SELECT m.batch_id, m.payment_id, p.accepted_offset, m.lane, p.amount_minor, p.end_to_end_id, p.instruction
FROM batch_memberships m JOIN payments p USING (payment_id)
WHERE NOT EXISTS (SELECT FROM batch_withdrawals w WHERE w.batch_id = m.batch_id AND w.payment_id = m.payment_id);
