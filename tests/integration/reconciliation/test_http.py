"""Statements and breaks over HTTP, and the money metrics, from a real Postgres."""

import httpx

from goodfunds.observability.http import create_app
from goodfunds.observability.metrics import read_money
from goodfunds.postgres import create_pool
from services.reconciliation import http
from services.reconciliation.store import SQL
from tests.integration.reconciliation.scene import (
    NOSTRO,
    NOSTRO_LANE,
    OTHER_LANE,
    from_reader,
    from_settlement,
    line,
    opened,
    returned,
    scene_in,
    submitted,
    whole_statement,
)


async def test_statements_breaks_and_money_can_be_looked_at(database: str) -> None:
    scene = await scene_in(database)
    stray = line(None, -7, 1)
    await scene.feed(*from_settlement(OTHER_LANE, submitted(1, 100), submitted(2, 50), returned(2, 50)))
    await scene.feed(*from_reader(NOSTRO_LANE, opened(1, 10, 3, [stray])))
    await scene.feed(*whole_statement({NOSTRO_LANE: [stray]}))
    await scene.connection.close()
    pool = await create_pool(database)
    app = create_app("test", list)
    http.add_routes(app, pool)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        (statement,) = (await client.get("/v1/statements")).json()
        breaks = {each["reason"]: each for each in (await client.get("/v1/breaks")).json()}
        assert (await client.get("/v1/breaks?limit=0")).status_code == 422
    assert (statement["nostro"], statement["closing_minor"]) == (NOSTRO, 3)
    assert statement["reconciled_at"] is not None
    assert {reason: found["amount_minor"] for reason, found in breaks.items()} == {
        "unknown_line": -7,
        "missing_line": -50,
    }
    assert breaks["unknown_line"]["payment_id"] is None
    await pool.execute(
        "INSERT INTO parked VALUES "
        "(3, 'payments', 3, 7, '', NULL, '[]', 0, 12, 'EUR', true, 'a test', now()), "
        "(3, 'payments', 3, 8, '', NULL, '[]', 0, NULL, NULL, false, 'a test', now())"
    )
    money = {
        (each.state, each.currency): (each.amount_minor, each.count)
        for each in await read_money(pool, SQL["money_by_state"])
    }
    assert money == {
        ("expected", "EUR"): (150, 2),
        ("return_expected", "EUR"): (50, 1),
        ("break_line", "EUR"): (7, 1),
        ("break_item", "EUR"): (50, 1),
        ("parked", "EUR"): (12, 1),
    }
    await pool.close()
