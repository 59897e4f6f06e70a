"""Ingestion's handler: instructions into payments, answers into refunds; read, decide, write for a poll."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import Counter

from goodfunds import ids
from goodfunds.events import types
from goodfunds.events.subject import payment_of
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction
from goodfunds.lanes import Emission, Input, Poll
from goodfunds.lanes.records import Connection, Record
from goodfunds.ledger.store import write_postings
from goodfunds.rails.reasons import Refusal
from services.ingestion import store, told
from services.ingestion.decide import decide_funding, decide_opening, decide_payment, decide_refund
from services.ingestion.incoming import Asked, Incoming, Unusable, digest_of, read, read_request
from services.ingestion.model import (
    Accepted,
    Decision,
    Funded,
    Granted,
    Opened,
    Refunded,
    Refused,
    Rejected,
    State,
)
from services.ingestion.outgoing import Outgoing
from services.ingestion.told import ToldBefore

FORWARDED = Counter(
    "goodfunds_records_forwarded_total", "Records that lay on another lane than their account's"
)
REFUSED = Counter("goodfunds_records_refused_total", "Client records that are no payment")


class IngestionHandler:
    """Handles polls of `payment-instructions` and `settlement-notifications`."""

    producer = "ingestion"
    inputs = (Input(PAYMENT_INSTRUCTIONS, client_writable=True), Input(SETTLEMENT_NOTIFICATIONS))
    outputs = (PAYMENTS, PAYMENT_INSTRUCTIONS)

    async def due(
        self,
        connection: Connection,  # noqa: ARG002 - the handlers' contract
        lanes: Sequence[int],  # noqa: ARG002 - the handlers' contract
        now: datetime,  # noqa: ARG002 - the handlers' contract
    ) -> Mapping[int, list[Any]]:
        """Nothing falls due in ingestion: it waits for others."""
        return {}

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        """Read what the poll touches, decide each event in order, write all of it."""
        incoming = read(poll)
        state = await store.load(connection, incoming)
        before = await told.load(connection, incoming)
        lanes = {lane: Outgoing(poll, lane) for lane in incoming}
        for lane, of_lane in incoming.items():
            _decide(state, lane, of_lane, lanes[lane], before)
        await before.forget(connection)
        for table in store.COLUMNS:
            await store.insert(
                connection, table, [row for outgoing in lanes.values() for row in outgoing.rows[table]]
            )
        postings = {lane: outgoing.postings for lane, outgoing in lanes.items()}
        await write_postings(connection, postings, poll.now)
        FORWARDED.inc(sum(len(outgoing.rows["forwarded_records"]) for outgoing in lanes.values()))
        REFUSED.inc(sum(len(outgoing.rows["refused_records"]) for outgoing in lanes.values()))
        return {lane: outgoing.emissions for lane, outgoing in lanes.items()}

    def key_of(self, record: Record) -> bytes:
        """The account: of a client's record the one in its body, since its key is not trusted."""
        if record.topic != PAYMENT_INSTRUCTIONS:
            return record.key or b""
        asked = read_request(record)
        if isinstance(asked, Asked):
            return asked.account.encode()
        # What is no request has no account, and nothing waits behind it.
        return f"{record.topic}/{record.partition}/{record.offset}".encode()

    def amount_of(self, record: Record) -> tuple[int, str] | None:
        """What a parked record is about; None where it cannot be read."""
        if record.topic == PAYMENT_INSTRUCTIONS:
            asked = read_request(record)
            request: Any = asked.request if isinstance(asked, Asked) else None
        else:
            try:
                request = types.decode(record.value)
            except Exception:
                return None
        amount = getattr(request, "amount_minor", None)
        return None if amount is None else (amount, request.currency)

    def payment_of(self, record: Record) -> bytes | None:
        """The payment that a record is about; of an instruction the one that it asks for."""
        if record.topic != PAYMENT_INSTRUCTIONS:
            return payment_of(record.value)
        asked = read_request(record)
        if not isinstance(asked, Asked) or not isinstance(asked.request, PaymentInstruction):
            return None
        return ids.payment_id(asked.first_time, asked.request.client, asked.request.idempotency_key)


def _decide(state: State, lane: int, incoming: Incoming, outgoing: Outgoing, before: ToldBefore) -> None:
    """What was refused or sent on before stands, and is neither decided nor told again."""
    for unusable in incoming.unusable:
        if (lane, unusable.record.offset) not in state.refused:
            outgoing.refuse(unusable, before.take(lane, told.REFUSED, told.place(unusable.record)))
    for asked, to_lane in incoming.forwarded:
        if (lane, asked.record.offset) not in state.forwarded:
            reference = told.forwarding(to_lane, asked.request.encode())
            outgoing.forward(asked, to_lane, before.take(lane, told.FORWARDED, reference))
    for asked in incoming.asked:
        if (lane, asked.record.offset) not in state.refused:
            _decide_request(state, lane, asked, outgoing, before)
    for record, notice in incoming.notices:
        stands = before.take(lane, told.REFUNDED, notice.payment_id.hex())
        refund = decide_refund(state, lane, notice, stands.credited_account if stands else None)
        if isinstance(refund, Refunded):
            outgoing.refund(record, notice, refund, stands)


def _digest(state: State, asked: Asked) -> bytes:
    """The digest under which a request is known.

    One that was adopted from its rejection has that of the body as we write it: the client's own bytes, which
    may say the same otherwise, are in no event.
    """
    request = asked.request
    known = state.payment_keys.get((request.client, request.idempotency_key))
    if known is None or known == asked.digest or known != digest_of(request.body()):
        return asked.digest
    return known


def _decide_request(state: State, lane: int, asked: Asked, outgoing: Outgoing, before: ToldBefore) -> None:
    refused = before.take(lane, told.REFUSED, told.place(asked.record))
    if refused is not None:
        # Whatever would be decided now: that it was refused stands.
        refusal = Refusal(refused.reason_code, refused.reason)
        client, key = asked.request.client, asked.request.idempotency_key
        outgoing.refuse(Unusable(asked.record, refusal, client, key), refused)
        return
    request = asked.request
    decision: Decision
    if isinstance(request, PaymentInstruction):
        payment_id = ids.payment_id(asked.first_time, request.client, request.idempotency_key)
        decision = decide_payment(state, lane, request, payment_id, _digest(state, asked))
        if isinstance(decision, Accepted):
            outgoing.accept(asked, payment_id, decision.posting)
            return
        if isinstance(decision, Rejected):
            outgoing.reject(asked, payment_id, decision.refusal)
            return
    elif isinstance(request, AccountOpenRequested):
        decision = decide_opening(state, lane, request, asked.digest)
        if isinstance(decision, Opened):
            outgoing.open(asked, decision.account)
            return
        if isinstance(decision, Granted):
            before.take(lane, told.OPENED, told.opening(request))
            outgoing.grant(asked)
            return
    else:
        assert isinstance(request, AccountFundRequested)
        entry_id = ids.derived_id(
            asked.first_time, b"funding", request.client.encode(), request.idempotency_key.encode()
        )
        decision = decide_funding(state, lane, request, entry_id, asked.digest)
        if isinstance(decision, Funded):
            stands = before.take(lane, told.FUNDED, told.funding(request))
            outgoing.fund(asked, decision.posting, request.source, stands)
            return
    if isinstance(decision, Refused):
        outgoing.refuse(Unusable(asked.record, decision.refusal, request.client, request.idempotency_key))
