"""After a restore what reconciliation told stands: not twice, nothing lost, and the same rows in the end."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.lanes.records import OwnEvent
from services.reconciliation.adoption import adopt
from tests.integration.reconciliation.lives import (
    SETTLEMENT,
    STATEMENTS,
    Life,
    Topics,
    copied,
    kinds,
    life_in,
)
from tests.integration.reconciliation.scene import (
    AT,
    NOSTRO_LANE,
    NOW,
    OTHER_LANE,
    PARTITIONS,
    Fed,
    business,
    closed,
    contradicted,
    from_reader,
    from_settlement,
    line,
    opened,
    payment,
    rejected,
    scene_in,
    settled,
    statement,
    submitted,
    whole_statement,
)

LANE = OTHER_LANE
THIRD_LANE = (LANE + 1) % PARTITIONS
ROWS = {
    "breaks": "lane, break_id, about, reason, amount_minor, nostro, payment_id, statement_id, line_number, "
    "opened_at, resolved_at, resolution",
    "expected_items": "*",
    "batches": "*",
    "statement_lines": "lane, statement_id, line_number, payment_id, batch_id, amount_minor, found_by, "
    "handed_over_from, handed_over_to, state, break_id",
    "statements": "*",
    "statement_shares": "lane, statement_id, nostro, to_date, lane_lines, lane_sum_minor",
}
"""All that the database says, but for when what it was told came."""


@pytest.fixture
async def backups(postgres: Any) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    names = []

    async def back_up(dsn: str) -> str:
        names.append(f"backup_{uuid4().hex[:12]}")
        return await copied(postgres, dsn, names[-1])

    yield back_up
    for name in names:
        await postgres.drop(name)


async def first_life(database: str, topics: Topics) -> Life:
    scene = await scene_in(database)
    await scene.connection.close()
    life = await life_in(database, topics)
    await life.begin()
    return life


async def rows(life: Life) -> dict[str, list[str]]:
    return {
        table: sorted(
            str(tuple(row)) for row in await life.connection.fetch(f"SELECT {columns} FROM {table}")
        )
        for table, columns in ROWS.items()
    }


class Restored:
    """A life that ends after some scenes, and the one that its backup begins."""

    def __init__(self, database: str, backups: Callable[[str], Awaitable[str]]) -> None:
        self.topics = Topics()
        self._database = database
        self._back_up = backups
        self._old: Life | None = None
        self._older = ""
        self.since = 0
        self.before: dict[str, list[str]] = {}

    async def known(self, *fed: Fed) -> None:
        """What is read and told before the backup."""
        self.topics.write(fed)
        life = await first_life(self._database, self.topics)
        await life.read_all()
        await life.connection.close()
        self._older = await self._back_up(self._database)
        self.since = len(self.topics.told)
        self._old = await life_in(self._database, self.topics)

    async def lost(self, *fed: Fed, first: str = SETTLEMENT, most: int = 99) -> Sequence[str]:
        """What is read and told after it, one topic before the other, so many records of a lane at once."""
        assert self._old is not None
        self.topics.write(fed)
        other = STATEMENTS if first == SETTLEMENT else SETTLEMENT
        return kinds(await self._old.read_all(first, other, most=most))

    async def life(self) -> Life:
        """The life after the backup has come back; what was told is adopted."""
        assert self._old is not None
        self.before = await rows(self._old)
        await self._old.connection.close()
        life = await life_in(self._older, self.topics)
        life.now = NOW + timedelta(days=1)
        await life.adopt(self.since, self.topics.ends(), again=True)
        return life


@pytest.fixture
def restored(database: str, backups: Callable[[str], Awaitable[str]]) -> Restored:
    return Restored(database, backups)


@pytest.mark.parametrize("first", [SETTLEMENT, STATEMENTS])
async def test_a_break_told_and_resolved_is_not_told_again_whether_it_comes_up_or_not(
    restored: Restored, first: str
) -> None:
    await restored.known(*from_settlement(LANE, submitted(9, 1)))
    stated = whole_statement({LANE: [line(1, -100, 1)]})
    assert await restored.lost(*stated, *from_settlement(LANE, submitted(1, 100)), first=STATEMENTS) == [
        "BreakOpened", "PaymentMatched", "BreakResolved",
    ]  # fmt: skip
    life = await restored.life()
    assert await life.read_all(first, STATEMENTS if first == SETTLEMENT else SETTLEMENT) == []
    await life.assert_told_is_true()
    await life.assert_money_is_whole()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_break_that_comes_up_and_goes_in_the_second_life_alone_was_none(restored: Restored) -> None:
    await restored.known(*from_settlement(LANE, submitted(9, 1)))
    stated = whole_statement({LANE: [line(1, -100, 1)]})
    assert await restored.lost(*stated, *from_settlement(LANE, submitted(1, 100))) == ["PaymentMatched"]
    life = await restored.life()
    assert await life.read_all(STATEMENTS, SETTLEMENT) == []
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_break_told_open_that_does_not_come_up_again_is_told_resolved_once_all_is_read(
    restored: Restored,
) -> None:
    await restored.known()
    assert await restored.lost(*whole_statement({LANE: [line(1, -100, 1)]})) == ["BreakOpened"]
    restored.topics.write(from_settlement(LANE, submitted(1, 100)))
    life = await restored.life()
    assert kinds(await life.read({(SETTLEMENT, LANE): 9})) == []
    assert kinds(await life.read({(STATEMENTS, LANE): 1})) == ["PaymentMatched"]
    assert kinds(await life.read({(STATEMENTS, LANE): 9})) == ["BreakResolved"]
    assert await life.open_breaks() == []
    assert await life.connection.fetchval("SELECT about || ' ' || resolution FROM breaks") == "line explained"
    await life.read_all()
    await life.assert_told_is_true()
    await life.connection.close()


async def test_a_break_that_is_open_in_both_lives_is_told_once_and_keeps_its_time(restored: Restored) -> None:
    await restored.known(*from_settlement(LANE, submitted(1, 100), settled(1, 100)))
    extra = from_settlement(LANE, replace(contradicted(1, -100, "second_settlement"), found_at=AT - 7))
    assert sorted(await restored.lost(*extra, *whole_statement({NOSTRO_LANE: [line(None, 7, 1)]}))) == [
        "BreakOpened", "BreakOpened", "BreakOpened",
    ]  # fmt: skip
    life = await restored.life()
    assert await life.read_all() == []
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_break_that_the_backup_has_open_and_that_was_told_resolved_is_not_told_again(
    restored: Restored,
) -> None:
    await restored.known(*whole_statement({LANE: [line(1, -100, 1)]}))
    assert await restored.lost(*from_settlement(LANE, submitted(1, 100))) == [
        "PaymentMatched", "BreakResolved",
    ]  # fmt: skip
    life = await restored.life()
    assert await life.read_all() == []
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_resolution_that_was_lost_with_the_database_is_told(restored: Restored) -> None:
    await restored.known(*whole_statement({LANE: [line(1, -100, 1)]}))
    await restored.lost(*from_settlement(LANE, submitted(1, 100)))
    # The old life ended before the last of what it had decided reached the topic.
    assert restored.topics.told.pop()[1].event_type == "BreakResolved"
    life = await restored.life()
    assert kinds(await life.read_all()) == ["BreakResolved"]
    await life.assert_told_is_true()
    await life.connection.close()


@pytest.mark.parametrize("others", [(STATEMENTS, SETTLEMENT), (SETTLEMENT, STATEMENTS)])
async def test_of_two_lines_that_a_payment_could_be_the_one_that_was_told_stays_the_match(
    restored: Restored, others: tuple[str, str]
) -> None:
    await restored.known()
    later, earlier = line(1, -100, 1, statement_number=2), line(1, -100, 1, statement_number=1)
    fed = whole_statement({LANE: [later]}, 2) + whole_statement({LANE: [earlier]}, 1)
    first = SETTLEMENT if others[0] == STATEMENTS else STATEMENTS
    await restored.lost(*fed, *from_settlement(LANE, submitted(1, 100)), first=first, most=1)
    told = [each for each in restored.topics.events() if isinstance(each, types.PaymentMatched)]
    assert [each.statement_id for each in told] == [statement(2 if first == SETTLEMENT else 1)]
    life = await restored.life()
    for topic in others:
        for _ in range(5):
            assert await life.read({(topic, LANE): 1}) == []
    assert await life.read_all() == []
    await life.assert_told_is_true()
    await life.assert_money_is_whole()
    assert (await rows(life))["expected_items"] == restored.before["expected_items"]
    await life.connection.close()


async def test_of_two_lines_that_book_a_batch_the_one_that_was_told_stays_the_match(
    restored: Restored,
) -> None:
    await restored.known()
    items = from_settlement(LANE, submitted(1, 100), submitted(2, 50))
    sums = {number: line(None, -150, 1, number, batch_number=1, count=2) for number in (1, 2)}
    fed = whole_statement({LANE: [sums[2]]}, 2) + whole_statement({LANE: [sums[1]]}, 1)
    await restored.lost(*fed, *items, first=STATEMENTS)
    life = await restored.life()
    # In this life the other line comes first, and alone.
    assert await life.read({(SETTLEMENT, LANE): 9}) == []
    assert await life.read({(STATEMENTS, LANE): 2}) == []
    assert await life.read_all() == []
    await life.assert_told_is_true()
    assert (await rows(life))["expected_items"] == restored.before["expected_items"]
    await life.connection.close()


@pytest.mark.parametrize("waits", [True, False], ids=["in a break of the backup", "after the backup"])
async def test_a_line_that_was_handed_over_is_handed_over_again_without_a_second_event(
    restored: Restored, waits: bool
) -> None:
    stray = whole_statement({NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1")]})
    item = from_settlement(LANE, submitted(1, 100, end_to_end_id="E1"))
    await restored.known(*(stray if waits else ()))
    lost = await restored.lost(*item, *(() if waits else stray))
    assert Counter(lost)["StatementLine"] == 1
    # A second payment with the same reference is known by now: it would be neither's line.
    restored.topics.write(from_settlement(NOSTRO_LANE, submitted(2, 100, end_to_end_id="E1")))
    life = await restored.life()
    assert await life.read_all() == []
    await life.assert_told_is_true()
    await life.assert_money_is_whole()
    assert (await rows(life))["breaks"] == restored.before["breaks"]
    await life.connection.close()


async def test_a_line_that_was_found_to_be_a_payments_of_its_own_lane_stays_that(restored: Restored) -> None:
    await restored.known()
    stray = whole_statement({NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1")]})
    item = from_settlement(NOSTRO_LANE, submitted(1, 100, end_to_end_id="E1"))
    assert "PaymentMatched" in await restored.lost(*stray, *item)
    restored.topics.write(from_settlement(LANE, submitted(2, 100, end_to_end_id="E1")))
    life = await restored.life()
    assert await life.read_all() == []
    await life.assert_told_is_true()
    await life.assert_money_is_whole()
    await life.connection.close()


async def test_a_line_with_a_payments_reference_does_not_take_one_whose_match_was_told(
    restored: Restored,
) -> None:
    await restored.known()
    item = from_settlement(LANE, submitted(1, 100, end_to_end_id="E1"))
    await restored.lost(
        *item, *whole_statement({LANE: [line(1, -100, 1)]}),
        *whole_statement({NOSTRO_LANE: [line(None, -100, 1, 2, end_to_end_id="E1")]}, 2), most=1,
    )  # fmt: skip
    life = await restored.life()
    # The lane of the account is ahead of the payment's, which has not come to its line.
    await life.read({(SETTLEMENT, LANE): 9})
    assert await life.read({(STATEMENTS, NOSTRO_LANE): 9}) == []
    assert await life.read_all() == []
    await life.assert_told_is_true()
    assert await life.open_breaks() == [("unknown_line", -100)]
    await life.connection.close()


async def test_a_statement_that_was_told_reconciled_is_so_though_it_would_not_be_now(
    restored: Restored,
) -> None:
    await restored.known()
    second = from_reader(NOSTRO_LANE, opened(2, 10, 20)) + whole_statement({}, 2)
    assert await restored.lost(*second) == ["StatementReconciled"]
    restored.topics.write(from_reader(NOSTRO_LANE, opened(1, 0, 9)) + whole_statement({}, 1))
    life = await restored.life()
    assert kinds(await life.read_all()) == ["BreakOpened", "StatementReconciled"]
    await life.assert_told_is_true()
    await life.connection.close()


async def test_a_statement_whose_header_the_backup_has_is_reconciled_as_it_was_told(
    restored: Restored,
) -> None:
    await restored.known(*from_reader(NOSTRO_LANE, opened(1, 0, 10)))
    assert await restored.lost(*whole_statement({}, 1)) == ["StatementReconciled"]
    life = await restored.life()
    assert await life.read_all() == []
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_match_that_a_rejection_took_back_is_not_told_again(restored: Restored) -> None:
    await restored.known(*from_settlement(LANE, submitted(1, 100)))
    fed = whole_statement({LANE: [line(1, -100, 1)]})
    lost = await restored.lost(*fed, *from_settlement(LANE, rejected(1, 100)), first=STATEMENTS)
    assert lost == ["PaymentMatched", "BreakOpened"]
    life = await restored.life()
    assert await life.read_all() == []
    assert await life.open_breaks() == [("line_for_rejected", -100)]
    await life.assert_told_is_true()
    await life.connection.close()


async def test_what_is_new_is_told_while_a_lane_catches_up_but_for_breaks(restored: Restored) -> None:
    await restored.known()
    await restored.lost(*whole_statement({LANE: [line(1, -100, 1)]}))
    restored.topics.write(from_settlement(LANE, submitted(2, 5)))
    restored.topics.write(from_reader(LANE, line(2, -5, 1, 2), line(3, -3, 2, 2)))
    restored.topics.write(from_reader(LANE, closed([line(2, -5, 1, 2), line(3, -3, 2, 2)], 2)))
    life = await restored.life()
    await life.read({(SETTLEMENT, LANE): 9})
    assert kinds(await life.read({(STATEMENTS, LANE): 3})) == ["PaymentMatched"]
    assert kinds(await life.read({(STATEMENTS, LANE): 1})) == []
    assert kinds(await life.read({(STATEMENTS, LANE): 1})) == ["BreakOpened"]
    await life.read_all()
    await life.assert_told_is_true()
    await life.connection.close()


def stray(**changes: Any) -> list[Fed]:
    """A statement with one line, which echoes nothing but an EndToEndId."""
    return whole_statement({NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1", **changes)]})


async def test_a_line_that_names_no_payment_waits_until_the_other_lanes_have_handled_theirs_again(
    restored: Restored,
) -> None:
    """The payment that the backup has open was rejected since, and its successor has the same EndToEndId."""
    await restored.known(*from_settlement(LANE, submitted(1, 100, end_to_end_id="E1")))
    since = rejected(1, 100), submitted(2, 100, end_to_end_id="E1"), settled(2, 100, end_to_end_id="E1")
    assert await restored.lost(*from_settlement(LANE, *since)) == []
    restored.topics.write(stray())
    life = await restored.life()
    await life.connection.execute(
        "UPDATE lanes SET catch_up = '{}', restored_at = now() WHERE lane = $1", LANE
    )
    assert await life.read({(STATEMENTS, NOSTRO_LANE): 9}) == [], "the other has yet to adopt"
    await life.adopt(restored.since, restored.topics.ends())
    await life.connection.execute("UPDATE lanes SET restored_at = NULL")
    assert await life.read({(STATEMENTS, NOSTRO_LANE): 9}) == []
    await life.read({(SETTLEMENT, LANE): 1, (STATEMENTS, NOSTRO_LANE): 9})
    assert (await life.offsets())[NOSTRO_LANE][STATEMENTS] == 0
    await life.read({(SETTLEMENT, LANE): 9, (STATEMENTS, NOSTRO_LANE): 9})
    assert (await life.offsets())[NOSTRO_LANE][STATEMENTS] == 2, "it comes last in the poll of the others"
    await life.read_all()
    assert await life.matched() == [(payment(2), -100, "end_to_end")]
    assert await life.open_breaks() == []
    await life.assert_told_is_true()
    await life.connection.close()


async def test_a_line_that_was_told_ambiguous_is_so_though_one_of_its_payments_comes_later_now(
    restored: Restored,
) -> None:
    await restored.known()
    items = [
        *from_settlement(LANE, submitted(1, 100, end_to_end_id="E1")),
        *from_settlement(THIRD_LANE, submitted(2, 100, end_to_end_id="E1")),
    ]
    assert await restored.lost(*items, *stray()) == ["BreakOpened"]
    life = await restored.life()
    await life.read({(SETTLEMENT, LANE): 9})
    assert await life.read({(STATEMENTS, NOSTRO_LANE): 9}) == []
    assert await life.read_all() == []
    assert await life.open_breaks() == [("ambiguous_line", -100)]
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_line_in_a_break_falls_due_only_when_every_lane_has_handled_its_payments_again(
    restored: Restored,
) -> None:
    await restored.known(*stray())
    items = [
        *from_settlement(LANE, submitted(1, 100, end_to_end_id="E1")),
        *from_settlement(THIRD_LANE, submitted(2, 100, end_to_end_id="E1")),
    ]
    assert await restored.lost(*items) == []
    life = await restored.life()
    await life.read({(SETTLEMENT, LANE): 9})
    assert await life.handler.due(life.connection, list(range(PARTITIONS)), life.now) == {}
    assert await life.read_all() == []
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_lanes_that_have_settlements_events_to_handle_again_do_not_wait_for_one_another(
    restored: Restored,
) -> None:
    """Settlement's finding about an entry touches its line, which may be a payment of any lane."""
    await restored.known(*stray(bank_reference="R"))
    found = contradicted(None, -99, "unknown_entry", "R")
    for lane in (NOSTRO_LANE, LANE):
        await restored.lost(*from_settlement(lane, found, submitted(7 + lane, 1)))
    life = await restored.life()
    for lane in (NOSTRO_LANE, LANE):
        await life.read({(SETTLEMENT, lane): 1})
        assert (await life.offsets())[lane][SETTLEMENT] == 1
    assert await life.read_all() == []
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_line_in_a_break_stays_there_until_the_payment_that_it_was_told_to_be_is_there(
    restored: Restored,
) -> None:
    await restored.known(*stray(bank_reference="R"))
    found = contradicted(None, -99, "unknown_entry", "R")
    item = submitted(1, 100, end_to_end_id="E1")
    assert Counter(await restored.lost(*from_settlement(NOSTRO_LANE, found, item))) == Counter(
        ["BreakOpened", "PaymentMatched", "BreakResolved"]
    )
    life = await restored.life()
    assert await life.read({(SETTLEMENT, NOSTRO_LANE): 1}) == []
    assert await life.read_all() == []
    assert await life.open_breaks() == [("unknown_entry", -99)]
    await life.assert_told_is_true()
    await life.assert_money_is_whole()
    after = await rows(life)
    assert [after[table] for table in ("breaks", "statement_lines", "expected_items")] == [
        restored.before[table] for table in ("breaks", "statement_lines", "expected_items")
    ]
    await life.connection.close()


async def test_a_line_that_was_found_to_be_a_rejected_payments_stays_that_though_another_came_since(
    restored: Restored,
) -> None:
    rejection = submitted(1, 100, end_to_end_id="E1"), rejected(1, 100)
    await restored.known(*from_settlement(NOSTRO_LANE, *rejection))
    assert await restored.lost(*stray()) == ["BreakOpened"]
    assert await restored.lost(*from_settlement(NOSTRO_LANE, submitted(2, 100, end_to_end_id="E1"))) == []
    life = await restored.life()
    assert await life.read_all() == []
    assert await life.open_breaks() == [("line_for_rejected", -100)]
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_statement_is_told_reconciled_only_when_all_that_was_read_before_is_read_again(
    restored: Restored,
) -> None:
    """The second came before the first, in one poll, and does not open where that closes."""
    await restored.known()
    second = from_reader(NOSTRO_LANE, opened(2, 11, 20)) + whole_statement({}, 2)
    first = from_reader(NOSTRO_LANE, opened(1, 0, 10)) + whole_statement({}, 1)
    assert await restored.lost(*second, *first) == ["BreakOpened", "StatementReconciled"]
    life = await restored.life()
    assert await life.read({(STATEMENTS, NOSTRO_LANE): 2}) == []
    assert await life.read_all() == []
    assert await life.open_breaks() == [("opening_differs", 1)]
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


async def test_a_statement_that_nobody_was_told_of_is_told_reconciled_once_its_lane_has_caught_up(
    restored: Restored,
) -> None:
    await restored.known()
    restored.topics.write(from_reader(NOSTRO_LANE, opened(1, 0, 10)) + whole_statement({}, 1))
    restored.topics.write(from_reader(NOSTRO_LANE, line(9, -1, 1, 2)))
    life = await restored.life()
    assert await life.read({(STATEMENTS, NOSTRO_LANE): 2}) == []
    assert kinds(await life.read({(STATEMENTS, NOSTRO_LANE): 1})) == ["StatementReconciled"]
    assert await life.read_all() == []
    await life.assert_told_is_true()
    await life.connection.close()


def batch_and_own_line() -> tuple[list[Fed], list[Fed]]:
    """A sum that books two payments, and a statement that books one of them by itself."""
    total = line(None, -150, 1, batch_number=1, count=2)
    return whole_statement({LANE: [total]}, 1), whole_statement({LANE: [line(1, -100, 1, 2)]}, 2)


async def test_a_match_by_batch_total_is_told_only_when_all_that_was_read_before_is_read_again(
    restored: Restored,
) -> None:
    await restored.known(*from_settlement(LANE, submitted(1, 100), submitted(2, 50)))
    first, second = batch_and_own_line()
    assert await restored.lost(*first, *second) == ["PaymentMatched", "BreakOpened"]
    life = await restored.life()
    assert await life.read({(STATEMENTS, LANE): 2}) == []
    assert await life.matched() == [
        (payment(1), -100, "batch_total"), (payment(2), -50, "batch_total")
    ]  # fmt: skip
    assert await life.read_all() == []
    assert await life.open_breaks() == [("batch_total_differs", -150)]
    await life.assert_told_is_true()
    assert await rows(life) == restored.before
    await life.connection.close()


@pytest.mark.parametrize("own_line", [True, False])
async def test_matches_by_batch_total_that_nobody_was_told_of_are_told_in_the_end_as_they_stand_then(
    restored: Restored, own_line: bool
) -> None:
    await restored.known(*from_settlement(LANE, submitted(1, 100), submitted(2, 50)))
    first, second = batch_and_own_line()
    restored.topics.write([*first, *(second if own_line else ()), *from_reader(LANE, line(9, -1, 1, 3))])
    life = await restored.life()
    assert await life.read({(STATEMENTS, LANE): 2}) == []
    told = await life.read({(STATEMENTS, LANE): 2 if own_line else 0})
    assert kinds(told) == (["PaymentMatched"] if own_line else [])
    assert kinds(await life.read_all()) == (["BreakOpened"] if own_line else ["PaymentMatched"] * 2)
    await life.assert_told_is_true()
    await life.assert_money_is_whole()
    await life.connection.close()


async def test_an_event_that_lanes_do_not_tell_stops_the_lane(restored: Restored) -> None:
    await restored.known()
    life = await restored.life()
    event = submitted(1, 1)

    with pytest.raises(InvariantBroken, match="PaymentSubmitted is no event of reconciliation's lanes"):
        await adopt(
            life.connection,
            LANE,
            [OwnEvent("reconciliation", LANE, 1, b"", "PaymentSubmitted", event.encode())],
        )
    await life.connection.close()


def two_statements(source: random.Random) -> list[Fed]:
    """A day, then what a second statement shows of it once more or late, and findings of settlement's."""
    fed = business(source)
    lines: dict[int, list[types.StatementLine]] = {}
    for number in range(1, 6):
        number_of_payment = source.randint(1, 14)
        lane = source.choice([NOSTRO_LANE, LANE])
        lines.setdefault(lane, []).append(line(number_of_payment, -source.choice([100, 200]), number, 2))
    lines.setdefault(NOSTRO_LANE, []).append(line(None, -100, 9, 2, end_to_end_id="E3"))
    stated = whole_statement(lines, 2)
    headers = from_reader(NOSTRO_LANE, opened(1, 0, 10), opened(2, source.choice([10, 11]), 30))
    found = from_settlement(LANE, contradicted(source.randint(1, 12), -100, "second_settlement"))
    return headers + (stated + fed if source.random() < 0.5 else fed + stated) + found


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("day_of", [business, two_statements], ids=["in any order the same", "whatever"])
async def test_whatever_was_lost_and_however_it_is_read_again_what_was_told_is_true_in_the_end(
    database: str,
    backups: Callable[[str], Awaitable[str]],
    day_of: Callable[[random.Random], list[Fed]],
    seed: int,
) -> None:
    source = random.Random(seed)
    day = day_of(source)
    topics = Topics()
    topics.write(day)
    later = []
    for records in topics.inputs.values():
        written = source.randint(2 * len(records) // 3, len(records))
        later += records[written:]
        del records[written:]
    life = await first_life(database, topics)
    await life.wander(source, source.randint(0, 4), topics.ends())
    await life.connection.close()
    older = await backups(database)
    since = len(topics.told)
    life = await life_in(database, topics)
    await life.wander(source, source.randint(1, 12), topics.ends())
    await life.connection.close()
    life = await life_in(older, topics)
    await life.adopt(since, topics.ends(), again=source.random() < 0.5)
    topics.write(later)
    await life.wander(source, 12, topics.ends())
    await life.read_all()
    await life.assert_told_is_true()
    await life.assert_money_is_whole()
    found = await life.conclusions()
    await life.connection.close()
    if day_of is two_statements:
        # What two lines that show the same come to depends on which is judged first, restore or no restore.
        return
    peaceful = await anew(database, day)
    assert await peaceful.conclusions() == found
    await peaceful.connection.close()


async def anew(database: str, day: Sequence[Fed]) -> Life:
    """The day read in peace."""
    topics = Topics()
    topics.write(day)
    life = await life_in(database, topics)
    await life.connection.execute(
        "TRUNCATE expected_items, batches, statement_lines, breaks, statements, statement_shares, lanes"
    )
    await life.begin()
    await life.read_all()
    return life
