"""Waiting for decisions: one read of all keys that someone waits for, again and again while anyone does."""

import asyncio
from typing import Any, Final

import structlog

from services.ingestion.model import Key
from services.ingestion.store import SQL, Pool

log = structlog.get_logger(__name__)

_EVERY_SECONDS: Final = 0.025
_MOST: Final = 1_000


class Decisions:
    """Reads for those who wait, whatever instance works the lanes of their payments."""

    def __init__(self, pool: Pool, every: float = _EVERY_SECONDS, most: int = _MOST) -> None:
        self._pool = pool
        self._every = every
        self._most = most
        self._waiting: dict[Key, list[asyncio.Future[Any]]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def of(self, client: str, key: str, seconds: float) -> Any:
        """The row of `payment_outcomes` once it is there; None where it is not within `seconds`.

        None at once where too many wait already: they are told where to ask.
        """
        if len(self._waiting) >= self._most:
            return None
        answer = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((client, key), []).append(answer)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._forget((client, key), answer)

    async def _look(self) -> None:
        while self._waiting:
            try:
                await self._tell()
            except Exception as fault:
                # Whoever waits learns later, or asks: its payment stands on the topic.
                log.warning("decisions not read", fault=repr(fault))
            await asyncio.sleep(self._every)

    async def _tell(self) -> None:
        clients, keys = zip(*self._waiting, strict=True)
        for row in await self._pool.fetch(SQL["decided_payments"], clients, keys):
            for answer in self._waiting.pop((row["client"], row["idempotency_key"]), []):
                if not answer.done():
                    answer.set_result(row)

    def _forget(self, key: Key, answer: "asyncio.Future[Any]") -> None:
        left = [each for each in self._waiting.get(key, []) if each is not answer]
        if left:
            self._waiting[key] = left
        else:
            self._waiting.pop(key, None)
