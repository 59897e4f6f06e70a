"""The relay: publishes what transactions have written into the outbox, and deletes what was acknowledged.

Why no row is lost. Ids are drawn when a row is inserted, not when it commits: a row of a low id may become
visible after higher ones were published. So no highest id is kept anywhere. Whatever can be seen is
published, oldest first, and a row goes only once its own record was acknowledged; one that appears late is
simply there the next time. Whoever dies between the acknowledgement and the DELETE leaves the row, which is
published again with the same idempotency key: at least once on the topic, once in goodfunds.

Why the order of an account holds. If one transaction began after another had committed, its rows have
higher ids, and whoever sees them sees the other's, too, or finds them published: so each reading, in the
order of its ids, is in the order of the commits, and a producer keeps a lane's order. That holds even of
two relays at once, since each goes through what it read from the oldest row on: of two requests the first
sending of the earlier comes first. The lock that lets one relay work saves work; nothing else depends on
it.

The outbox is asked at intervals and not announced by NOTIFY: Postgres lets transactions that notify commit
one after the other, and that is a price that the caller's own transactions would pay.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Sequence

from goodfunds.client.outgoing import Outgoing
from goodfunds.client.publishing import Publisher
from goodfunds.client.statements import SQL, Connection, Pool
from goodfunds.errors import is_retriable

log = logging.getLogger(__name__)

_PAGE_BYTES = 8 * 1024 * 1024
_STANDBY_SECONDS = 1.0
_LONGEST_PAUSE = 5.0


async def relay(
    pool: Pool,
    publisher: Publisher,
    *,
    stop: asyncio.Event | None = None,
    page: int = 1_000,
    idle: float = 0.2,
) -> None:
    """Publish the outbox of the pool's database until `stop` is set; the page under way is finished.

    Run one beside each instance of your service: one works, the others stand by. Keeps one connection of the
    pool, which must be one of sessions (no transaction pooling in between: the lock is the session's).
    `page`: rows of one reading; `idle`: seconds until an empty outbox is looked at again. Retriable faults
    are logged and tried again with a growing pause; others are raised.
    """
    until = stop or asyncio.Event()
    pause = idle
    while not until.is_set():
        try:
            async with pool.acquire() as connection:
                if await connection.fetchval(SQL["become_relay"]):
                    try:
                        async for _ in _pages(connection, publisher, until, page, idle):
                            pause = idle
                    finally:
                        # A connection that is lost has lost the lock, too.
                        with contextlib.suppress(Exception):
                            await connection.execute(SQL["resign"])
            await _rest(until, _STANDBY_SECONDS)
        except Exception as fault:
            if not is_retriable(fault):
                raise
            pause = min(pause * 2, _LONGEST_PAUSE)
            log.warning("the outbox is not relayed, again in %.1f s: %r", pause, fault)
            await _rest(until, pause * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret


async def _pages(
    connection: Connection, publisher: Publisher, until: asyncio.Event, page: int, idle: float
) -> AsyncIterator[None]:
    """Publish page after page; yields after each."""
    while not until.is_set():
        rows = await connection.fetch(SQL["waiting"], page, _PAGE_BYTES)
        if not rows:
            await _rest(until, idle)
            continue
        await _publish(
            connection,
            publisher,
            [row["id"] for row in rows],
            [
                Outgoing(
                    row["account"], row["event_type"], row["client"], row["idempotency_key"], row["value"],
                    row["traceparent"],
                )
                for row in rows
            ],
        )  # fmt: skip
        yield


async def _publish(
    connection: Connection, publisher: Publisher, ids: Sequence[int], requests: Sequence[Outgoing]
) -> None:
    acknowledged = 0
    try:
        # Receipts come in order, so that their count says which rows are done.
        async for _ in publisher.deliver(_each(requests), len(requests)):
            acknowledged += 1
    finally:
        if acknowledged:
            await connection.execute(SQL["forget"], ids[:acknowledged])


async def _each(requests: Sequence[Outgoing]) -> AsyncIterator[Outgoing]:
    for request in requests:
        yield request


async def _rest(until: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), seconds)
