"""A subscriber as a process of its own that dies between its work and the commit."""

import asyncio
import os
import signal
import sys

import asyncpg

from goodfunds import Subscription
from tests.integration.client.stand import SESSION_TIMEOUT


async def main(bootstrap: str, dsn: str, topic: str) -> None:
    subscription = Subscription(
        topic, group=f"books-{topic}", bootstrap=bootstrap, session_timeout=SESSION_TIMEOUT
    )
    async with asyncpg.create_pool(dsn) as pool, subscription:
        while True:
            async with subscription.transaction(pool) as (connection, events):
                for received in events:
                    await connection.execute(
                        "INSERT INTO effects VALUES ($1, $2)", received.seq, received.seq
                    )
                if events:
                    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
