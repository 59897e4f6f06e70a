"""Reconciliation's handler on a real Postgres: matches, breaks, and the same end in any order."""

import random
from datetime import date

import pytest

from goodfunds.events import types
from tests.integration.reconciliation.scene import (
    AT,
    NOSTRO_LANE,
    OTHER_LANE,
    Fed,
    Scene,
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


async def test_a_line_with_our_reference_matches_at_once_and_is_published(scene: Scene) -> None:
    await scene.feed(*from_settlement(LANE, submitted(1, 100), settled(1, 100)))
    (emission,) = await scene.feed(*from_reader(LANE, line(1, -100, 1)))
    event = types.decode(emission.body)
    assert isinstance(event, types.PaymentMatched)
    assert (event.payment_id, event.amount_minor, event.kind) == (payment(1), -100, "reference")
    assert (emission.topic, emission.partition, emission.key) == ("reconciliation", LANE, b"customer-1")
    await scene.assert_money_is_whole()


async def test_a_line_before_its_payment_waits_and_matches_when_it_comes(scene: Scene) -> None:
    assert await scene.feed(*from_reader(LANE, line(1, -100, 1))) == []
    assert [e.event_type for e in await scene.feed(*from_settlement(LANE, submitted(1, 100)))] == [
        "PaymentMatched"
    ]


async def test_a_line_of_an_unknown_payment_breaks_at_closing_and_its_payment_resolves_it(
    scene: Scene,
) -> None:
    lines = {LANE: [line(1, -100, 1)]}
    await scene.feed(*whole_statement(lines))
    assert await scene.open_breaks() == [("unknown_line", -100)]
    emissions = await scene.feed(*from_settlement(LANE, submitted(1, 100)))
    assert [each.event_type for each in emissions] == ["PaymentMatched", "BreakResolved"]
    assert await scene.open_breaks() == []
    await scene.assert_money_is_whole()


@pytest.mark.parametrize(
    ("events", "lines", "expected"),
    [
        ([submitted(1, 100)], [line(1, -90, 1)], [("amount_differs", -90)]),
        ([submitted(1, 100)], [line(1, -100, 1), line(1, -100, 2)], [("duplicate_line", -100)]),
        ([submitted(1, 100), rejected(1, 100)], [line(1, -100, 1)], [("line_for_rejected", -100)]),
        ([submitted(1, 100), settled(1, 100)], [], [("missing_line", 100)]),
        ([submitted(1, 100), submitted(2, 50)], [line(None, -150, 1, batch_number=1, count=2)], []),
        (
            [submitted(1, 100), submitted(2, 50), rejected(2, 50)],
            [line(None, -100, 1, batch_number=1, count=1)],
            [],
        ),
        (
            [submitted(1, 100), submitted(2, 50)],
            [line(None, -140, 1, batch_number=1, count=2)],
            [("batch_total_differs", -140)],
        ),
        (
            [submitted(1, 100), contradicted(1, -100, "settled_after_rejection"), rejected(1, 100)],
            [line(1, -100, 1)],
            [("settled_after_rejection", -100)],
        ),
        ([submitted(1, 100), returned(1, 100, 5)], [line(1, -100, 1), line(1, 95, 2)], []),
        ([settled(1, 100), returned(1, 100, 5)], [line(1, -100, 1)], [("missing_line", -95)]),
        ([settled(1, 100), returned(1, 100)], [], [("missing_line", -100), ("missing_line", 100)]),
        ([contradicted(None, 70, "unknown_entry", "R1")], [line(None, 70, 1, bank_reference="R1")],
         [("unknown_entry", 70)]),
        ([], [line(None, 70, 1, bank_reference="R1")], [("unknown_line", 70)]),
        ([], [line(None, 70, 1, bank_reference="R1"), line(None, 70, 2, bank_reference="R1")],
         [("unknown_line", 70), ("unknown_line", 70)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(4))
async def test_each_difference_ends_as_one_break_in_any_order_of_topics(
    scene: Scene, events: list[object], lines: list[types.StatementLine], expected: list[object], seed: int
) -> None:
    fed = from_settlement(LANE, *events) + whole_statement({LANE: lines})
    await scene.feed_in_some_order(fed, random.Random(seed))
    assert await scene.open_breaks() == expected
    await scene.assert_money_is_whole()


async def test_a_line_with_only_an_end_to_end_id_is_handed_over_to_its_payments_lane(scene: Scene) -> None:
    stray = line(None, -100, 1, end_to_end_id="E1")
    await scene.feed(*from_settlement(OTHER_LANE, submitted(1, 100, end_to_end_id="E1")))
    await scene.feed(*whole_statement({NOSTRO_LANE: [stray]}))
    assert [kind for _, _, kind in await scene.matched()] == ["end_to_end"]
    assert await scene.open_breaks() == []
    moved = await scene.connection.fetch(
        "SELECT lane, handed_over_from, handed_over_to FROM statement_lines "
        "ORDER BY handed_over_from NULLS FIRST"
    )
    assert [tuple(row.values()) for row in moved] == [
        (NOSTRO_LANE, None, OTHER_LANE),
        (OTHER_LANE, NOSTRO_LANE, None),
    ]
    await scene.assert_money_is_whole()


async def test_a_stray_line_of_the_accounts_own_lane_matches_there(scene: Scene) -> None:
    await scene.feed(*from_settlement(NOSTRO_LANE, submitted(1, 100, end_to_end_id="E1")))
    await scene.feed(*whole_statement({NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1")]}))
    assert [kind for _, _, kind in await scene.matched()] == ["end_to_end"]
    await scene.assert_money_is_whole()


async def test_a_stray_line_that_two_payments_could_be_is_a_break_until_one_is_explained(
    scene: Scene,
) -> None:
    twins = [submitted(n, 100, end_to_end_id="E1") for n in (1, 2)]
    await scene.feed(*from_settlement(OTHER_LANE, *twins))
    await scene.feed(*whole_statement({NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1")]}))
    assert await scene.open_breaks() == [("ambiguous_line", -100)]
    assert await scene.settle_due() == []
    await scene.feed(*whole_statement({OTHER_LANE: [line(2, -100, 1, statement_number=2)]}, number=2))
    await scene.settle_due()
    assert await scene.open_breaks() == []
    assert len(await scene.matched()) == 2
    await scene.assert_money_is_whole()


async def test_a_stray_lines_payment_that_comes_late_resolves_its_break(scene: Scene) -> None:
    await scene.feed(*whole_statement({NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1")]}))
    assert await scene.open_breaks() == [("unknown_line", -100)]
    await scene.feed(*from_settlement(OTHER_LANE, submitted(1, 100, end_to_end_id="E1")))
    await scene.settle_due()
    assert await scene.open_breaks() == []
    await scene.assert_money_is_whole()


@pytest.mark.parametrize("lane", [OTHER_LANE, NOSTRO_LANE])
async def test_a_stray_line_after_the_rejection_is_covered_by_settlements_finding(
    scene: Scene, lane: int
) -> None:
    finding = contradicted(1, -100, "settled_after_rejection")
    await scene.feed(*from_settlement(lane, submitted(1, 100, end_to_end_id="E1"), rejected(1, 100), finding))
    await scene.feed(*whole_statement({NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1")]}))
    assert await scene.open_breaks() == [("settled_after_rejection", -100)]
    await scene.assert_money_is_whole()


async def test_a_rejection_after_a_batch_match_withdraws_it(scene: Scene) -> None:
    await scene.feed(*from_settlement(LANE, submitted(1, 100), submitted(2, 100)))
    await scene.feed(*whole_statement({LANE: [line(None, -200, 1, batch_number=1, count=2)]}))
    assert len(await scene.matched()) == 2
    await scene.feed(*from_settlement(LANE, rejected(2, 100)))
    assert await scene.matched() == []
    assert await scene.open_breaks() == [("batch_total_differs", -200)]
    await scene.assert_money_is_whole()


@pytest.mark.parametrize("line_first", [False, True])
async def test_payments_of_a_refused_file_are_matched_by_the_total_of_the_batch_that_they_joined(
    scene: Scene, line_first: bool
) -> None:
    stays, first = submitted(3, 40), [submitted(1, 100), submitted(2, 50)]
    later = [submitted(each, amount, 2, at=AT + 1) for each, amount in ((1, 100), (2, 50), (4, 7))]
    await scene.feed(*from_settlement(LANE, stays, *first))
    total = whole_statement({LANE: [line(None, -157, 1, batch_number=2, count=3)]})
    parts = [total, from_settlement(LANE, *later)]
    for part in parts if line_first else reversed(parts):
        await scene.feed(*part)
        await scene.assert_money_is_whole()
    assert await scene.open_breaks() == []
    assert [(each, kind) for each, _, kind in await scene.matched()] == [
        (payment(each), "batch_total") for each in (1, 2, 4)
    ]
    before = await scene.conclusions()
    assert await scene.feed(*from_settlement(LANE, *first, *later)) == []
    assert await scene.conclusions() == before


async def test_the_same_records_again_change_nothing_and_publish_nothing(scene: Scene) -> None:
    lines = {
        LANE: [line(1, -100, 1), line(3, -5, 2), line(None, -50, 4, batch_number=2, count=1)],
        NOSTRO_LANE: [line(None, 7, 3)],
    }
    fed = from_settlement(LANE, submitted(1, 100), settled(1, 100), submitted(2, 50, batch_number=2))
    fed += from_settlement(LANE, contradicted(1, -100, "second_return"))
    fed += from_reader(NOSTRO_LANE, opened(1, 0, -148)) + whole_statement(lines)
    await scene.feed(*fed)
    before = await scene.conclusions()
    assert await scene.feed(*fed) == []
    for each in fed:
        assert await scene.feed(each) == []
    assert await scene.conclusions() == before


async def test_the_same_lines_and_closings_twice_in_one_poll_count_once(scene: Scene) -> None:
    await scene.feed(*from_settlement(LANE, submitted(1, 100)))
    lines = {
        LANE: [line(1, -100, 1), line(None, -50, 2, batch_number=2)],
        NOSTRO_LANE: [line(None, 7, 3)],
    }
    fed = from_reader(NOSTRO_LANE, opened(1, 0, -143)) + whole_statement(lines)
    emissions = await scene.feed(*fed, *fed)
    assert sorted(each.event_type for each in emissions) == [
        "BreakOpened", "BreakOpened", "PaymentMatched", "StatementReconciled",
    ]  # fmt: skip
    assert await scene.open_breaks() == [("batch_total_differs", -50), ("unknown_line", 7)]
    await scene.assert_money_is_whole()


@pytest.mark.parametrize("seed", range(25))
async def test_any_interleaving_leads_to_the_same_matches_and_breaks(database: str, seed: int) -> None:
    source = random.Random(seed)
    fed = business(source)
    scene = await scene_in(database)
    try:
        await scene.feed_in_some_order(fed, random.Random(0))
        once = await scene.conclusions()
        await scene.assert_money_is_whole()
        for order in range(1, 4):
            await scene.connection.execute(
                "TRUNCATE expected_items, batches, statement_lines, breaks, statements, statement_shares"
            )
            await scene.feed_in_some_order(fed, random.Random(order))
            assert await scene.conclusions() == once
            await scene.assert_money_is_whole()
    finally:
        await scene.connection.close()


async def test_statements_in_order_are_reconciled_and_a_gap_is_a_break_until_filled(scene: Scene) -> None:
    def delivered(number: int, opening: int, closing: int) -> list[Fed]:
        return from_reader(NOSTRO_LANE, opened(number, opening, closing)) + whole_statement({}, number)

    first = await scene.feed(*delivered(1, 0, 10))
    assert [each.event_type for each in first] == ["StatementReconciled"]
    assert [each.event_type for each in await scene.feed(*delivered(3, 30, 40))] == ["BreakOpened"]
    assert await scene.open_breaks() == [("statement_gap", 20)]
    second = await scene.feed(*delivered(2, 10, 30))
    assert [each.event_type for each in second] == [
        "BreakResolved", "StatementReconciled", "StatementReconciled",
    ]  # fmt: skip
    assert await scene.open_breaks() == []


async def test_openings_sums_and_corrections_that_do_not_agree_are_breaks(scene: Scene) -> None:
    await scene.feed(*from_reader(NOSTRO_LANE, opened(1, 0, 10)))
    await scene.feed(*from_reader(NOSTRO_LANE, opened(2, 12, 20, lines_sum_minor=9)))
    await scene.feed(*from_reader(NOSTRO_LANE, opened(2, 10, 21, statement_id=statement(99))))
    assert await scene.open_breaks() == [
        ("opening_differs", 2),
        ("statement_corrected", 1),
        ("sum_differs", -1),
    ]


async def test_a_bank_that_numbers_each_year_from_one_leaves_no_gap(scene: Scene) -> None:
    last = opened(7, 0, 10, from_date=date(2025, 12, 31), to_date=date(2025, 12, 31))
    await scene.feed(*from_reader(NOSTRO_LANE, last, opened(1, 10, 20)))
    assert await scene.open_breaks() == []


async def test_lines_that_did_not_reach_the_lane_are_a_break_until_they_do(scene: Scene) -> None:
    late = line(1, -100, 1)
    await scene.feed(*from_reader(LANE, closed([late])))
    assert await scene.open_breaks() == [("lines_missing", -100)]
    await scene.feed(*from_settlement(LANE, submitted(1, 100)), *from_reader(LANE, late))
    assert await scene.open_breaks() == []


async def test_the_latest_control_total_is_kept_and_an_unreadable_one_is_refused(scene: Scene) -> None:
    def total(count: int, offset: int) -> types.ControlTotal:
        return types.ControlTotal(
            100 * count, AT, "reconciliation", "payments", LANE, "ingestion.x", LANE, count, offset, "EUR",
            "PaymentAccepted", count,
        )  # fmt: skip

    class Garbage:
        def encode(self) -> bytes:
            return b"?"

    for event in (total(1, 5), total(3, 9), total(2, 7), Garbage()):
        await scene.feed(Fed(LANE, "control-totals", event, 0))
    kept = await scene.connection.fetchrow("SELECT count, amount_minor, last_offset FROM control_totals")
    assert kept is not None
    assert tuple(kept.values()) == (3, 300, 9)
    assert await scene.connection.fetchval("SELECT count(*) FROM refused_records") == 1
