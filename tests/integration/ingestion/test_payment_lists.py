"""A client's list of payments: its own, each once, by reads that do not grow with the table."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from goodfunds.postgres import create_pool
from services.ingestion.store import SQL
from tests.integration.ingestion.desk import Desk, desk_on
from tests.integration.ingestion.test_http import app_on, client_of
from tests.unit.ingestion.requests import instruction

KEYS = ["A/1/1", "A/1/10", "A/1/2", "AB", "a", "ä", "\U0010ffff"]
UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d"


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with desk_on(database) as desk:
        await desk.open(100_00)
        for number, key in enumerate(KEYS):
            # One in three is more than the account holds.
            minor = 10**9 if number % 3 == 0 else 1
            reference = f"E{number // 2}"
            await desk.ask(instruction(idempotency_key=key, amount_minor=minor, end_to_end_id=reference))
        await desk.ask(instruction(idempotency_key="z", amount_minor=1, uetr=UETR, end_to_end_id=""))
        await desk.ask(instruction(client="another", idempotency_key="A/1/1", end_to_end_id="E0"))
        yield desk


@pytest.fixture
async def client(desk: Desk, database: str) -> AsyncIterator[httpx.AsyncClient]:
    pool = await create_pool(database)
    async with await client_of(database, app_on(pool), "shop") as client:
        yield client
    await pool.close()


async def keys(client: httpx.AsyncClient, limit: int = 3, **asked: Any) -> list[str]:
    """The keys of all pages, one after the other."""
    found: list[str] = []
    for _ in range(20):
        answer = await client.get("/v1/payments", params={"limit": limit, **asked})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += [each["idempotency_key"] for each in page["items"]]
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("limit", [1, 3, 8, 500])
async def test_the_pages_hold_the_clients_payments_once_each_in_byte_order(
    client: httpx.AsyncClient, limit: int
) -> None:
    assert await keys(client, limit) == sorted([*KEYS, "z"], key=str.encode)


async def test_filters_keep_what_they_name(client: httpx.AsyncClient) -> None:
    assert await keys(client, key_prefix="A/") == ["A/1/1", "A/1/10", "A/1/2"]
    assert await keys(client, key_prefix="A/1/1") == ["A/1/1", "A/1/10"]
    assert await keys(client, key_prefix="\U0010ffff") == ["\U0010ffff"]
    assert await keys(client, key_prefix="none") == []
    assert await keys(client, state="rejected") == ["A/1/1", "AB", "\U0010ffff"]
    assert await keys(client, state="accepted", key_prefix="A") == ["A/1/10", "A/1/2"]
    assert await keys(client, end_to_end_id="E0") == ["A/1/1", "A/1/10"]
    assert await keys(client, limit=1, end_to_end_id="E0") == ["A/1/1", "A/1/10"]
    assert await keys(client, uetr=UETR) == ["z"]


async def test_a_filter_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    for asked in (
        {"state": "lost"}, {"limit": 0}, {"limit": 501}, {"limit": "x"}, {"cursor": "x"},
        {"end_to_end_id": ""}, {"key_prefix": "\0"}, {"cursor": "W" * 3_000},
        {"uetr": UETR, "end_to_end_id": "E0"}, {"uetr": UETR, "key_prefix": "A"},
    ):  # fmt: skip
        assert (await client.get("/v1/payments", params=asked)).status_code == 422, asked


async def test_no_list_reads_more_of_the_table_than_its_page(desk: Desk) -> None:
    """Ten thousand payments of the client, and as many of another, beside those that are asked for."""
    await desk.connection.execute(
        "INSERT INTO payments SELECT gen_random_uuid(), 0, client, format('%s/%s', client, n), '', 'x', 1,"
        " 'EUR', 'sepa-credit', 'accepted', '', '', 'R' || n, gen_random_uuid()::text, 0, 1, now()"
        " FROM generate_series(1, 10000) n, unnest('{shop,other}'::text[]) client"
    )
    await desk.connection.execute("ANALYZE payments")
    top = "\U0010ffff" * 201
    for name, arguments in {
        "own_payments": ("shop", "shop/5", "", top, 101),
        "own_payments_by_end_to_end_id": ("shop", "", "R77", 101),
        "own_payments_by_uetr": ("shop", "", UETR, 101),
        "own_payment_by_key": ("shop", "shop/77"),
        "decided_payments": (["shop"], ["shop/77"]),
        "outcomes_of_file": ("shop", "A"),
    }.items():
        plan = await desk.connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT json) {SQL[name]}", *arguments)
        assert rows_read(json.loads(plan)[0]["Plan"]) <= 110, name


def rows_read(node: dict[str, Any]) -> int:
    """Rows that a plan read from the payments, those that it threw away included."""
    own = 0
    if node.get("Relation Name") == "payments":
        own = int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    return own + sum(rows_read(each) for each in node.get("Plans", []))
