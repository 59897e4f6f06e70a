"""A desk for ingestion's tests: its database, its handler, and records as the lanes would hand them in."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord

from goodfunds.clock import millis
from goodfunds.events import types
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.ids import NO_ID
from goodfunds.lanes import Emission, Poll, lane_of
from goodfunds.lanes.frame import number, pack
from goodfunds.ledger import STATEMENTS
from goodfunds.postgres import connect, statements
from services.ingestion.handlers import IngestionHandler
from tests.unit.ingestion.requests import ACCOUNT, Headers, funding, opening, record

PARTITIONS = 4
LANE = lane_of(ACCOUNT, PARTITIONS)
NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
LEDGER = statements(STATEMENTS)


class Numbers:
    """Gives every destination its numbers from 1."""

    def __init__(self) -> None:
        self.next: Counter[tuple[int, str, int]] = Counter()

    def of(self, lane: int, topic: str, partition: int) -> int:
        return self.next[lane, topic, partition] + 1


@dataclass
class Desk:
    """Hands polls to the handler and commits them; what is sent on to another lane is handled next."""

    connection: Any
    handler: IngestionHandler = field(default_factory=IngestionHandler)
    numbers: Numbers = field(default_factory=Numbers)
    offsets: Counter[tuple[str, int]] = field(default_factory=Counter)
    forwarded: int = 0
    log: list[ConsumerRecord] = field(default_factory=list)

    def record(
        self, value: bytes | None, lane: int = LANE, headers: Headers = (), topic: str = PAYMENT_INSTRUCTIONS
    ) -> ConsumerRecord:
        """The next record of a partition."""
        self.offsets[topic, lane] += 1
        offset = self.offsets[topic, lane] - 1
        found = record(value, headers, topic, lane, offset, millis(NOW) + offset)
        self.log.append(found)
        return found

    async def poll(self, records: dict[int, list[ConsumerRecord]]) -> list[Any]:
        """One transaction; what it told on `payments`."""
        poll = Poll(NOW, PARTITIONS, self.numbers, records)
        async with self.connection.transaction():
            emissions = await self.handler.handle(self.connection, poll)
        told = []
        onward: dict[int, list[ConsumerRecord]] = {}
        for lane, of_lane in emissions.items():
            # What cannot be framed could not be published: the lanes would park its record.
            pack(number(of_lane, {}))
            for each in of_lane:
                self.numbers.next[lane, each.topic, each.partition] += 1
                if each.topic == PAYMENTS:
                    assert each.partition == lane
                    told.append(types.decode(each.body))
                else:
                    onward.setdefault(each.partition, []).append(self._forwarded(each))
        if onward:
            self.forwarded += sum(map(len, onward.values()))
            told += await self.poll(onward)
        return told

    def _forwarded(self, each: Emission) -> ConsumerRecord:
        headers = [("producer", b"ingestion.test"), ("first_time", b"%d" % each.first_time)]
        return self.record(each.body, each.partition, headers)

    async def ask(self, *requests: Any, lane: int | None = None, headers: Headers = ()) -> list[Any]:
        """Have requests (events, or bytes) handled in one poll, each on its account's lane or on `lane`."""
        records: dict[int, list[ConsumerRecord]] = {}
        for each in requests:
            value = each if isinstance(each, bytes) else each.encode()
            account = getattr(each, "debtor_account", None) or getattr(each, "account", ACCOUNT)
            to_lane = lane_of(account, PARTITIONS) if lane is None else lane
            records.setdefault(to_lane, []).append(self.record(value, to_lane, headers))
        return await self.poll(records)

    async def open(self, amount_minor: int, account: str = ACCOUNT) -> None:
        """Have an account that holds an amount."""
        wish, gift = opening(account, f"open-{account}"), funding(amount_minor, account, f"fund-{account}")
        assert len(await self.ask(wish, gift)) == 2

    async def tell(self, notice: Any, lane: int = LANE, seq: int = 1) -> list[Any]:
        """Have one of settlement's events handled."""
        headers = [("producer", b"settlement.1"), ("lane", b"%d" % lane), ("seq", b"%d" % seq)]
        found = self.record(notice.encode(), lane, headers, SETTLEMENT_NOTIFICATIONS)
        return await self.poll({lane: [found]})

    async def balance(self, account: str) -> int:
        rows = await self.connection.fetch(LEDGER["balances_of_account"], account)
        return sum(row["balance_minor"] for row in rows)

    async def count(self, table: str) -> int:
        return int(await self.connection.fetchval(f"SELECT count(*) FROM {table}"))

    async def assert_books_balance(self) -> None:
        """Every balance is the sum of its postings, and by lane and currency all add up to nothing."""
        assert await self.connection.fetch(LEDGER["ledger_differences"]) == []
        assert {row["sum_minor"] for row in await self.connection.fetch(LEDGER["ledger_sums"])} <= {0}


def rejected_by_bank(payment_id: bytes, amount_minor: int, account: str = ACCOUNT) -> Any:
    """The bank refused a payment."""
    return types.PaymentRejectedByBank(
        payment_id, NO_ID, amount_minor, 0, account, "EUR", "sepa-credit", "", "", "AC04", "closed"
    )


def returned_by_bank(payment_id: bytes, amount_minor: int, account: str = ACCOUNT) -> Any:
    """The bank gave a payment back after its debit."""
    return types.PaymentReturned(
        payment_id, NO_ID, amount_minor, 0, 0, account, "EUR", "sepa-credit", "", "", "R-1", "AC04", "closed",
        NOW.date(),
    )  # fmt: skip


@asynccontextmanager
async def desk_on(dsn: str) -> AsyncIterator[Desk]:
    """A desk on a database of ingestion's."""
    connection = await connect(dsn, "ingestion tests")
    try:
        yield Desk(connection)
    finally:
        await connection.close()
