"""A desk for settlement's tests: its database, its handler, and records as the lanes would hand them in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from aiokafka import ConsumerRecord

from goodfunds.clock import millis
from goodfunds.events import types
from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.ids import NO_ID, payment_id
from goodfunds.lanes import Poll, lane_of
from goodfunds.lanes.records import OwnEvent
from goodfunds.postgres import connect
from goodfunds.rails import RAILS
from services.settlement.handlers import SettlementHandler

PARTITIONS = 4
NOSTRO = "DE89370400440532013000"
NOSTRO_LANE = lane_of(NOSTRO, PARTITIONS)
DAY = date(2026, 3, 3)
MORNING = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
EVENING = datetime(2026, 3, 3, 18, 0, tzinfo=UTC)


class Numbers:
    """Gives every destination its numbers from 1."""

    def __init__(self) -> None:
        self.next: Counter[tuple[int, str, int]] = Counter()

    def of(self, lane: int, topic: str, partition: int) -> int:
        return self.next[lane, topic, partition] + 1


def instruction(**changes: Any) -> types.PaymentInstruction:
    """An instruction that the rail takes."""
    fields: dict[str, Any] = {
        "amount_minor": 100_00, "requested_execution_date": DAY, "currency": "EUR", "rail": "sepa-credit",
        "client": "client", "idempotency_key": "key", "end_to_end_id": "E2E-1", "uetr": "",
        "debtor_account": "customer-1", "debtor_name": "Customer One",
        "creditor_account": "FR1420041010050500013M02606", "creditor_name": "Creditor", "creditor_agent": "",
        "charge_bearer": "SLEV", "remittance_unstructured": "invoice", "remittance_reference": "",
        "creditor_street": "", "creditor_building": "", "creditor_postcode": "", "creditor_town": "",
        "creditor_country": "", "creditor_address_lines": (),
    }  # fmt: skip
    return types.PaymentInstruction(**{**fields, **changes})


@dataclass
class Desk:
    """Hands polls to the handler, commits them, and delivers what it sends on to itself."""

    connection: Any
    handler: SettlementHandler = field(default_factory=lambda: SettlementHandler(NOSTRO, "EUR", RAILS))
    numbers: Numbers = field(default_factory=Numbers)
    offsets: Counter[tuple[str, int]] = field(default_factory=Counter)
    told: list[Any] = field(default_factory=list)
    log: list[ConsumerRecord] = field(default_factory=list)
    own: list[tuple[int, OwnEvent]] = field(default_factory=list)

    def record(self, topic: str, lane: int, value: bytes) -> ConsumerRecord:
        """A record of one of our own producers."""
        self.offsets[topic, lane] += 1
        number = self.offsets[topic, lane]
        headers = (("producer", b"test.1"), ("lane", b"%d" % lane), ("seq", b"%d" % number))
        record = ConsumerRecord(
            topic=topic, partition=lane, offset=number - 1, timestamp=millis(MORNING), timestamp_type=1,
            key=b"account", value=value, checksum=None, serialized_key_size=7,
            serialized_value_size=len(value), headers=headers,
        )  # fmt: skip
        self.log.append(record)
        return record

    async def poll(
        self, records: dict[int, list[ConsumerRecord]], now: datetime = MORNING, due: bool = False
    ) -> list[Any]:
        """One transaction; the events told on settlement-notifications. What is sent on is handled next."""
        lanes = list(range(PARTITIONS))
        found = await self.handler.due(self.connection, lanes, now) if due else {}
        poll = Poll(now, PARTITIONS, self.numbers, records, dict(found))
        async with self.connection.transaction():
            emissions = await self.handler.handle(self.connection, poll)
        events = []
        onward: dict[int, list[ConsumerRecord]] = {}
        for lane, of_lane in emissions.items():
            for each in of_lane:
                self.numbers.next[lane, each.topic, each.partition] += 1
                seq = self.numbers.next[lane, each.topic, each.partition]
                self.own.append((lane, OwnEvent(
                    each.topic, each.partition, seq, each.key, each.event_type, each.body,
                )))  # fmt: skip
                if each.topic == SETTLEMENT_NOTIFICATIONS:
                    assert each.partition == lane
                    events.append(types.decode(each.body))
                else:
                    onward.setdefault(each.partition, []).append(
                        self.record(BANK_NOTIFICATIONS, each.partition, each.body)
                    )
        if onward:
            events += await self.poll(onward, now)
        else:
            self.told += events
        return events

    async def accept(self, *instructions: types.PaymentInstruction, now: datetime = MORNING) -> list[bytes]:
        """Have payments accepted; their ids."""
        records: dict[int, list[ConsumerRecord]] = {}
        made = []
        for each in instructions:
            identifier = payment_id(millis(MORNING), each.client, each.idempotency_key)
            lane = lane_of(each.debtor_account, PARTITIONS)
            event = types.PaymentAccepted(payment_id=identifier, instruction=each, accepted_at=0)
            records.setdefault(lane, []).append(self.record(PAYMENTS, lane, event.encode()))
            made.append(identifier)
        await self.poll(records, now)
        return made

    async def tell(self, lane: int, *notices: Any, now: datetime = EVENING) -> list[Any]:
        """Have the bank's answers handled in one poll of a lane."""
        records = [self.record(BANK_NOTIFICATIONS, lane, each.encode()) for each in notices]
        return await self.poll({lane: records}, now)

    async def close(self, now: datetime = EVENING) -> None:
        """Let the cut-off pass."""
        await self.poll({}, now, due=True)

    async def states(self) -> dict[bytes, str]:
        rows = await self.connection.fetch("SELECT payment_id, state FROM payment_states")
        return {row[0]: row[1] for row in rows}

    async def batch_of(self, identifier: bytes) -> Any:
        return await self.connection.fetchrow(
            "SELECT b.* FROM payment_standings p JOIN batches b USING (batch_id) WHERE p.payment_id = $1",
            identifier,
        )

    async def balance(self, account: str) -> int:
        found = await self.connection.fetchval(
            "SELECT sum(balance_minor)::bigint FROM balances WHERE account = $1", account
        )
        return int(found or 0)


def booked(amount_minor: int = 100_00, **changes: Any) -> types.BankEntryReported:
    """A booked debit in a camt.054 that names nothing of ours but the EndToEndId."""
    fields: dict[str, Any] = {
        "payment_id": NO_ID, "batch_id": NO_ID, "amount_minor": amount_minor, "reported_at": 0,
        "currency": "EUR", "credit_debit": "DBIT", "status": "BOOK", "reversal": False, "is_return": False,
        "nostro": NOSTRO, "end_to_end_id": "E2E-1", "instruction_id": "", "bank_reference": "BANK-1",
        "booking_date": DAY, "value_date": DAY, "reason_code": "", "reason": "", "source": "camt.054",
        "notification_id": "N-1#0", "transaction_count": 1,
    }  # fmt: skip
    return types.BankEntryReported(**{**fields, **changes})


def kinds(events: Sequence[Any]) -> list[str]:
    """The names of events, of contradictions their kind."""
    return [
        each.kind if isinstance(each, types.SettlementContradicted) else type(each).__name__
        for each in events
    ]


async def opened(dsn: str) -> Any:
    """A connection of the kind that handlers get."""
    return await connect(dsn, "settlement tests")
