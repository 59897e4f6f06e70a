"""Settlement's HTTP over a real database."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from goodfunds.clock import FixedClock
from goodfunds.observability.metrics import read_money
from goodfunds.postgres import create_pool
from goodfunds.rails import RAILS
from services.settlement import OPERATE, READ, http
from services.settlement.store import SQL
from tests.integration.settlement.desk import EVENING, NOSTRO, Desk, instruction, opened
from tests.tokens import app_behind_a_door, bearer, token_of


@pytest.fixture
async def client(database: str) -> AsyncIterator[httpx.AsyncClient]:
    connection, pool = await opened(database), await create_pool(database)
    desk = Desk(connection)
    await desk.accept(instruction())
    await desk.close()
    await desk.accept(instruction(idempotency_key="later", amount_minor=5), now=EVENING)
    app = app_behind_a_door(pool, FixedClock(EVENING))
    http.add_routes(app, pool, FixedClock(EVENING), RAILS)
    token = await token_of(database, "operator", READ, OPERATE, made=EVENING)
    money = {
        state.state: (state.amount_minor, state.count)
        for state in await read_money(pool, SQL["money_by_state"])
    }
    assert money == {"claimed": (100_00, 1), "held": (5, 1)}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=bearer(token)) as client:
        yield client
    await pool.close()
    await connection.close()


async def test_batches_are_listed_latest_date_first_and_paged(client: httpx.AsyncClient) -> None:
    first, second = (await client.get("/v1/batches")).json()["items"]
    assert (first["requested_date"], first["amount"]) == ("2026-03-04", None)
    assert (second["requested_date"], second["amount"], second["nostro"]) == ("2026-03-03", "100.00", NOSTRO)
    page = (await client.get("/v1/batches", params={"limit": 1})).json()
    assert page["items"] == [first]
    rest = (await client.get("/v1/batches", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert rest == {"items": [second], "next_cursor": None}
    assert (await client.get("/v1/batches", params={"cursor": "none of ours"})).status_code == 422


async def test_open_cut_offs_and_bank_files_are_listed(client: httpx.AsyncClient) -> None:
    (cut_off,) = (await client.get("/v1/cut-offs")).json()
    assert (cut_off["requested_date"], cut_off["batches_count"]) == ("2026-03-04", 1)
    assert (await client.get("/v1/bank-files")).json() == {"items": [], "next_cursor": None}


async def test_closing_cut_offs_asks_every_lane_and_says_which_have_done_it(
    client: httpx.AsyncClient, database: str
) -> None:
    connection = await opened(database)
    lanes = "INSERT INTO lanes (lane, incarnation, offsets) VALUES (0, 'x', '{}'), (1, 'x', '{}')"
    await connection.execute(lanes)
    asked = await client.post("/v1/cut-offs/close")
    assert (asked.status_code, asked.json()) == (202, {"lanes": 2, "sealed": 0})
    rows = await connection.fetch("SELECT lane, kind, requested_by FROM requests ORDER BY lane")
    assert [tuple(row) for row in rows] == [(lane, "close_cut_off", "http:operator") for lane in (0, 1)]

    async def lanes_work() -> None:
        while True:
            if await connection.fetchval("UPDATE requests SET handled_at = now() RETURNING 1"):
                break
            await asyncio.sleep(0.01)

    await connection.execute("DELETE FROM requests")
    # Half a minute is the longest that a client may wait; the lanes here take no time.
    waited, _ = await asyncio.gather(
        client.post("/v1/cut-offs/close", headers={"Prefer": "wait=30"}), lanes_work()
    )
    assert (waited.status_code, waited.json()) == (200, {"lanes": 2, "sealed": 2})
    await connection.close()


async def test_a_rails_calendar_has_its_business_days_and_cut_offs(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/calendars/sepa-credit", params={"from": "2026-04-02", "days": 6})
    assert [(day["day"], day["business_day"]) for day in answer.json()] == [
        ("2026-04-02", True),
        ("2026-04-03", False),  # Good Friday
        ("2026-04-04", False),
        ("2026-04-05", False),
        ("2026-04-06", False),  # Easter Monday
        ("2026-04-07", True),
    ]
    cut_offs = [day["cut_off_at"] for day in answer.json()]
    assert cut_offs == ["2026-04-02T13:00:00Z", None, None, None, None, "2026-04-07T13:00:00Z"]
    today = await client.get("/v1/calendars/sepa-credit", params={"days": 1})
    assert [day["day"] for day in today.json()] == ["2026-03-03"]
    assert (await client.get("/v1/calendars/pigeon")).status_code == 404
    for wrong in ({"days": 0}, {"days": 367}, {"from": "1900-01-01"}, {"from": "9999-12-31"}, {"from": "x"}):
        assert (await client.get("/v1/calendars/sepa-credit", params=wrong)).status_code == 422, wrong


async def test_looking_is_one_scope_and_closing_another(client: httpx.AsyncClient, database: str) -> None:
    for scope, allowed, refused in (
        (READ, [("GET", "/v1/batches")], [("POST", "/v1/cut-offs/close")]),
        (OPERATE, [("POST", "/v1/cut-offs/close")], [("GET", "/v1/batches"), ("GET", "/v1/bank-files")]),
    ):
        headers = bearer(await token_of(database, "half", scope, made=EVENING))
        for method, path in allowed:
            assert (await client.request(method, path, headers=headers)).status_code < 300
        for method, path in refused:
            assert (await client.request(method, path, headers=headers)).status_code == 403
