"""Statements and breaks over HTTP, and the money metrics, from a real Postgres."""

from typing import Any

import httpx

from goodfunds.clock import FixedClock
from goodfunds.observability.metrics import read_money
from goodfunds.postgres import create_pool
from services.reconciliation import READ, STATEMENTS_WRITE, http
from services.reconciliation.store import SQL
from tests.integration.reconciliation.scene import (
    NOSTRO,
    NOSTRO_LANE,
    NOW,
    OTHER_LANE,
    PARTITIONS,
    from_reader,
    from_settlement,
    line,
    opened,
    returned,
    scene_in,
    submitted,
    whole_statement,
)
from tests.tokens import app_behind_a_door, bearer, token_of


async def client_of(database: str, pool: Any) -> httpx.AsyncClient:
    """A program that may do all that reconciliation allows."""
    app = app_behind_a_door(pool, FixedClock(NOW))
    http.add_routes(app, pool, FixedClock(NOW), PARTITIONS)
    token = await token_of(database, "operator", READ, STATEMENTS_WRITE, made=NOW)
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://x", headers=bearer(token))


async def test_statements_breaks_and_money_can_be_looked_at(database: str) -> None:
    scene = await scene_in(database)
    stray = line(None, -7, 1)
    await scene.feed(*from_settlement(OTHER_LANE, submitted(1, 100), submitted(2, 50), returned(2, 50)))
    await scene.feed(*from_reader(NOSTRO_LANE, opened(1, 10, 3, [stray])))
    await scene.feed(*whole_statement({NOSTRO_LANE: [stray]}))
    await scene.connection.close()
    pool = await create_pool(database)
    async with await client_of(database, pool) as client:
        (statement,) = (await client.get("/v1/statements")).json()["items"]
        found = (await client.get("/v1/breaks")).json()["items"]
        breaks = {each["reason"]: each for each in found}
        assert (await client.get("/v1/breaks?limit=0")).status_code == 422
        page = (await client.get("/v1/breaks?limit=1")).json()
        rest = (await client.get("/v1/breaks", params={"cursor": page["next_cursor"]})).json()
        assert (page["items"] + rest["items"], rest["next_cursor"]) == (found, None)
        for filters, reasons in (
            ({"about": "line"}, ["unknown_line"]),
            ({"reason": "missing_line"}, ["missing_line"]),
            ({"nostro": NOSTRO, "currency": "EUR"}, [each["reason"] for each in found]),
            ({"currency": "USD"}, []),
        ):
            kept = (await client.get("/v1/breaks", params=filters)).json()["items"]
            assert [each["reason"] for each in kept] == reasons
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
