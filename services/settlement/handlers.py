"""Settlement's handler: payments into batches, banks' answers into outcomes; read, decide, write."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from goodfunds.clock import EPOCH
from goodfunds.errors import InvariantBroken, Unreadable
from goodfunds.events import types
from goodfunds.events.passing import decode_instruction, split_payment_accepted
from goodfunds.events.subject import payment_of
from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.lanes import Emission, Input, Poll, lane_of
from goodfunds.lanes.headers import header, origin
from goodfunds.lanes.records import Record
from goodfunds.ledger.store import write_postings
from goodfunds.rails.rail import Rail
from services.settlement import store
from services.settlement.answers import Answers
from services.settlement.batching import FoundBatches, OpenBatches, OpenPayments
from services.settlement.books import Books, Notice
from services.settlement.due import Due, carry_out, find_due
from services.settlement.found import (
    found_of_lanes,
    found_of_payments,
    is_restored,
    seal_found,
    wait_for_others,
)
from services.settlement.model import Payment
from services.settlement.outgoing import Outgoing
from services.settlement.told import ToldBefore

NOT_PROVIDED = "NOTPROVIDED"
"""What stands for an absent EndToEndId towards the bank, and what it echoes (EPC rulebook)."""
_LOOK_BACK = timedelta(days=7)
T = TypeVar("T")


class SettlementHandler:
    """Handles polls of `payments` and `bank-notifications`. Batches go out from `nostro`, in `currency`."""

    producer = "settlement"
    inputs = (Input(PAYMENTS), Input(BANK_NOTIFICATIONS))
    outputs = (SETTLEMENT_NOTIFICATIONS, BANK_NOTIFICATIONS)

    def __init__(self, nostro: str, currency: str, rails: Mapping[str, Rail]) -> None:
        self._nostro = nostro
        self._currency = currency
        self._calendars = {name: rail.batch_date for name, rail in rails.items()}

    async def due(
        self, connection: store.Connection, lanes: Sequence[int], now: datetime
    ) -> Mapping[int, list[Due]]:
        """Open batches whose cut-off has passed, and requests that wait."""
        return await find_due(connection, lanes, now)

    async def handle(self, connection: store.Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        """Seal and do what was asked, then take payments in and answers to heart."""
        restored = await is_restored(connection)
        accepted, notices = _read(poll)
        nostro_lane = lane_of(self._nostro, poll.partitions)
        if restored:
            await wait_for_others(connection, nostro_lane, poll, notices.get(nostro_lane, ()))
        postings = await carry_out(connection, poll) if poll.due else {}
        told, found = ToldBefore(), FoundBatches()
        outgoing, rows, books, still_open = Outgoing(poll, told), store.Rows(), Books(), OpenPayments()
        if notices:
            await books.load(connection, notices)
        latest = []
        if accepted or any(isinstance(n, types.BatchRefused) for of in notices.values() for n in of):
            since = poll.now.date() - _LOOK_BACK
            latest = await store.latest_batches(connection, poll.lanes, since)
        if restored:
            await told.load(connection, [*poll.lanes, nostro_lane], books.payment_ids())
            latest += await found_of_lanes(connection, poll.lanes)
            ids = {*books.payments, *(each.payment_id for each in accepted)}
            found = await found_of_payments(connection, ids)
        batches = OpenBatches(latest, self._calendars, self._nostro, found)
        await _accept(connection, poll, accepted, batches, books, rows, still_open)
        answers = Answers(
            poll, books, batches, outgoing, rows, still_open, postings, self._nostro, self._currency
        )
        for lane, of_lane in notices.items():
            for notice in of_lane:
                answers.take(lane, notice)
        for batch in batches.opened:
            begins = still_open.begin(batch.batch_id)
            rows.add(
                "batches", batch.batch_id, *batch.key, batch.sequence, batch.cut_off_at, poll.now, *begins
            )
        await rows.write(connection)
        # First of a batch's changes: one that is sealed or refused has its bounds.
        await store.add_to_open(connection, still_open.changes())
        if restored:
            await seal_found(connection, poll.lanes, poll.now)
            await told.forget(connection)
        await store.submit_batches(connection, answers.submitted, poll.now)
        await store.refuse_batches(connection, answers.refused, poll.now)
        await write_postings(connection, postings, poll.now)
        return outgoing.by_lane

    def key_of(self, record: Record) -> bytes:
        """The account; on these topics our own producers write it as the key."""
        return record.key or b""

    def amount_of(self, record: Record) -> tuple[int, str] | None:
        """What a parked record is about; None where it cannot be read."""
        try:
            event: Any = types.decode(record.value)
        except Exception:
            return None
        inner = getattr(event, "instruction", event)
        amount, currency = getattr(inner, "amount_minor", None), getattr(inner, "currency", None)
        return (amount, currency) if isinstance(amount, int) and isinstance(currency, str) else None

    def payment_of(self, record: Record) -> bytes | None:
        """The payment that a parked record is about."""
        return payment_of(record.value)


_ACCEPTED = types.PaymentAccepted.SCHEMA_ID.to_bytes(4, "big")
_OTHERS = frozenset(
    event.SCHEMA_ID.to_bytes(4, "big")
    for event in (
        types.PaymentRejected,
        types.InstructionRefused,
        types.AccountOpened,
        types.AccountFunded,
        types.PaymentRefunded,
    )
)
"""Ingestion's events that change nothing here, and are not read."""


class _Accepted(NamedTuple):
    """A payment that ingestion accepted; its instruction is still to be decoded."""

    lane: int
    record: Record
    payment_id: bytes
    amount_minor: int
    instruction: bytes


def _read(poll: Poll) -> tuple[list[_Accepted], dict[int, list[Notice]]]:
    """The poll's acceptances, and the bank's answers by lane."""
    accepted: list[_Accepted] = []
    notices: dict[int, list[Notice]] = {}
    for lane, records in poll.records.items():
        for record in records:
            value = record.value
            if value is None or len(value) < 5 or value[0] != 0:
                raise InvariantBroken(f"{record.topic}/{record.partition}/{record.offset} holds no event")
            if record.topic == PAYMENTS:
                if value[1:5] == _ACCEPTED:
                    accepted.append(
                        _Accepted(lane, record, *_readable(record, split_payment_accepted, value))
                    )
                elif value[1:5] not in _OTHERS:
                    raise InvariantBroken(
                        f"{record.topic}/{record.partition}/{record.offset} holds no event that is known"
                    )
                continue
            try:
                event = types.decode(value)
            except Unreadable as fault:
                raise InvariantBroken(
                    f"{record.topic}/{record.partition}/{record.offset}: {fault}"
                ) from fault
            if not isinstance(event, Notice):
                raise InvariantBroken(f"{type(event).__name__} does not belong on {record.topic}")
            notices.setdefault(lane, []).append(event)
    return accepted, notices


async def _accept(
    connection: store.Connection,
    poll: Poll,
    accepted: Sequence[_Accepted],
    batches: OpenBatches,
    books: Books,
    rows: store.Rows,
    still_open: OpenPayments,
) -> None:
    """Put each accepted payment into its batch, once: one that is known changes nothing."""
    if not accepted:
        return
    known = await store.known_payments(connection, [each.payment_id for each in accepted])
    for lane, record, payment_id, amount_minor, instruction in accepted:
        if payment_id in known:
            continue
        known.add(payment_id)
        asked = _readable(record, decode_instruction, instruction)
        batch = batches.carrying(payment_id) or batches.batch_for(
            lane, asked.rail, asked.currency, asked.requested_execution_date, poll.now
        )
        traceparent = header(record, "traceparent") or b""
        payment = Payment(
            payment_id,
            lane,
            batch.batch_id,
            amount_minor,
            asked.debtor_account,
            asked.end_to_end_id or NOT_PROVIDED,
            traceparent,
        )
        row = store.PaymentRow(
            payment_id=payment_id,
            lane=lane,
            batch_id=batch.batch_id,
            amount_minor=amount_minor,
            account=payment.account,
            end_to_end_id=payment.end_to_end_id,
            accepted_seq=origin(record)[2],
            accepted_offset=record.offset,
            received_at=EPOCH + timedelta(milliseconds=record.timestamp),
            traceparent=traceparent,
            instruction=instruction,
        )
        rows.add("payments", *row)
        still_open.add(payment)
        books.add(payment)
        books.batches[batch.batch_id] = batch


def _readable(record: Record, decode: Callable[[bytes], T], data: bytes | None) -> T:
    """What ingestion wrote. Raises InvariantBroken where it cannot have."""
    try:
        return decode(data or b"")
    except Unreadable as fault:
        raise InvariantBroken(f"{record.topic}/{record.partition}/{record.offset}: {fault}") from fault
