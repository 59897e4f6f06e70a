"""The callback form: a handler called with each event, as long as the subscription is not stopped."""

import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import overload

from goodfunds.client.received import Received
from goodfunds.client.statements import Connection, Pool
from goodfunds.client.subscribing import Subscription
from goodfunds.errors import is_retriable

log = logging.getLogger(__name__)

_SHORTEST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0


@overload
async def run(subscription: Subscription, handler: Callable[[Received], Awaitable[None]]) -> None: ...


@overload
async def run(
    subscription: Subscription, handler: Callable[[Connection, Received], Awaitable[None]], *, pool: Pool
) -> None: ...


async def run(
    subscription: Subscription, handler: Callable[..., Awaitable[None]], *, pool: "Pool | None" = None
) -> None:
    """Join the group and call `handler` with each event in order, until `subscription.stop()`.

    Without a pool an event comes at least once: what the handler has finished is committed for the group.
    With one it is called with a connection, too, inside a transaction that also stores the position: what it
    writes there is written exactly once. An event whose handler raises is not finished. Retriable faults, a
    handler's as well, are logged and tried again with a growing pause; others are raised.
    """
    pause = _SHORTEST_PAUSE
    while not subscription.stopping:
        try:
            async with subscription:
                handled = (
                    _at_least_once(subscription, handler)
                    if pool is None
                    else _exactly_once(subscription, handler, pool)
                )
                async for _ in handled:
                    pause = _SHORTEST_PAUSE
        except Exception as fault:
            if not is_retriable(fault):
                raise
            log.warning("the subscription of %s begins anew in %.1f s: %r", subscription.group, pause, fault)
            # Jittered, so that many instances do not come back in step.
            await subscription.rest(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            pause = min(pause * 2, _LONGEST_PAUSE)


async def _exactly_once(
    subscription: Subscription, handler: Callable[..., Awaitable[None]], pool: Pool
) -> AsyncIterator[None]:
    while not subscription.stopping:
        async with subscription.transaction(pool) as (connection, events):
            for event in events:
                await handler(connection, event)
        yield


async def _at_least_once(
    subscription: Subscription, handler: Callable[..., Awaitable[None]]
) -> AsyncIterator[None]:
    async for batch in subscription:
        finished: Received | None = None
        try:
            for event in batch:
                await handler(event)
                finished = event
        except BaseException:
            if finished is not None:
                # What cannot be committed now comes again; the handler's fault is the one to tell.
                with contextlib.suppress(Exception):
                    await batch.commit(through=finished)
            raise
        await batch.commit()
        yield
