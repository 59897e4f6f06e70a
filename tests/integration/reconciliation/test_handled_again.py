"""What reconciliation has read, handled a second time: no row, no event, whatever came since."""

import random
from dataclasses import replace
from typing import Any

import pytest

from goodfunds.events import types
from tests.integration.handled_again import owner_of
from tests.integration.reconciliation.scene import (
    AT,
    NOSTRO_LANE,
    NOW,
    OTHER_LANE,
    PARTITIONS,
    Fed,
    Scene,
    batch,
    business,
    closed,
    contradicted,
    from_reader,
    from_settlement,
    line,
    opened,
    payment,
    rejected,
    returned,
    scene_in,
    settled,
    statement,
    submitted,
    whole_statement,
)

LANE = OTHER_LANE


async def assert_nothing_follows(scene: Scene, database: str) -> None:
    async with owner_of(database, scene.handler, PARTITIONS) as owner:
        await owner.assert_nothing_follows(scene.log, NOW)


def total(count: int, offset: int, at: int = AT) -> Fed:
    return Fed(LANE, "control-totals", types.ControlTotal(
        100 * count, at, "reconciliation", "payments", LANE, "ingestion.x", LANE, count, offset, "EUR",
        "PaymentAccepted", count,
    ), 0)  # fmt: skip


class Garbage:
    def encode(self) -> bytes:
        return b"?"


@pytest.mark.parametrize("seed", range(6))
async def test_a_day_handled_again_matches_and_breaks_nothing(scene: Scene, database: str, seed: int) -> None:
    """Expected, rejected, returned and settled; lines that echo much or little; batches booked as one sum."""
    source = random.Random(seed)
    await scene.feed_in_some_order(business(source), source)
    assert await scene.open_breaks() != []
    await scene.assert_money_is_whole()
    await assert_nothing_follows(scene, database)


async def test_findings_lines_and_files_refused_handled_again_stay_as_they_are(
    scene: Scene, database: str
) -> None:
    delayed = types.PaymentDelayed(
        payment(1), batch(1), 1, AT, "a", "EUR", "sepa-credit", NOW.date(), NOW.date(), ""
    )
    lane = from_settlement(
        LANE,
        *(submitted(n, 100) for n in range(1, 5)), submitted(5, 100, 2), submitted(6, 100, 2),
        submitted(7, 9, 3), contradicted(1, -100, "second_settlement", "R1"),
        contradicted(1, -100, "settled_amount_differs", "R2"), settled(1, 100), settled(2, 100),
        returned(2, 100, 5), settled(3, 100), rejected(4, 100), delayed,
        contradicted(4, -100, "settled_after_rejection"), contradicted(2, 0, "return_amount_differs"),
    )  # fmt: skip
    nostro = from_settlement(
        NOSTRO_LANE, *(contradicted(None, 70, "unknown_entry", reference) for reference in ("E1", "E2")),
        contradicted(None, 0, "unknown_entry"),
    )  # fmt: skip
    lines = {
        LANE: [
            *(line(1, -100, n) for n in (1, 2, 3, 4)), line(2, 95, 5), line(4, -100, 6), line(99, -1, 7),
            line(None, -200, 8, batch_number=2, count=2), line(None, -8, 9, batch_number=3, count=1),
        ],
        NOSTRO_LANE: [
            line(None, 70, 10, bank_reference="E1"), line(None, 70, 11, bank_reference="E1"),
            line(None, 3, 12, bank_reference="fee"),
        ],
    }  # fmt: skip
    pending = replace(line(3, -100, 99), status="PDNG")
    await scene.feed(*lane, *nostro, *from_reader(NOSTRO_LANE, opened(1, 0, 0)), *from_reader(LANE, pending))
    await assert_nothing_follows(scene, database)
    await scene.feed(*whole_statement(lines))
    reasons = {reason for reason, _ in await scene.open_breaks()}
    assert reasons >= {
        "second_settlement", "settled_amount_differs", "missing_line", "settled_after_rejection",
        "unknown_line", "batch_total_differs", "unknown_entry", "duplicate_line",
    }  # fmt: skip
    await assert_nothing_follows(scene, database)
    # A file that was refused, of payments whose sum a line has booked; then the sum is withdrawn.
    again = submitted(5, 100, 22, at=AT + 1), submitted(6, 100, 22, at=AT + 1)
    assert await scene.feed(*from_settlement(LANE, *again)) == []
    await assert_nothing_follows(scene, database)
    assert await scene.feed(*from_settlement(LANE, rejected(6, 100))) != []
    await assert_nothing_follows(scene, database)


async def test_lines_without_a_payment_handled_again_stay_whose_they_were(
    scene: Scene, database: str
) -> None:
    """Handed over, assigned, unknown and ambiguous; then other lanes come to expect what they could be."""
    await scene.feed(
        *from_settlement(OTHER_LANE, submitted(1, 100, end_to_end_id="there")),
        *from_settlement(NOSTRO_LANE, submitted(2, 100, end_to_end_id="here")),
        *from_settlement(OTHER_LANE, *(submitted(n, 100, end_to_end_id="two") for n in (3, 4))),
        *from_settlement(OTHER_LANE, submitted(5, 100, end_to_end_id="late"), rejected(5, 100)),
        *from_settlement(OTHER_LANE, contradicted(5, -100, "settled_after_rejection")),
    )  # fmt: skip
    names = ("there", "here", "two", "none", "none-too", "", "NOTPROVIDED", "late")
    strays = [line(None, -100, n, end_to_end_id=name) for n, name in enumerate(names, 1)]
    strays.append(line(None, -100, 20, end_to_end_id="none", bank_reference="same"))
    strays.append(line(None, -100, 21, end_to_end_id="none", bank_reference="same"))
    await scene.feed(*from_reader(NOSTRO_LANE, *strays))
    await assert_nothing_follows(scene, database)
    await scene.feed(*from_reader(NOSTRO_LANE, closed(strays)))
    await scene.settle_due()
    await assert_nothing_follows(scene, database)
    # Two that could be the line that nobody knew, and one that could be another, but was rejected.
    await scene.feed(
        *from_settlement(OTHER_LANE, *(submitted(n, 100, end_to_end_id="none") for n in (6, 7))),
        *from_settlement(OTHER_LANE, submitted(8, 100, end_to_end_id="none-too"), rejected(8, 100)),
    )  # fmt: skip
    await assert_nothing_follows(scene, database)
    told = [each.event_type for each in await scene.settle_due()]
    assert told == ["BreakResolved", "StatementLine"], "what was rejected falls due, for it is the only one"
    await assert_nothing_follows(scene, database)
    # A finding about one of two entries that the bank gave the same reference.
    found = contradicted(None, -100, "unknown_entry", "same")
    assert await scene.feed(*from_settlement(NOSTRO_LANE, found)) != []
    await assert_nothing_follows(scene, database)


async def test_statements_handled_again_are_not_reconciled_or_in_breaks_anew(
    scene: Scene, database: str
) -> None:
    """A gap that was filled, a correction, and lines that came after their statement's end."""
    late = line(1, -10, 1, statement_number=4)
    await scene.feed(*from_reader(NOSTRO_LANE, opened(1, 0, 10)), *whole_statement({}, 1))
    await scene.feed(*from_reader(NOSTRO_LANE, opened(3, 30, 40)), *whole_statement({}, 3))
    await assert_nothing_follows(scene, database)
    await scene.feed(*from_reader(NOSTRO_LANE, opened(2, 10, 30)), *whole_statement({}, 2))
    await scene.feed(*from_reader(NOSTRO_LANE, opened(2, 10, 31, statement_id=statement(99))))
    await assert_nothing_follows(scene, database)
    await scene.feed(*from_reader(NOSTRO_LANE, opened(4, 40, 30), closed([late], 4)))
    assert ("lines_missing", -10) in await scene.open_breaks()
    told = await scene.feed(*from_reader(NOSTRO_LANE, late))
    assert [each.event_type for each in told] == ["BreakOpened", "BreakResolved", "StatementReconciled"]
    await assert_nothing_follows(scene, database)


async def test_an_older_total_handled_again_after_a_later_one_changes_nothing(
    scene: Scene, database: str
) -> None:
    await scene.feed(total(1, 5), total(3, 9, AT), total(2, 7))
    await scene.feed(total(3, 9, AT + 5), Fed(LANE, "control-totals", Garbage(), 0))
    kept = await scene.connection.fetchrow("SELECT count, computed_at FROM control_totals")
    assert kept is not None
    assert kept["count"] == 3
    assert kept["computed_at"] > NOW
    await assert_nothing_follows(scene, database)


async def test_a_first_a_second_and_the_first_again_count_once_each(scene: Scene, database: str) -> None:
    await scene.feed(*from_settlement(LANE, submitted(1, 100)))
    await scene.feed(*from_settlement(LANE, rejected(1, 100)))
    a, b = scene.log
    async with owner_of(database, scene.handler, PARTITIONS) as owner:
        for each in (a, b, a, b, b, a):
            assert await owner.hand_in([each], NOW) == []
    row = await scene.connection.fetchrow("SELECT state FROM expected_items")
    assert row is not None
    assert row["state"] == 2, "cancelled, and not expected again"
    kept = await scene.connection.fetchrow("SELECT open_debits, open_debit_minor FROM batches")
    assert kept is not None
    assert tuple(kept.values()) == (0, 0)


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_handled_again_among_new_records_leads_to_the_same_as_without(
    database: str, postgres: Any, migrations: Any, seed: int
) -> None:
    source = random.Random(100 + seed)
    fed = business(source)
    first, rest = fed[: len(fed) // 2], fed[len(fed) // 2 :]
    scene = await scene_in(database)
    async with postgres.database(migrations) as other:
        undisturbed = await scene_in(other)
        for part in (first, rest):
            for place in range(0, len(part), 3):
                await undisturbed.feed(*part[place : place + 3])
        await undisturbed.settle_due()
        for place in range(0, len(first), 3):
            await scene.feed(*first[place : place + 3])
        old = list(scene.log)
        async with owner_of(database, scene.handler, PARTITIONS) as owner:
            for place in range(0, len(rest), 3):
                await scene.feed(*rest[place : place + 3])
                begin = source.randrange(len(old))
                assert await owner.hand_in(old[begin : begin + 5], NOW) == []
        await scene.settle_due()
        assert await scene.conclusions() == await undisturbed.conclusions()
        assert sorted((e.event_type, e.body) for e in scene.published) == sorted(
            (e.event_type, e.body) for e in undisturbed.published
        )
        await undisturbed.connection.close()
    await assert_nothing_follows(scene, database)
    await scene.connection.close()
