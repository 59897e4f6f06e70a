"""A relay as a process of its own that dies when it comes to delete what it has published."""

import asyncio
import os
import signal
import sys

import asyncpg

from goodfunds import Publisher, relay
from goodfunds.client import relaying
from goodfunds.client.statements import SQL


class Deadly(dict[str, str]):
    """Statements of which one is never come back from."""

    def __getitem__(self, name: str) -> str:
        if name == "forget":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(name)


async def main(bootstrap: str, dsn: str, topic: str) -> None:
    setattr(relaying, "SQL", Deadly(SQL))  # noqa: B010 - not its own name
    async with (
        asyncpg.create_pool(dsn) as pool,
        Publisher(bootstrap, client="shop", topic=topic) as publisher,
    ):
        await relay(pool, publisher)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
