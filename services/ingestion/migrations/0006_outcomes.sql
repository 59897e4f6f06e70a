CREATE VIEW payment_outcomes AS
SELECT p.client, p.idempotency_key, p.payment_id, p.digest, p.debtor_account, p.amount_minor, p.currency, p.rail,
       p.state, p.reason_code, p.reason, p.end_to_end_id, p.uetr, p.decided_at, r.cause AS refund_cause,
       r.reason_code AS refund_reason_code, r.refunded_at
FROM payments p LEFT JOIN refunds r USING (payment_id);
COMMENT ON VIEW payment_outcomes IS 'Each payment with what its client is told of it.';
