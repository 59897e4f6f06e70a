CREATE OR REPLACE VIEW payment_standings AS
SELECT p.payment_id, p.lane, coalesce(latest.batch_id, p.batch_id) AS batch_id, p.amount_minor, p.account,
       p.end_to_end_id, p.traceparent, coalesce(latest.place, 0) AS place, p.accepted_seq, p.accepted_offset,
       p.received_at, s.source AS debit_source, s.bank_reference AS debit_reference,
       s.booking_date AS debited_on, r.payment_id IS NOT NULL AS rejected, t.source AS credit_source,
       t.bank_reference AS credit_reference, t.booking_date AS returned_on, t.charges_minor
FROM payments p
LEFT JOIN LATERAL (SELECT m.batch_id, m.place FROM batch_memberships m WHERE m.payment_id = p.payment_id
                   ORDER BY m.place DESC LIMIT 1) latest ON true
LEFT JOIN settlements s ON s.payment_id = p.payment_id
LEFT JOIN rejections r ON r.payment_id = p.payment_id
LEFT JOIN returns t ON t.payment_id = p.payment_id;
COMMENT ON COLUMN returns.charges_minor IS 'What banks kept of the amount; it is in our fees, the customer has the whole.';
