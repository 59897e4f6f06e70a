"""The swap: the lanes stand, the shadow is brought to exactly where they do, compared and moved in.

The stand is one lock of the table of lanes. Owners wait at their fence, the first statement of their
transactions, and read nothing else of the state before it; so whatever they remember of a lane still holds
when they go on. A takeover waits as well: after 2 s it ends the connection of the owner that the row names,
which waits there with nothing written, and after 6 s it leaves the lane alone for a moment. The stand is
bounded below that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from time import monotonic

import asyncpg

from goodfunds.audit.chain import append
from goodfunds.clock import SystemClock
from goodfunds.errors import Unavailable
from goodfunds.lanes.records import Connection, Handler
from goodfunds.lanes.state import LaneState
from goodfunds.rebuild.comparison import Compared, compare, lanes_that_differ
from goodfunds.rebuild.moment import moment
from goodfunds.rebuild.reading import Places
from goodfunds.rebuild.shadow import REPLACED, SHADOW, SQL, take_after
from goodfunds.rebuild.tables import Rebuild

STAND_SECONDS = 5.0
_STAND_WAIT = "2s"
"""For transactions under way to end: theirs who come after wait behind us already."""
_LOCK_WAIT = "250ms"
"""Below Postgres' own patience with those who wait for each other (1 s): a reader of two tables, of which it
has one and the swap the other, is not the one that is ended."""
_LOCK_ROUNDS = 4


class Stood(Enum):
    """What came of a stand; all but SWAPPED have changed nothing."""

    SWAPPED = "swapped"
    DIFFERS = "differs"
    UNSETTLED = "unsettled"
    """Something was due in a lane, or others held the tables."""


async def stand_and_swap(
    live: Connection,
    building: Connection,
    plan: Rebuild,
    handler: Handler,
    states: Mapping[int, LaneState],
    build: Callable[[Places], Awaitable[None]],
) -> tuple[Stood, float]:
    """What came of it, and for how many seconds the lanes stood.

    Raises Unavailable where they would have stood for too long; the shadow is of no more use then.
    """
    try:
        async with asyncio.timeout(STAND_SECONDS + 1):
            return await _stand(live, building, plan, handler, states, build)
    except asyncpg.LockNotAvailableError:
        return Stood.UNSETTLED, 0.0
    except TimeoutError as fault:
        raise Unavailable(
            f"the lanes would have stood for more than {STAND_SECONDS:.0f} s; nothing was changed"
        ) from fault


async def _stand(
    live: Connection,
    building: Connection,
    plan: Rebuild,
    handler: Handler,
    states: Mapping[int, LaneState],
    build: Callable[[Places], Awaitable[None]],
) -> tuple[Stood, float]:
    transaction = live.transaction()
    await transaction.start()
    try:
        await live.execute(f"SET LOCAL lock_timeout = '{_STAND_WAIT}'")
        since = monotonic()
        await live.execute(SQL["stand"])
        now = await moment(live, plan, handler)
        outcome = Stood.UNSETTLED
        if now.settled:
            await build(now.ends)
            compared = await compare(live, building, plan.tables)
            agree = all(each.agrees for each in compared) and not lanes_that_differ(now.lanes, states)
            outcome = Stood.SWAPPED if agree else Stood.DIFFERS
        if outcome is Stood.SWAPPED:
            # Once more: a swap comes long after the shadow was made, and must not undo what was done since.
            await take_after(live, plan.swapped)
            await _swap(live, plan.swapped)
            await _note(live, compared)
    except BaseException:
        await transaction.rollback()
        raise
    if outcome is Stood.SWAPPED:
        await transaction.commit()
    else:
        await transaction.rollback()
    return outcome, monotonic() - since


async def _note(live: Connection, compared: Sequence[Compared]) -> None:
    """Whoever swaps has a role of the database, and no token."""
    actor = f"database:{await live.fetchval('SELECT session_user')}"
    digests = {each.table: each.anew for each in compared}
    await append(live, SystemClock().now(), actor, "rebuilt", None, {"digests": digests})


async def _swap(live: Connection, tables: Sequence[str]) -> None:
    """Move the tables, all or none. Raises LockNotAvailableError where readers do not let go of them."""
    await live.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
    await live.execute(f"CREATE SCHEMA {REPLACED}")
    statements = await live.fetch(SQL["swap_statements"], SHADOW, REPLACED, tables)
    for last in (*[False] * (_LOCK_ROUNDS - 1), True):
        try:
            async with live.transaction():
                for row in statements:
                    await live.execute(row["statement"])
                return
        except asyncpg.LockNotAvailableError:
            if last:
                raise
