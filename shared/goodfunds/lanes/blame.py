"""Who is to blame for a fault: an event or a lane, or the house and its neighbours."""

import asyncpg

from goodfunds.errors import Misconfigured, is_retriable

# Nobody's event is to blame for these: parking for them would park everything.
_OF_THE_HOUSE = (
    Misconfigured,
    # What the schema lacks or does not grant; damage on the server's disk.
    asyncpg.SyntaxOrAccessError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
)


def is_of_an_event(fault: Exception) -> bool:
    """Whether an event or a lane is to blame, neither a neighbour that is away nor the house's state."""
    return not is_retriable(fault) and not isinstance(fault, _OF_THE_HOUSE)
