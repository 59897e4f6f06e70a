"""A reconciliation database with its handler, fed with events as the lanes would feed them."""

import random
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from goodfunds.clock import micros
from goodfunds.events import types
from goodfunds.ids import NO_ID, derived_id
from goodfunds.lanes import Emission, Poll, lane_of
from goodfunds.lanes.records import Connection
from goodfunds.postgres import connect
from services.reconciliation.handlers import ReconciliationHandler
from services.reconciliation.store import SQL

PARTITIONS = 3
NOSTRO = "DE89370400440532013000"
NOSTRO_LANE = lane_of(NOSTRO, PARTITIONS)
OTHER_LANE = (NOSTRO_LANE + 1) % PARTITIONS
DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
AT = micros(NOW)


class Fed(NamedTuple):
    """An event on its way: to a lane, on a topic, from a producer's lane."""

    lane: int
    topic: str
    event: Any
    sender: int


@dataclass
class FakeRecord:
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp: int = 0


class Preview:
    def of(self, lane: int, topic: str, partition: int) -> int:
        return 1


def payment(number: int) -> bytes:
    return derived_id(1_700_000_000_000 + number, b"payment")


def batch(number: int) -> bytes:
    return derived_id(1_700_000_000_000 + number, b"batch")


def statement(number: int) -> bytes:
    return derived_id(1_700_000_000_000 + number, b"statement")


def submitted(
    number: int, amount: int, batch_number: int = 1, end_to_end_id: str = "", at: int = AT
) -> types.PaymentSubmitted:
    return types.PaymentSubmitted(
        payment(number), batch(batch_number), amount, at, f"customer-{number}", "EUR", "sepa-credit", NOSTRO,
        end_to_end_id, "GF1", DAY,
    )  # fmt: skip


def settled(number: int, amount: int, batch_number: int = 1, end_to_end_id: str = "") -> types.PaymentSettled:
    return types.PaymentSettled(
        payment(number), batch(batch_number), amount, AT, f"customer-{number}", "EUR", "sepa-credit", NOSTRO,
        end_to_end_id, f"bank-{number}", DAY, "booked",
    )  # fmt: skip


def rejected(number: int, amount: int, batch_number: int = 1) -> types.PaymentRejectedByBank:
    return types.PaymentRejectedByBank(
        payment(number), batch(batch_number), amount, AT, f"customer-{number}", "EUR", "sepa-credit", NOSTRO,
        "", "AC04", "",
    )  # fmt: skip


def returned(number: int, amount: int, charges: int = 0) -> types.PaymentReturned:
    return types.PaymentReturned(
        payment(number), batch(1), amount, charges, AT, f"customer-{number}", "EUR", "sepa-credit", NOSTRO,
        "", f"return-{number}", "AC04", "", DAY,
    )  # fmt: skip


def contradicted(
    number: int | None, amount: int, kind: str, bank_reference: str = ""
) -> types.SettlementContradicted:
    return types.SettlementContradicted(
        payment(number) if number is not None else NO_ID, amount, AT, "", "EUR", "sepa-credit", NOSTRO, "",
        bank_reference, kind, "", "",
    )  # fmt: skip


def line(
    number: int | None,
    amount: int,
    line_number: int,
    statement_number: int = 1,
    batch_number: int | None = None,
    count: int = 1,
    end_to_end_id: str = "",
    bank_reference: str = "",
) -> types.StatementLine:
    return types.StatementLine(
        statement(statement_number), payment(number) if number is not None else NO_ID,
        batch(batch_number) if batch_number is not None else NO_ID, amount, line_number, "EUR", NOSTRO,
        end_to_end_id, "", bank_reference, "BOOK", False, False, DAY, DAY, "", count, "",
    )  # fmt: skip


def opened(
    number: int, opening: int, closing: int, lines: Sequence[types.StatementLine] = (), **changes: Any
) -> types.StatementOpened:
    fields: dict[str, Any] = {
        "lines_sum_minor": sum(each.amount_minor for each in lines) if lines else closing - opening,
        "statement_number": str(number), "bank_statement_id": f"S{number}",
        "from_date": date(2026, 11, 22 + number), "to_date": date(2026, 11, 22 + number),
    }  # fmt: skip
    fields |= changes
    return types.StatementOpened(
        statement_id=fields.pop("statement_id", statement(number)),
        opening_minor=opening, closing_minor=closing,
        opened_at=AT, currency="EUR", nostro=NOSTRO, lines_count=len(lines), **fields,
    )  # fmt: skip


def closed(lines: Iterable[types.StatementLine], number: int = 1) -> types.StatementClosed:
    mine = list(lines)
    return types.StatementClosed(
        statement(number), sum(each.amount_minor for each in mine), AT, NOSTRO, "EUR", len(mine),
        date(2026, 11, 22 + number),
    )  # fmt: skip


def from_settlement(lane: int, *events: Any) -> list[Fed]:
    return [Fed(lane, "settlement-notifications", event, lane) for event in events]


def from_reader(lane: int, *events: Any) -> list[Fed]:
    return [Fed(lane, "bank-statements", event, -1) for event in events]


def whole_statement(lines: dict[int, list[types.StatementLine]], number: int = 1) -> list[Fed]:
    """Each lane's lines and closing, as the reader sends them."""
    fed = []
    for lane in range(PARTITIONS):
        mine = lines.get(lane, [])
        fed += from_reader(lane, *mine, closed(mine, number))
    return fed


def business(source: random.Random) -> list[Fed]:
    """A day of payments in two lanes: rejected, returned, settled; lines that echo much or little."""
    fed: list[Fed] = []
    lines: dict[int, list[types.StatementLine]] = {}
    number = 0

    def add(lane: int, found: types.StatementLine) -> None:
        lines.setdefault(lane, []).append(found)

    for payment_number in range(1, 13):
        lane = source.choice([NOSTRO_LANE, OTHER_LANE])
        amount = source.choice([100, 200])
        in_batch = source.randint(1, 2)
        batch_number = 10 * lane + in_batch
        end_to_end_id = f"E{payment_number}"
        fed += from_settlement(lane, submitted(payment_number, amount, batch_number, end_to_end_id))
        fate = source.choice(["settled", "rejected", "returned", "none", "late"])
        if fate == "rejected":
            fed += from_settlement(lane, rejected(payment_number, amount, batch_number))
        if fate in ("settled", "returned"):
            fed += from_settlement(lane, settled(payment_number, amount, batch_number, end_to_end_id))
        if fate == "returned":
            fed += from_settlement(lane, returned(payment_number, amount))
        if in_batch == 2:
            continue
        shown = -amount if source.random() < 0.9 else -amount + 1
        if fate != "rejected" and source.random() < 0.3:
            number += 1
            add(NOSTRO_LANE, line(None, shown, number, end_to_end_id=end_to_end_id))
        else:
            for _ in range(source.choice([0, 1, 1, 1, 2])):
                number += 1
                add(lane, line(payment_number, shown, number))
        if fate == "returned" and source.random() < 0.8:
            number += 1
            add(lane, line(payment_number, amount, number))
    for lane in (NOSTRO_LANE, OTHER_LANE):
        number += 1
        count = source.randint(1, 3)
        add(lane, line(None, -100 * count, number, batch_number=10 * lane + 2, count=count))
    return fed + whole_statement(lines)


@dataclass
class Scene:
    connection: Connection
    handler: ReconciliationHandler = field(default_factory=ReconciliationHandler)
    published: list[Emission] = field(default_factory=list)
    seqs: dict[tuple[str, int, int], int] = field(default_factory=dict)
    next_offsets: Counter[tuple[str, int]] = field(default_factory=Counter)
    log: list[FakeRecord] = field(default_factory=list)

    async def feed(self, *fed: Fed) -> list[Emission]:
        """One poll; lines handed over follow in polls of their own. What was published in all of them."""
        emissions = await self._poll(fed)
        again = [
            Fed(each.partition, each.topic, types.decode(each.body), NOSTRO_LANE)
            for each in emissions
            if each.topic == "bank-statements"
        ]
        if again:
            emissions += await self.feed(*again)
        return emissions

    async def feed_in_some_order(self, fed: Sequence[Fed], source: random.Random) -> None:
        """In polls of any size, keeping only the order within each topic of each lane."""
        queues: dict[tuple[int, str], deque[Fed]] = {}
        for each in fed:
            queues.setdefault((each.lane, each.topic), deque()).append(each)
        poll = []
        while queues:
            key = source.choice(sorted(queues))
            poll.append(queues[key].popleft())
            if not queues[key]:
                del queues[key]
            if source.random() < 0.3 or not queues:
                await self.feed(*poll)
                poll = []
        await self.settle_due()

    async def settle_due(self) -> list[Emission]:
        """What falls due, until nothing does."""
        found: list[Emission] = []
        while due := await self.handler.due(self.connection, list(range(PARTITIONS)), NOW):
            found += await self._poll((), dict(due))
            again = [
                Fed(each.partition, each.topic, types.decode(each.body), NOSTRO_LANE)
                for each in found
                if each.topic == "bank-statements"
            ]
            await self.feed(*again)
        return found

    async def _poll(self, fed: Iterable[Fed], due: dict[int, list[Any]] | None = None) -> list[Emission]:
        poll = Poll(NOW, PARTITIONS, Preview(), due=due or {})
        for each in fed:
            place = each.topic, each.lane, each.sender
            self.seqs[place] = self.seqs.get(place, 0) + 1
            headers = (
                ("producer", b"test"),
                ("lane", b"%d" % each.sender),
                ("seq", b"%d" % self.seqs[place]),
            )
            self.next_offsets[each.topic, each.lane] += 1
            offset = self.next_offsets[each.topic, each.lane]
            record = FakeRecord(each.topic, each.lane, offset, b"key", each.event.encode(), headers)
            self.log.append(record)
            poll.records.setdefault(each.lane, []).append(record)
        for records in poll.records.values():
            records.sort(key=lambda record: record.topic != "settlement-notifications")
        async with self.connection.transaction():
            found = await self.handler.handle(self.connection, poll)
        emissions = [each for lane in sorted(found) for each in found[lane]]
        self.published += emissions
        return emissions

    async def open_breaks(self) -> list[tuple[str, int]]:
        rows = await self.connection.fetch(
            "SELECT reason, amount_minor FROM breaks WHERE resolved_at IS NULL ORDER BY 1, 2"
        )
        return [(row["reason"], row["amount_minor"]) for row in rows]

    async def matched(self) -> list[tuple[bytes, int, str]]:
        rows = await self.connection.fetch(
            "SELECT payment_id, amount_minor, match_kind FROM expected_items WHERE state = 1 ORDER BY 1, 2"
        )
        return [tuple(row.values()) for row in rows]

    async def conclusions(self) -> tuple[Any, ...]:
        """All that must not depend on the order of events."""
        return (
            await self.matched(),
            await self.open_breaks(),
            [tuple(r.values()) for r in await self.connection.fetch(
                "SELECT payment_id, side, state, settled_on FROM expected_items ORDER BY 1, 2")],
            [tuple(r.values()) for r in await self.connection.fetch(
                "SELECT lane, batch_id, open_debits, open_debit_minor, open_credits, open_credit_minor,"
                " total_lines FROM batches WHERE open_debits <> 0 OR open_credits <> 0 OR total_lines <> 0"
                " ORDER BY 1, 2")],
        )  # fmt: skip

    async def assert_money_is_whole(self) -> None:
        """Lines = matched + handed over + waiting + in breaks; batches = their open items; `prove` agrees."""
        assert await self.connection.fetch(LINES_AGAINST_MATCHES) == []
        assert await self.connection.fetch(LINES_AGAINST_BREAKS) == []
        assert await self.connection.fetch(BATCHES_AGAINST_ITEMS) == []
        assert await self.connection.fetch(SQL["differences"]) == []


LINES_AGAINST_MATCHES = """
SELECT lane, statement_id, line_number, l.amount_minor, sum(i.amount_minor)
FROM statement_lines l LEFT JOIN expected_items i USING (lane, statement_id, line_number)
GROUP BY lane, statement_id, line_number, l.amount_minor, l.state
HAVING CASE WHEN l.state = 1 THEN l.amount_minor IS DISTINCT FROM sum(i.amount_minor)
            ELSE count(i.lane) > 0 END
"""
LINES_AGAINST_BREAKS = """
SELECT l.lane, l.line_number, l.state, b.reason
FROM statement_lines l
FULL JOIN (SELECT * FROM breaks WHERE resolved_at IS NULL) b USING (lane, break_id)
WHERE (b.about = 'line' AND (l.state IS DISTINCT FROM 2 OR l.amount_minor <> b.amount_minor))
   OR (l.state = 2 AND (b.break_id IS NULL OR b.about NOT IN ('line', 'contradiction')))
"""
BATCHES_AGAINST_ITEMS = """
SELECT lane, batch_id FROM batches b
FULL JOIN (SELECT lane, batch_id, count(*) FILTER (WHERE state = 0 AND side = -1) AS debits,
                  coalesce(sum(amount_minor) FILTER (WHERE state = 0 AND side = -1), 0) AS minor,
                  count(*) FILTER (WHERE state = 0 AND side = 1) AS credits
           FROM expected_items GROUP BY lane, batch_id) i USING (lane, batch_id)
WHERE coalesce(open_debits, 0) <> coalesce(debits, 0) OR coalesce(open_debit_minor, 0) <> coalesce(minor, 0)
   OR coalesce(open_credits, 0) <> coalesce(credits, 0)
"""


async def scene_in(database: str) -> Scene:
    return Scene(await connect(database))
