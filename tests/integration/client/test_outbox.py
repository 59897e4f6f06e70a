"""The outbox on a real database: part of its transaction, relayed whatever the order of commits."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from goodfunds import DeliveryFailed, Misconfigured, RequestRefused, relay
from goodfunds.client.statements import SQL
from tests.integration.client.stand import Stand
from tests.integration.client.transfers import transfer


@asynccontextmanager
async def relaying(stand: Stand, pool: Any, **settings: Any) -> AsyncIterator[None]:
    """A relay at work."""
    stop = asyncio.Event()
    async with stand.publisher() as publisher:
        work = asyncio.create_task(relay(pool, publisher, stop=stop, idle=0.02, **settings))
        try:
            yield
        finally:
            stop.set()
            await work


async def waiting(stand: Stand) -> int:
    [row] = await stand.fetch("SELECT count(*) AS count FROM goodfunds_outbox")
    return int(row["count"])


async def until_relayed(stand: Stand) -> None:
    async def empty() -> bool:
        return await waiting(stand) == 0

    await stand.until("the outbox is empty", empty)


async def write(stand: Stand, pool: Any, *numbers: int, account: str = "customer-1") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await stand.publisher().outbox(connection).submit_many(transfer(each, account) for each in numbers)


async def test_the_librarys_statements_fit_its_tables_and_the_tables_may_be_made_again(stand: Stand) -> None:
    async with stand.pool(), stand.pool() as pool, pool.acquire() as connection:
        for name, statement in SQL.items():
            assert await connection.prepare(statement), name


async def write_and_fail(stand: Stand, pool: Any) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await stand.publisher().outbox(connection).submit(transfer(0))
        raise ZeroDivisionError


async def test_rows_go_out_once_their_transaction_has_committed_and_never_if_it_has_not(stand: Stand) -> None:
    async with stand.pool() as pool, relaying(stand, pool):
        with pytest.raises(ZeroDivisionError):
            await write_and_fail(stand, pool)
        await write(stand, pool, 1, 2, 3)
        await until_relayed(stand)
    assert await stand.keys() == ["1", "2", "3"]


async def test_a_row_of_a_low_id_that_commits_late_is_not_lost(stand: Stand) -> None:
    async with stand.pool() as pool, relaying(stand, pool):
        async with pool.acquire() as slow, slow.transaction():
            await stand.publisher().outbox(slow).submit(transfer(1))
            await write(stand, pool, 2, 3)

            async def others_are_out() -> bool:
                return await stand.keys() == ["2", "3"]

            await stand.until("the later rows are published", others_are_out)
        await until_relayed(stand)
    assert await stand.keys() == ["2", "3", "1"]


async def test_many_transactions_at_once_lose_nothing_and_keep_each_accounts_order(stand: Stand) -> None:
    async def write_in_turn(pool: Any, account: int) -> None:
        for number in range(20):
            await write(stand, pool, number * 10 + account, account=f"customer-{account}")

    async with stand.pool() as pool, relaying(stand, pool, page=7):
        await asyncio.gather(*(write_in_turn(pool, account) for account in range(4)))
        await until_relayed(stand)
    keys = await stand.keys()
    assert len(keys) == 80
    for account in range(4):
        mine = [int(key) for key in keys if int(key) % 10 == account]
        assert mine == [number * 10 + account for number in range(20)]


async def test_a_relay_killed_before_it_deletes_leaves_its_rows_to_the_next(stand: Stand) -> None:
    async with stand.pool() as pool:
        await write(stand, pool, *range(10))
        killed = stand.start("relayer", stand.bootstrap, stand.dsn, stand.topic)
        assert await asyncio.to_thread(killed.wait, 30) == -signal.SIGKILL
        assert len(await stand.keys()) == await waiting(stand) == 10
        async with relaying(stand, pool):
            await until_relayed(stand)
    keys = await stand.keys()
    assert keys == [f"{number}" for number in range(10)] * 2, "again, with the same keys and in order"


async def test_one_relay_works_and_another_takes_over_when_it_ends(stand: Stand) -> None:
    async with stand.pool() as pool, stand.publisher() as publisher:
        first, second = asyncio.Event(), asyncio.Event()
        works = [
            asyncio.create_task(relay(pool, publisher, stop=each, idle=0.02)) for each in (first, second)
        ]
        await write(stand, pool, *range(5))
        await until_relayed(stand)
        assert sorted(await stand.keys()) == sorted({f"{number}" for number in range(5)})
        first.set()
        await works[0]
        await write(stand, pool, 5)
        await until_relayed(stand)
        second.set()
        await works[1]
    assert sorted(await stand.keys()) == [f"{number}" for number in range(6)]


async def test_what_was_acknowledged_before_a_failure_is_not_sent_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand.pool() as pool:
        await write(stand, pool, *range(6))
        async with stand.publisher() as publisher:
            receipt, calls = publisher._receipt, 0

            async def fails_once(*of: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls == 4:
                    raise DeliveryFailed("no answer")
                return await receipt(*of)

            monkeypatch.setattr(publisher, "_receipt", fails_once)
            stop = asyncio.Event()
            work = asyncio.create_task(relay(pool, publisher, stop=stop, idle=0.02))
            await until_relayed(stand)
            stop.set()
            await work
    keys = await stand.keys()
    assert list(dict.fromkeys(keys)) == ["0", "1", "2", "3", "4", "5"]
    assert [keys.count(key) for key in ("0", "1", "2", "3")] == [1, 1, 1, 2]


async def test_outside_of_a_transaction_nothing_is_written(stand: Stand) -> None:
    async with stand.pool() as pool, pool.acquire() as connection:
        with pytest.raises(Misconfigured, match="transaction"):
            await stand.publisher().outbox(connection).submit(transfer(0))
    assert await waiting(stand) == 0


async def test_what_is_refused_is_not_written(stand: Stand) -> None:
    async with stand.pool() as pool, pool.acquire() as connection, connection.transaction():
        with pytest.raises(RequestRefused):
            await stand.publisher().outbox(connection).submit_many([transfer(0), transfer(1, amount=0)])
    assert await waiting(stand) == 0


async def test_a_trace_goes_on_through_the_outbox(stand: Stand) -> None:
    async with stand.pool() as pool, relaying(stand, pool):
        async with pool.acquire() as connection, connection.transaction():
            await stand.publisher().outbox(connection).submit(transfer(0), traceparent="00-0-0-01")
        await until_relayed(stand)
    [record] = await stand.records()
    assert dict(record.headers)["traceparent"] == b"00-0-0-01"
