"""What the proof asks of reconciliation's own tables: a row or a cent that was changed is named."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.reconciliation.store import SQL
from tests.integration.reconciliation.scene import (
    NOSTRO_LANE,
    OTHER_LANE,
    PARTITIONS,
    Scene,
    from_reader,
    from_settlement,
    line,
    opened,
    payment,
    scene_in,
    settled,
    statement,
    submitted,
    whole_statement,
)
from tests.integration.tampering import unguarded


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scene]:
    """Two statements in two lanes: matched by reference and as a batch, a line of nobody, one missing."""
    found = await scene_in(database)
    await found.connection.execute("INSERT INTO cluster (partitions) VALUES ($1)", PARTITIONS)
    first = [line(1, -100, 1), line(None, -70, 2, batch_number=2, count=2)]
    second = [line(None, 9, 1, statement_number=2, bank_reference="R9")]
    await found.feed(
        *from_settlement(OTHER_LANE, submitted(1, 100), settled(1, 100)),
        *from_settlement(OTHER_LANE, submitted(2, 30, 2), submitted(3, 40, 2), settled(2, 30, 2)),
        *from_settlement(OTHER_LANE, submitted(4, 5, 3), settled(4, 5, 3)),
        *from_reader(NOSTRO_LANE, opened(1, 1000, 830, first)),
        *from_reader(NOSTRO_LANE, opened(2, 830, 839, second)),
        *whole_statement({OTHER_LANE: first}),
        *whole_statement({NOSTRO_LANE: second}, 2),
    )
    assert await found.open_breaks() == [("missing_line", 5), ("unknown_line", 9)]
    yield found
    await found.connection.close()


async def differences(scene: Scene) -> list[Any]:
    return list(await scene.connection.fetch(SQL["differences"]))


async def test_a_sound_database_has_no_differences(scene: Scene) -> None:
    assert await differences(scene) == []


async def test_lines_that_settlement_explains_by_no_payment_are_counted_by_amount(scene: Scene) -> None:
    unsettled = [line(5, -60, 1, statement_number=3), line(6, -60, 2, statement_number=3)]
    nameless = [line(None, -80, 3, statement_number=3, end_to_end_id="E7")]
    await scene.feed(*from_settlement(OTHER_LANE, submitted(5, 60, 5), submitted(7, 80, 7, "E7")))
    await scene.feed(*whole_statement({OTHER_LANE: unsettled, NOSTRO_LANE: nameless}, 3))
    rows = await scene.connection.fetch(SQL["lines_not_settled"])
    assert sorted((row["amount_minor"], row["lines"]) for row in rows) == [
        (-80, 1), (-70, 1), (-60, 2), (9, 1),
    ]  # fmt: skip
    await scene.connection.execute("DELETE FROM statement_lines WHERE handed_over_from IS NOT NULL")
    assert sorted(rows) == sorted(await scene.connection.fetch(SQL["lines_not_settled"]))


async def test_days_are_stated_once_every_lane_was_told_and_no_break_is_about_the_statement(
    scene: Scene,
) -> None:
    async def stated() -> list[int]:
        return sorted(row["to_date"].day for row in await scene.connection.fetch(SQL["stated_days"]))

    assert await stated() == [23, 24]
    await scene.connection.execute(
        "DELETE FROM statement_shares WHERE lane = $1 AND statement_id = $2", OTHER_LANE, statement(2)
    )
    assert await stated() == [23]
    await scene.feed(*from_reader(NOSTRO_LANE, opened(3, 839, 900, [line(None, 60, 1, 3)])))
    await scene.feed(*whole_statement({NOSTRO_LANE: [line(None, 60, 1, 3)]}, 3))
    assert await stated() == [23]


NAMED = [
    "UPDATE expected_items SET amount_minor = amount_minor + 1 WHERE payment_id = $1",
    "UPDATE expected_items SET amount_minor = -amount_minor WHERE payment_id = $1",
    "UPDATE expected_items SET nostro = 'X' WHERE payment_id = $1",
    "UPDATE expected_items SET currency = 'USD' WHERE payment_id = $1",
    "UPDATE expected_items SET state = 0, statement_id = NULL, match_kind = '' WHERE payment_id = $1",
    "DELETE FROM expected_items WHERE payment_id = $1",
    "UPDATE statement_lines SET amount_minor = amount_minor - 1 WHERE payment_id = $1",
    "DELETE FROM statement_lines WHERE payment_id = $1",
]


@pytest.mark.parametrize("sabotage", NAMED)
async def test_a_changed_item_or_line_is_named_with_its_payment(scene: Scene, sabotage: str) -> None:
    async with unguarded(scene.connection) as connection:
        await connection.execute("ALTER TABLE expected_items DROP CONSTRAINT has_the_sign_of_its_side")
        await connection.execute(sabotage, payment(1))
    assert payment(1) in {row["payment_id"] for row in await differences(scene)}


@pytest.mark.parametrize(
    "sabotage",
    [
        "DELETE FROM breaks WHERE reason = 'missing_line'",
        "DELETE FROM breaks WHERE reason = 'unknown_line'",
        "UPDATE breaks SET amount_minor = amount_minor + 1 WHERE reason = 'missing_line'",
        "UPDATE breaks SET resolved_at = opened_at, resolution = 'x' WHERE reason = 'unknown_line'",
        "DELETE FROM statement_lines WHERE state = 2",
        "UPDATE batches SET open_debit_minor = open_debit_minor + 1",
        "UPDATE statement_shares SET lane_sum_minor = lane_sum_minor + 1 WHERE lane_lines = 2",
        "UPDATE statement_shares SET lane_lines = lane_lines + 1 WHERE lane_lines = 2",
        "DELETE FROM statements WHERE statement_number = '1'",
        "DELETE FROM statements WHERE statement_number = '2'",
        "UPDATE statements SET closing_minor = closing_minor + 1 WHERE statement_number = '2'",
        "UPDATE statements SET opening_minor = opening_minor + 1 WHERE statement_number = '1'",
        "UPDATE statements SET lines_sum_minor = lines_sum_minor + 1 WHERE statement_number = '2'",
        "UPDATE statements SET opening_minor = opening_minor + 1, closing_minor = closing_minor + 1"
        " WHERE statement_number = '2'",
        "UPDATE expected_items a SET statement_id = b.statement_id, line_number = b.line_number,"
        " amount_minor = b.amount_minor FROM expected_items b"
        " WHERE a.state = 1 AND b.state = 1 AND a.amount_minor <> b.amount_minor",
    ],
)
async def test_a_changed_break_batch_or_statement_is_a_difference(scene: Scene, sabotage: str) -> None:
    async with unguarded(scene.connection) as connection:
        await connection.execute(sabotage)
    assert await differences(scene) != []
