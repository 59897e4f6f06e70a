CREATE TABLE nostros (
    nostro        text PRIMARY KEY,
    lane          integer NOT NULL,
    currency      text NOT NULL,
    opening_minor bigint NOT NULL,
    opened_at     timestamptz NOT NULL
);
COMMENT ON TABLE nostros IS 'Our accounts at banks and what the bank held for us when each was opened, in the bank''s sign. Written by the owner of the nostro''s lane.';

CREATE TABLE batches (
    batch_id       uuid PRIMARY KEY,
    lane           integer NOT NULL,
    rail           text NOT NULL,
    nostro         text NOT NULL,
    currency       text NOT NULL,
    requested_date date NOT NULL,
    sequence       integer NOT NULL,
    cut_off_at     timestamptz NOT NULL,
    opened_at      timestamptz NOT NULL,
    sealed_at      timestamptz,
    payments_count bigint,
    amount_minor   bigint,
    first_offset   bigint,
    last_offset    bigint,
    submitted_at   timestamptz,
    message_id     text,
    refused_at     timestamptz,
    refusal        text,
    UNIQUE (lane, rail, nostro, currency, requested_date, sequence),
    CHECK ((sealed_at IS NULL) = (payments_count IS NULL))
) WITH (fillfactor = 50);
CREATE INDEX batches_open ON batches (lane, cut_off_at) WHERE sealed_at IS NULL;
CREATE INDEX batches_sealed ON batches (sealed_at) WHERE sealed_at IS NOT NULL AND submitted_at IS NULL;
COMMENT ON TABLE batches IS 'Payments of a lane that go out together before one cut-off. Written by the owner of the lane; sealing is one update of this row and touches no payment.';
COMMENT ON COLUMN batches.first_offset IS 'Lowest offset on payments of a member; with last_offset, count and sum it can be computed again from the members.';

CREATE TABLE payments (
    payment_id      uuid PRIMARY KEY,
    lane            integer NOT NULL,
    batch_id        uuid NOT NULL,
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    account         text NOT NULL,
    end_to_end_id   text NOT NULL,
    accepted_seq    bigint NOT NULL,
    accepted_offset bigint NOT NULL,
    received_at     timestamptz NOT NULL,
    traceparent     bytea NOT NULL,
    instruction     bytea NOT NULL
);
CREATE INDEX payments_by_batch ON payments (batch_id, accepted_offset);
CREATE INDEX payments_by_end_to_end ON payments (end_to_end_id);
COMMENT ON TABLE payments IS 'Payments that ingestion accepted, each with the batch it was put in. Inserted by the owner of the lane, never updated: what became of one stands in tables of its own.';
COMMENT ON COLUMN payments.accepted_seq IS 'seq of its PaymentAccepted among ingestion''s events to this lane';

CREATE TABLE batch_memberships (
    payment_id uuid NOT NULL,
    place      integer NOT NULL,
    lane       integer NOT NULL,
    batch_id   uuid NOT NULL,
    from_batch uuid NOT NULL,
    joined_at  timestamptz NOT NULL,
    event_seq  bigint,
    PRIMARY KEY (payment_id, place)
);
CREATE INDEX batch_memberships_by_batch ON batch_memberships (batch_id);
COMMENT ON TABLE batch_memberships IS 'Payments of a refused batch that joined a later one; the highest place counts. Written by the owner of the lane.';

CREATE TABLE batch_withdrawals (
    batch_id     uuid NOT NULL,
    payment_id   uuid NOT NULL,
    lane         integer NOT NULL,
    withdrawn_at timestamptz NOT NULL,
    PRIMARY KEY (batch_id, payment_id)
);
COMMENT ON TABLE batch_withdrawals IS 'Payments that the bank answered for while their batch was open, so that it goes out without them. Written by the owner of the lane.';

CREATE VIEW batch_members AS
SELECT p.batch_id, p.payment_id, p.accepted_offset
FROM payments p
WHERE NOT EXISTS (SELECT FROM batch_withdrawals w WHERE w.batch_id = p.batch_id AND w.payment_id = p.payment_id)
UNION ALL
SELECT m.batch_id, m.payment_id, p.accepted_offset
FROM batch_memberships m JOIN payments p USING (payment_id)
WHERE NOT EXISTS (SELECT FROM batch_withdrawals w WHERE w.batch_id = m.batch_id AND w.payment_id = m.payment_id);
COMMENT ON VIEW batch_members IS 'The payments that a batch went out with, or will; fixed once it is sealed.';

CREATE TABLE settlements (
    payment_id     uuid PRIMARY KEY,
    lane           integer NOT NULL,
    amount_minor   bigint NOT NULL,
    source         text NOT NULL,
    bank_reference text NOT NULL,
    booking_date   date NOT NULL,
    settled_at     timestamptz NOT NULL,
    event_seq      bigint NOT NULL
);
COMMENT ON TABLE settlements IS 'Payments that the bank debited, at most once each. Written by the owner of the lane, never updated.';
COMMENT ON COLUMN settlements.source IS 'camt.054 or camt.053; implied where a return came before its debit';
COMMENT ON COLUMN settlements.event_seq IS 'seq of its PaymentSettled on settlement-notifications in this lane';

CREATE TABLE rejections (
    payment_id   uuid PRIMARY KEY,
    lane         integer NOT NULL,
    amount_minor bigint NOT NULL,
    reason_code  text NOT NULL,
    reason       text NOT NULL,
    rejected_at  timestamptz NOT NULL,
    event_seq    bigint NOT NULL
);
COMMENT ON TABLE rejections IS 'Payments that the bank rejected before it debited them, at most once each. Written by the owner of the lane, never updated.';

CREATE TABLE returns (
    payment_id     uuid PRIMARY KEY,
    lane           integer NOT NULL,
    amount_minor   bigint NOT NULL,
    charges_minor  bigint NOT NULL,
    source         text NOT NULL,
    bank_reference text NOT NULL,
    booking_date   date NOT NULL,
    reason_code    text NOT NULL,
    reason         text NOT NULL,
    returned_at    timestamptz NOT NULL,
    event_seq      bigint NOT NULL
);
COMMENT ON TABLE returns IS 'Payments that came back after settlement, at most once each and in full. Written by the owner of the lane, never updated.';

CREATE TABLE contradictions (
    lane           integer NOT NULL,
    event_seq      bigint NOT NULL,
    payment_id     uuid NOT NULL,
    amount_minor   bigint NOT NULL,
    currency       text NOT NULL,
    nostro         text NOT NULL,
    kind           text NOT NULL,
    bank_reference text NOT NULL,
    reason_code    text NOT NULL,
    reason         text NOT NULL,
    found_at       timestamptz NOT NULL,
    PRIMARY KEY (lane, event_seq)
);
CREATE INDEX contradictions_by_payment ON contradictions (payment_id);
COMMENT ON TABLE contradictions IS 'Answers of a bank that contradict our books or explain nothing. Written by the owner of the lane.';

CREATE TABLE noted_reports (
    booking_key uuid NOT NULL,
    source      text NOT NULL,
    identity    text NOT NULL,
    lane        integer NOT NULL,
    effect      text NOT NULL CHECK (effect IN ('posted', 'forwarded', 'repeat', 'awaits_statement', 'contradicted')),
    payment_id  uuid NOT NULL,
    noted_at    timestamptz NOT NULL,
    PRIMARY KEY (booking_key, source, identity)
);
COMMENT ON TABLE noted_reports IS 'Reports of bookings that no payment''s own key protects from being taken twice: contradictions and entries without our reference. Written by the owner of the lane.';
COMMENT ON COLUMN noted_reports.booking_key IS 'Hash of what bookings that cannot be told apart share; within it a source''s distinct reports are counted.';

CREATE TABLE payment_statuses (
    payment_id  uuid NOT NULL,
    status      text NOT NULL,
    lane        integer NOT NULL,
    reason_code text NOT NULL,
    reason      text NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (payment_id, status)
);
COMMENT ON TABLE payment_statuses IS 'Statuses other than a rejection that the bank gave single payments; they settle nothing. Written by the owner of the lane.';

CREATE TABLE batch_statuses (
    batch_id    uuid NOT NULL,
    status      text NOT NULL,
    lane        integer NOT NULL,
    reason_code text NOT NULL,
    reason      text NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (batch_id, status)
);
COMMENT ON TABLE batch_statuses IS 'Statuses that the bank gave whole batches. Written by the owner of the lane.';

CREATE TABLE requests (
    request_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane         integer NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('close_cut_off', 'open_nostro', 'resolve_unknown')),
    payload      jsonb NOT NULL DEFAULT '{}',
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    handled_at   timestamptz,
    outcome      text
);
CREATE INDEX requests_waiting ON requests (lane, request_id) WHERE handled_at IS NULL;
COMMENT ON TABLE requests IS 'What people ask of the owner of a lane (lane -1: of the gateway). Inserted by the command line, marked as handled by the owner.';

CREATE VIEW payment_standings AS
SELECT p.payment_id, p.lane, coalesce(latest.batch_id, p.batch_id) AS batch_id, p.amount_minor, p.account,
       p.end_to_end_id, p.traceparent, coalesce(latest.place, 0) AS place, p.accepted_seq, p.accepted_offset,
       p.received_at, s.source AS debit_source, s.bank_reference AS debit_reference,
       s.booking_date AS debited_on, r.payment_id IS NOT NULL AS rejected, t.source AS credit_source,
       t.bank_reference AS credit_reference, t.booking_date AS returned_on
FROM payments p
LEFT JOIN LATERAL (SELECT m.batch_id, m.place FROM batch_memberships m WHERE m.payment_id = p.payment_id
                   ORDER BY m.place DESC LIMIT 1) latest ON true
LEFT JOIN settlements s ON s.payment_id = p.payment_id
LEFT JOIN rejections r ON r.payment_id = p.payment_id
LEFT JOIN returns t ON t.payment_id = p.payment_id;
COMMENT ON VIEW payment_standings IS 'Each payment with the batch it is in now and what became of it.';

CREATE VIEW payment_states AS
SELECT p.lane, p.payment_id, p.amount_minor, b.currency, p.account, p.end_to_end_id, b.rail, b.nostro,
       p.batch_id, b.requested_date, p.accepted_seq, p.accepted_offset, p.received_at,
       CASE WHEN p.credit_source IS NOT NULL THEN 'returned'
            WHEN p.debit_source IS NOT NULL THEN 'settled'
            WHEN p.rejected THEN 'rejected'
            WHEN b.submitted_at IS NOT NULL THEN 'submitted'
            WHEN b.sealed_at IS NOT NULL THEN 'claimed'
            ELSE 'held' END AS state
FROM payment_standings p JOIN batches b ON b.batch_id = p.batch_id;
COMMENT ON VIEW payment_states IS 'The one state of each payment, derived from the rows that say what became of it.';
