"""The inbox: events handled in the caller's own transaction, with the positions behind them, exactly once.

A position moves in the transaction of what the events did, in its first statement, which also is the fence:
it names the epoch of our takeover and the offset that we remember, and locks the row until the end. Whoever
takes the partition over raises the epoch; he waits for a transaction that holds the row, and finds its
offset moved. A former owner who comes later finds another epoch, and writes nothing. So of two instances
that both think a partition theirs, one handles each event, whatever Kafka told either of them.

Any fault ends in the same way: nothing is remembered, the partitions are taken over anew, and what the
database says is where reading begins.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg

from goodfunds.client.keepers import DatabaseKeeper
from goodfunds.client.reading import Reader
from goodfunds.client.received import Received, receive_all
from goodfunds.client.statements import Connection, Pool
from goodfunds.errors import Misconfigured, OutcomeUnknown

log = logging.getLogger(__name__)

_WAIT_SECONDS = 0.5


_NOT_COMMITTED = (asyncpg.IntegrityConstraintViolationError, asyncpg.TransactionRollbackError)
"""Answers to a COMMIT that say for certain that nothing was written."""


class Inbox:
    """Transactions of one member, one after the other."""

    def __init__(self, reader: Reader, keeper: DatabaseKeeper) -> None:
        self._reader = reader
        self._keeper = keeper
        self._open = False

    @contextlib.asynccontextmanager
    async def transaction(
        self, pool: Pool, names: frozenset[str], stop: asyncio.Event
    ) -> AsyncIterator[tuple[Connection, Sequence[Received]]]:
        """See Subscription.transaction."""
        if pool is not self._keeper.pool:
            raise Misconfigured("a subscription's positions are in one database: hand the same pool in")
        if self._open:
            raise Misconfigured("the transaction before is still open: a subscription has one at a time")
        self._open = True
        try:
            async with self._fenced(names, stop) as found:
                yield found
        except BaseException:
            self._reader.again()
            raise
        finally:
            self._open = False

    @contextlib.asynccontextmanager
    async def _fenced(
        self, names: frozenset[str], stop: asyncio.Event
    ) -> AsyncIterator[tuple[Connection, Sequence[Received]]]:
        while True:
            admitted = {} if stop.is_set() else await self._reader.read(_WAIT_SECONDS)
            events = receive_all(admitted.values(), names)
            async with self._keeper.pool.acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    lost = await self._keeper.move(connection, self._reader.moves(admitted))
                    if not lost:
                        yield connection, events
                except BaseException:
                    with contextlib.suppress(Exception):
                        await transaction.rollback()
                    raise
                if not lost:
                    await _commit(transaction)
                    self._reader.stored(admitted)
                    break
                await transaction.rollback()
            log.warning("taken over by another instance: %s", sorted(lost))
            self._reader.again()
            # Two that take over from each other in step would go on for ever.
            await asyncio.sleep(random.uniform(0.05, 0.5))  # noqa: S311 - not a secret
        for admission in admitted.values():
            for gap in admission.gaps:
                log.error("events are missing: %s", gap)


async def _commit(transaction: Any) -> None:
    try:
        await transaction.commit()
    except _NOT_COMMITTED:
        raise
    except Exception as fault:
        raise OutcomeUnknown(f"a commit was not answered: {fault!r}") from fault
