"""Reads a poll's records: what clients ask for, what belongs on another lane, what cannot be read."""

from dataclasses import dataclass, field
from hashlib import blake2b

from goodfunds.errors import InvariantBroken, Unreadable
from goodfunds.events import types
from goodfunds.events.json_bodies import CLIENT_EVENTS, ClientEvent, InvalidBody, decode_json
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import PaymentInstruction, PaymentRejectedByBank, PaymentReturned
from goodfunds.lanes import Poll, lane_of
from goodfunds.lanes.headers import header
from goodfunds.lanes.records import Record
from goodfunds.rails import reasons as code
from goodfunds.rails.reasons import Refusal
from goodfunds.rails.requests import LARGEST_RECORD, LONGEST_CLIENT, LONGEST_KEY, account_of, form

_AVRO = frozenset(event.SCHEMA_ID for event in CLIENT_EVENTS.values())
_DIGEST_BYTES = 16
_LONGEST_REASON = 400
_CURRENT = PaymentInstruction.SCHEMA_ID.to_bytes(5, "big")
_LONGEST_TIME_AHEAD_MS = 60_000
_LONGEST_TIME = 13
"""Digits of a time in ms until the year 2286."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A client's request: `body` is its Avro body, `first_time` ms of the broker that had it first."""

    record: Record
    request: ClientEvent
    account: str
    body: bytes
    digest: bytes
    first_time: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A record that is no request; client and key where they could be read."""

    record: Record
    refusal: Refusal
    client: str = ""
    idempotency_key: str = ""


@dataclass(slots=True)
class Incoming:
    """A lane's records of a poll, in order."""

    asked: list[Asked] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    forwarded: list[tuple[Asked, int]] = field(default_factory=list)
    notices: list[tuple[Record, PaymentRejectedByBank | PaymentReturned]] = field(default_factory=list)


_OTHERS = frozenset(
    event.SCHEMA_ID.to_bytes(5, "big")
    for event in (
        types.PaymentSubmitted,
        types.PaymentSettled,
        types.PaymentDelayed,
        types.SettlementContradicted,
    )
)
"""Settlement's events that change nothing here, and are not read."""


def read(poll: Poll) -> dict[int, Incoming]:
    """Sort a poll's records by what they are. Raises InvariantBroken on what settlement cannot write."""
    found: dict[int, Incoming] = {}
    for lane, records in poll.records.items():
        incoming = found[lane] = Incoming()
        for record in records:
            if record.topic != PAYMENT_INSTRUCTIONS:
                _read_notice(record, incoming)
                continue
            asked = read_request(record)
            if isinstance(asked, Unusable):
                incoming.unusable.append(asked)
                continue
            to_lane = lane_of(asked.account, poll.partitions)
            if to_lane != lane:
                incoming.forwarded.append((asked, to_lane))
            else:
                incoming.asked.append(asked)
    return found


def _read_notice(record: Record, incoming: Incoming) -> None:
    value = record.value
    if value is not None and value[:5] in _OTHERS:
        return
    try:
        notice = types.decode(value)
    except Unreadable as fault:
        raise InvariantBroken(f"{record.topic}/{record.partition}/{record.offset}: {fault}") from fault
    if not isinstance(notice, (PaymentRejectedByBank, PaymentReturned)):
        raise InvariantBroken(f"{type(notice).__name__} does not belong on {record.topic}")
    incoming.notices.append((record, notice))


def read_request(record: Record) -> Asked | Unusable:
    """What a client's record asks for, or why it asks for nothing."""
    value = record.value
    if not value:
        return Unusable(record, Refusal(code.MANDATORY_ELEMENT_MISSING, "the record is empty"))
    if len(value) > LARGEST_RECORD:
        text = f"the record has {len(value)} bytes, {LARGEST_RECORD} is the most"
        return Unusable(record, Refusal(code.CONTENT_INCORRECT, text))
    try:
        request = _decode(record, value)
    except Unreadable as fault:
        refusal = Refusal(code.INVALID_FILE_FORMAT, str(fault)[:_LONGEST_REASON])
        if isinstance(fault, InvalidBody):
            return _unusable(record, refusal, fault.client, fault.idempotency_key)
        return Unusable(record, refusal)
    unfit = form(request)
    if unfit is not None:
        return _unusable(record, unfit, request.client, request.idempotency_key)
    body = value[5:] if value[0] == 0 else request.body()
    return Asked(record, request, account_of(request), body, digest_of(body), _first_time(record))


def digest_of(body: bytes) -> bytes:
    """What tells one request from another of the same key, in 16 bytes."""
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _unusable(record: Record, refusal: Refusal, client: str, idempotency_key: str) -> Unusable:
    """No request, and whose it is; a name that no text column holds names nobody."""
    if "\0" in client + idempotency_key:
        return Unusable(record, refusal)
    return Unusable(record, refusal, client[:LONGEST_CLIENT], idempotency_key[:LONGEST_KEY])


def _decode(record: Record, value: bytes) -> ClientEvent:
    # The fast way: measured, most records are instructions in Avro of the current schema.
    if value[:5] == _CURRENT:
        return types.decode_payment_instruction(value)
    content_type = (header(record, "content-type") or b"").partition(b";")[0].strip().lower()
    if content_type == b"application/json":
        name = (header(record, "ce_type") or b"PaymentInstruction").decode("utf-8", "replace")
        return decode_json(name, value)
    event = types.decode(value)
    if event.SCHEMA_ID not in _AVRO or not isinstance(event, ClientEvent):
        raise Unreadable(f"{type(event).__name__} is no event that clients write")
    return event


def _first_time(record: Record) -> int:
    """The broker's time, ms; of a record that ingestion forwarded the time it first had.

    Topic ACLs say who may write as ingestion; a time that cannot be is ignored all the same.
    """
    forwarded = header(record, "first_time")
    if forwarded is None or not (header(record, "producer") or b"").startswith(b"ingestion."):
        return record.timestamp
    if not forwarded.isdigit() or len(forwarded) > _LONGEST_TIME:
        return record.timestamp
    first = int(forwarded)
    return first if 0 < first <= record.timestamp + _LONGEST_TIME_AHEAD_MS else record.timestamp
