"""The log read once: who wrote which event, repeats dropped, and what became of each payment by it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.auditor import wire
from tests.auditor.evidence import Evidence, LogRecord

INSTRUCTIONS, PAYMENTS, NOTIFICATIONS = "payment-instructions", "payments", "settlement-notifications"
BANK_NOTIFICATIONS, BANK_STATEMENTS, RECONCILIATION = (
    "bank-notifications",
    "bank-statements",
    "reconciliation",
)
OWN_TOPICS: Mapping[str, tuple[str, ...]] = {
    PAYMENTS: ("ingestion",),
    NOTIFICATIONS: ("settlement",),
    BANK_NOTIFICATIONS: ("settlement", "settlement-gateway"),
    BANK_STATEMENTS: ("reconciliation", "reconciliation-statements"),
    RECONCILIATION: ("reconciliation",),
}
"""Topics that no client may write → the producers that may."""
FEEDS = {"ingestion-intake": "ingestion", "settlement-gateway": "settlement",
         "reconciliation-statements": "reconciliation"}  # fmt: skip
SERVICES = ("ingestion", "settlement", "reconciliation")
_KEPT = frozenset(
    {"client", "idempotency_key", "debtor_account", "creditor_account", "amount_minor", "currency", "rail",
     "end_to_end_id", "requested_execution_date", "account", "name", "source"}
)  # fmt: skip


class Stream(NamedTuple):
    """Events that one producer's lane sends to one partition: numbered without a gap."""

    producer: str
    lane: int
    topic: str
    partition: int

    @property
    def base(self) -> str:
        """The producer without its database's incarnation."""
        return self.producer.partition(".")[0]


class Told(NamedTuple):
    """An event of ours when it first stood on its topic."""

    record: LogRecord
    stream: Stream
    seq: int
    event: wire.Event | None


class Asked(NamedTuple):
    """A client's record that asks for something."""

    record: LogRecord
    request: wire.Event
    body: bytes


@dataclass(slots=True)
class Fate:
    """What the events say of one payment."""

    payment_id: bytes
    decided: list[Told] = field(default_factory=list)
    submitted: list[Told] = field(default_factory=list)
    settled: list[Told] = field(default_factory=list)
    rejected: list[Told] = field(default_factory=list)
    returned: list[Told] = field(default_factory=list)
    refunded: list[Told] = field(default_factory=list)
    contradicted: list[Told] = field(default_factory=list)

    @property
    def instruction(self) -> Mapping[str, Any]:
        """The instruction as ingestion told it; empty where it told none."""
        event = self.decided[0].event if self.decided else None
        return event.fields["instruction"] if event is not None else {}

    @property
    def accepted(self) -> bool:
        """Ingestion took it."""
        event = self.decided[0].event if self.decided else None
        return event is not None and event.name == "PaymentAccepted"

    @property
    def amount_minor(self) -> int:
        """Minor units, of the instruction."""
        return int(self.instruction.get("amount_minor", 0))


_PLACES = {
    "PaymentAccepted": "decided",
    "PaymentRejected": "decided",
    "PaymentSubmitted": "submitted",
    "PaymentSettled": "settled",
    "PaymentRejectedByBank": "rejected",
    "PaymentReturned": "returned",
    "PaymentRefunded": "refunded",
    "SettlementContradicted": "contradicted",
}
_READ_TOPICS = (PAYMENTS, NOTIFICATIONS)


@dataclass(slots=True)
class History:
    """`streams`: all records by stream in offset order, repeats included. `firsts`: events by partition.

    `asked`: requests by (topic's partition) in offset order. `unread`: client records that are no request.
    `strangers`: records on our own topics that none of their producers wrote.
    """

    streams: dict[Stream, list[tuple[int, LogRecord]]] = field(default_factory=lambda: defaultdict(list))
    firsts: dict[tuple[str, int], list[Told]] = field(default_factory=lambda: defaultdict(list))
    fates: dict[bytes, Fate] = field(default_factory=dict)
    asked: dict[int, list[Asked]] = field(default_factory=lambda: defaultdict(list))
    unread: list[LogRecord] = field(default_factory=list)
    strangers: list[LogRecord] = field(default_factory=list)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)

    def told(self, topic: str, *names: str) -> Iterator[Told]:
        """Events of those kinds on a topic, partition by partition."""
        for (of_topic, _), events in sorted(self.firsts.items()):
            if of_topic == topic:
                for each in events:
                    if each.event is not None and each.event.name in names:
                        yield each


def read(evidence: Evidence) -> History:
    """Read the log in the order of its offsets."""
    found = History()
    highest: dict[Stream, int] = {}
    for record in sorted(evidence.log, key=lambda each: (each.topic, each.partition, each.offset)):
        found.ends[record.topic, record.partition] = record.offset + 1
        headers = dict(reversed(record.headers))
        stream, seq = _origin(record, headers)
        if record.topic == INSTRUCTIONS:
            _read_request(record, headers, found)
        elif record.topic in OWN_TOPICS and (stream is None or stream.base not in OWN_TOPICS[record.topic]):
            found.strangers.append(record)
            continue
        if stream is None:
            continue
        found.streams[stream].append((seq, record))
        if seq <= highest.get(stream, 0):
            continue
        highest[stream] = seq
        event = _slim(wire.decode(record.value)) if record.topic in _READ_TOPICS else None
        told = Told(record, stream, seq, event)
        found.firsts[record.topic, record.partition].append(told)
        if event is not None and event.name in _PLACES:
            payment_id = event.fields["payment_id"]
            fate = found.fates.setdefault(payment_id, Fate(payment_id))
            getattr(fate, _PLACES[event.name]).append(told)
    found.ends.update(evidence.ends)
    found.fates.pop(wire.NO_ID, None)
    return found


def _origin(record: LogRecord, headers: Mapping[str, bytes]) -> tuple[Stream | None, int]:
    try:
        producer, lane, seq = headers["producer"].decode(), int(headers["lane"]), int(headers["seq"])
    except (KeyError, ValueError, AttributeError, UnicodeDecodeError):
        return None, 0
    stream = Stream(producer, lane, record.topic, record.partition)
    return (stream, seq) if stream.base in SERVICES or stream.base in FEEDS else (None, 0)


def _read_request(record: LogRecord, headers: Mapping[str, bytes], found: History) -> None:
    request = wire.read_request(record.value, headers.get("ce_type") or b"")
    fields = {} if request is None else request.fields
    named = all(isinstance(fields.get(name), str) and fields[name] for name in ("client", "idempotency_key"))
    account = fields.get("debtor_account") or fields.get("account")
    if request is None or not named or not isinstance(account, str):
        found.unread.append(record)
        return
    value = record.value or b""
    body = wire.body_of(value) if value[:1] == b"\0" else b""
    slim = _slim(request)
    assert slim is not None
    found.asked[record.partition].append(Asked(record, slim, body))


def _slim(event: wire.Event | None) -> wire.Event | None:
    """The event without what no check reads: a long history must fit into memory."""
    if event is None:
        return None
    if event.name in ("PaymentInstruction", "AccountOpenRequested", "AccountFundRequested"):
        return wire.Event(event.name, {n: v for n, v in event.fields.items() if n in _KEPT})
    instruction = event.fields.get("instruction")
    if instruction is None:
        return event
    kept = {name: value for name, value in instruction.items() if name in _KEPT}
    return wire.Event(event.name, {**event.fields, "instruction": kept})
