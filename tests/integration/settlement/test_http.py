"""Settlement's HTTP over a real database."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from goodfunds.observability.http import create_app
from goodfunds.observability.metrics import read_money
from goodfunds.postgres import create_pool
from services.settlement import http
from services.settlement.store import SQL
from tests.integration.settlement.desk import EVENING, NOSTRO, Desk, instruction, migrated, opened


@pytest.fixture
async def client(database: str) -> AsyncIterator[httpx.AsyncClient]:
    await migrated(database)
    connection, pool = await opened(database), await create_pool(database)
    desk = Desk(connection)
    await desk.accept(instruction())
    await desk.close()
    await desk.accept(instruction(idempotency_key="later", amount_minor=5), now=EVENING)
    app: FastAPI = create_app("settlement", list)
    http.add_routes(app, pool)
    money = {
        state.state: (state.amount_minor, state.count)
        for state in await read_money(pool, SQL["money_by_state"])
    }
    assert money == {"claimed": (100_00, 1), "held": (5, 1)}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://settlement") as client:
        yield client
    await pool.close()
    await connection.close()


async def test_batches_are_listed_newest_date_first_and_paged(client: httpx.AsyncClient) -> None:
    first, second = (await client.get("/v1/batches")).json()
    assert (first["requested_date"], first["amount"]) == ("2026-03-04", None)
    assert (second["requested_date"], second["amount"], second["nostro"]) == ("2026-03-03", "100.00", NOSTRO)
    page = await client.get("/v1/batches", params={"before": first["batch_id"]})
    assert page.json() == [second]
    assert (await client.get("/v1/batches", params={"before": "no id"})).status_code == 422


async def test_open_cut_offs_and_bank_files_are_listed(client: httpx.AsyncClient) -> None:
    (cut_off,) = (await client.get("/v1/cut-offs")).json()
    assert (cut_off["requested_date"], cut_off["batches_count"]) == ("2026-03-04", 1)
    assert (await client.get("/v1/bank-files")).json() == []
