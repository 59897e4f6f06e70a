"""Exactly once into a team's own Postgres: killed, frozen, fenced or rolled back, one effect an event."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from goodfunds import Gap, Misconfigured, OutcomeUnknown, Received, Subscription, run
from goodfunds.lanes.loop import leave
from tests.integration.client.stand import Stand

PATIENCE = 30


async def write(connection: Any, received: Received) -> None:
    """A team's own effect of an event."""
    number = received.event.amount_minor  # type: ignore[union-attr]
    await connection.execute("INSERT INTO effects VALUES ($1, $2)", number, received.seq)


async def handle_until(subscription: Subscription, pool: Any, enough: Callable[[], Awaitable[bool]]) -> None:
    """Handle events until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not await enough():
            async with subscription.transaction(pool) as (connection, events):
                for received in events:
                    await write(connection, received)


def has(stand: Stand, count: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(await stand.effects()) >= count

    return enough


class Gated:
    """A pool whose connections have to be waited for while the gate is shut."""

    def __init__(self, pool: Any) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.waited_for = asyncio.Event()
        self._pool = pool

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        if not self.gate.is_set():
            self.waited_for.set()
            await self.gate.wait()
        async with self._pool.acquire() as connection:
            yield connection


async def test_events_have_their_effect_once_and_reading_goes_on_where_it_was(stand: Stand) -> None:
    await stand.tell([1, 2, 3])
    async with stand.pool() as pool:
        async with stand.subscription() as subscription:
            await handle_until(subscription, pool, has(stand, 3))
        await stand.repeat(3, 3)
        await stand.tell([4])
        async with stand.subscription() as subscription:
            await handle_until(subscription, pool, has(stand, 4))
    assert await stand.effects() == [1, 2, 3, 4]


async def test_what_fails_is_rolled_back_and_comes_again(stand: Stand) -> None:
    await stand.tell([1, 2])

    async def fail_with_events(subscription: Subscription, pool: Any) -> None:
        while True:
            async with subscription.transaction(pool) as (connection, events):
                for received in events:
                    await write(connection, received)
                if events:
                    raise ZeroDivisionError

    async with stand.pool() as pool, stand.subscription() as subscription:
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(PATIENCE):
                await fail_with_events(subscription, pool)
        assert await stand.effects() == []
        await handle_until(subscription, pool, has(stand, 2))
    assert await stand.effects() == [1, 2]


async def test_killed_between_its_work_and_the_commit_it_has_done_nothing(stand: Stand) -> None:
    await stand.tell(range(1, 6))
    async with stand.pool() as pool:
        dying = stand.start("dying", stand.bootstrap, stand.dsn, stand.topic)
        assert await asyncio.to_thread(dying.wait, PATIENCE) == -signal.SIGKILL
        assert await stand.effects() == []
        async with stand.subscription() as subscription:
            await handle_until(subscription, pool, has(stand, 5))
    assert await stand.effects() == [1, 2, 3, 4, 5]


async def test_a_zombie_that_comes_late_with_events_that_its_successor_has_handled_writes_nothing(
    stand: Stand,
) -> None:
    await stand.tell([1])
    async with stand.pool() as pool:
        gated = Gated(pool)
        async with stand.subscription() as zombie:
            await handle_until(zombie, gated, has(stand, 1))
            gated.gate.clear()
            late: list[Received] = []

            async def come_late() -> None:
                while not zombie.stopping:
                    async with zombie.transaction(gated) as (connection, events):  # type: ignore[arg-type]
                        for received in events:
                            late.append(received)
                            await write(connection, received)

            coming = asyncio.create_task(come_late())
            # Its next look at an idle topic wants a connection, too: it has read the event once it holds one.
            await stand.tell([2])

            async def has_read_it() -> bool:
                inbox = zombie._inbox
                assert inbox is not None
                if any(held.position.offset == 2 for held in inbox._reader.held.values()):
                    return True
                gated.gate.set()
                await asyncio.sleep(0)
                gated.gate.clear()
                return False

            await stand.until("the zombie has read the event", has_read_it)
            assert zombie._member is not None
            await leave(zombie._member)
            async with stand.subscription() as successor:
                await handle_until(successor, pool, has(stand, 2))
            zombie.stop()
            gated.gate.set()
            async with asyncio.timeout(PATIENCE):
                await coming
    assert late == []
    assert await stand.effects() == [1, 2]


async def test_a_successor_waits_for_an_open_transaction_and_goes_on_behind_it(stand: Stand) -> None:
    await stand.tell([1, 2])
    async with stand.pool() as pool:
        opened, close = asyncio.Event(), asyncio.Event()
        async with stand.subscription() as first:
            work = asyncio.create_task(_hold(first, pool, opened, close))
            async with asyncio.timeout(PATIENCE):
                await opened.wait()
            assert first._member is not None
            await leave(first._member)
            async with stand.subscription() as successor:
                following = asyncio.create_task(handle_until(successor, pool, has(stand, 3)))

                async def is_waited_for() -> bool:
                    return bool(await stand.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"))

                await stand.until("the successor waits", is_waited_for)
                close.set()
                await work
                await stand.tell([3])
                await following
    assert await stand.effects() == [1, 2, 3]


async def _hold(subscription: Subscription, pool: Any, opened: asyncio.Event, close: asyncio.Event) -> None:
    """Handle the first events, and leave their transaction open until told to close it."""
    handled = False
    while not handled:
        async with subscription.transaction(pool) as (connection, events):
            for received in events:
                await write(connection, received)
            if events:
                handled = True
                opened.set()
                await close.wait()


async def test_one_that_is_frozen_inside_its_transaction_is_ended_and_has_done_nothing(stand: Stand) -> None:
    await stand.tell([1, 2])
    async with stand.pool() as pool:
        opened, close = asyncio.Event(), asyncio.Event()
        async with stand.subscription(longest_idle=0.5) as frozen:
            work = asyncio.create_task(_hold(frozen, pool, opened, close))
            async with asyncio.timeout(PATIENCE):
                await opened.wait()
            assert frozen._member is not None
            await leave(frozen._member)
            async with stand.subscription() as successor:
                await handle_until(successor, pool, has(stand, 2))
            close.set()
            with pytest.raises(OutcomeUnknown) as fault:
                await work
            assert fault.value.retriable
    assert await stand.effects() == [1, 2]


async def test_a_gap_is_raised_before_anything_is_handled_and_may_be_passed(stand: Stand) -> None:
    await stand.tell([1])
    async with stand.pool() as pool:
        async with stand.subscription() as subscription:
            await handle_until(subscription, pool, has(stand, 1))
        await stand.tell([3], skip=1)
        async with stand.subscription() as subscription:
            for _ in range(2):
                with pytest.raises(Gap, match="seq 3 follows 1"):
                    await handle_until(subscription, pool, has(stand, 2))
        assert await stand.effects() == [1]
        async with stand.subscription(gaps="flag") as subscription:
            await handle_until(subscription, pool, has(stand, 2))
    assert await stand.effects() == [1, 3]


async def test_two_members_handle_each_event_once_while_they_come_and_go(stand: Stand) -> None:
    accounts = [f"customer-{number}" for number in range(6)]
    numbers = iter(range(1, 1000))

    async def handle(connection: Any, received: Received) -> None:
        await write(connection, received)

    async with stand.pool() as pool:
        first, second = stand.subscription(), stand.subscription()
        works = [asyncio.create_task(run(each, handle, pool=pool)) for each in (first, second)]
        for account in accounts:
            await stand.tell([next(numbers)], account)
        await stand.until("six effects", has(stand, 6))
        first.stop()
        for account in accounts:
            await stand.tell([next(numbers)], account)
        await works[0]
        third = stand.subscription()
        works.append(asyncio.create_task(run(third, handle, pool=pool)))
        for account in accounts:
            await stand.tell([next(numbers)], account)
        await stand.until("eighteen effects", has(stand, 18))
        for subscription in (second, third):
            subscription.stop()
        await asyncio.gather(*works)
    assert await stand.effects() == list(range(1, 19))


async def test_positions_are_in_one_database_and_one_transaction_is_open_at_a_time(stand: Stand) -> None:
    async with stand.pool() as pool, stand.pool() as other, stand.subscription() as subscription:
        async with subscription.transaction(pool):
            with pytest.raises(Misconfigured, match="still open"):
                async with subscription.transaction(pool):
                    pass
        with pytest.raises(Misconfigured, match="same pool"):
            async with subscription.transaction(other):
                pass
        with pytest.raises(Misconfigured, match="transaction"):
            await anext(aiter(subscription))


async def test_without_its_tables_the_database_says_what_is_missing(stand: Stand) -> None:
    async with asyncpg.create_pool(stand.dsn) as pool, stand.subscription() as subscription:
        with pytest.raises(asyncpg.UndefinedTableError, match="goodfunds_positions"):
            async with asyncio.timeout(PATIENCE):
                await handle_until(subscription, pool, _never)


async def _never() -> bool:
    return False
