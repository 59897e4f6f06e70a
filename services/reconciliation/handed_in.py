"""Statement files that came over HTTP, before those that lie in the bank's outbox."""

from functools import partial
from typing import Any, BinaryIO, Final

import asyncpg

from goodfunds import ids
from services.reconciliation.outbox_folder import Listed, OutboxFolder
from services.reconciliation.statement_files import write_parts
from services.reconciliation.store import SQL

_PREFIX: Final = "handed-in-"
"""No file of the bank begins so: its statements are called camt053…"""


def file_id_of(name: str) -> bytes | None:
    """The id of a file that came over HTTP; None of one of the bank's. The name is ours, never a client's."""
    return ids.parse(name.removeprefix(_PREFIX)) if name.startswith(_PREFIX) else None


class HandedIn:
    """A folder of statements: what was handed in and waits, and where nothing does, the bank's outbox.

    So a statement can be handed in while the bank's own door is shut.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: OutboxFolder) -> None:
        self._pool = pool
        self._outbox = outbox

    async def statements(self) -> list[Listed]:
        """Raises Unavailable where the bank is asked and does not answer."""
        rows = await self._pool.fetch(SQL["handed_in_and_waiting"])
        waiting = [Listed(f"{_PREFIX}{ids.text(row['file_id'])}", "") for row in rows]
        return waiting or await self._outbox.statements()

    async def fetch(self, name: str, into: BinaryIO) -> None:
        """Write the content of a file."""
        file_id = file_id_of(name)
        if file_id is None:
            await self._outbox.fetch(name, into)
        else:
            await write_parts(partial(self._pool.fetchval, SQL["handed_in_part"], file_id), into)
