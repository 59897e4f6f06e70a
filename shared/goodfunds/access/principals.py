"""Whose a secret is: asked of the database, and believed for a few seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Final

import asyncpg

from goodfunds.access.tokens import SQL, digest
from goodfunds.clock import Clock

BELIEVED_SECONDS: Final = 5.0
"""How long a revoked token may go on; so long a client's requests cost one look-up together."""
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `client` owns what it hands in and sees nothing of another's."""

    token_id: bytes
    client: str
    scopes: frozenset[str]
    expires_at: datetime


class Principals:
    """The holders of good tokens. Secrets that are none are asked of the database each time."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", clock: Clock, elapsed: Callable[[], float] = monotonic
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._elapsed = elapsed
        self._known: dict[bytes, tuple[Principal, float]] = {}

    async def find(self, secret: str) -> Principal | None:
        """The holder, or None of a secret that is unknown, revoked or expired: which is nobody's business.

        Raises PostgresError, OSError and TimeoutError where the database does not say.
        """
        hashed, now, at = digest(secret), self._clock.now(), self._elapsed()
        principal, read_at = self._known.get(hashed, (None, 0.0))
        if principal is None or at - read_at >= BELIEVED_SECONDS:
            row = await self._pool.fetchrow(SQL["principal"], hashed, now)
            self._known.pop(hashed, None)
            if row is None:
                return None
            principal = Principal(row["token_id"], row["client"], frozenset(row["scopes"]), row["expires_at"])
            self._remember(hashed, principal, at)
        return principal if now < principal.expires_at else None

    def _remember(self, hashed: bytes, principal: Principal, at: float) -> None:
        if len(self._known) >= _MOST:
            fresh = {key: held for key, held in self._known.items() if at - held[1] < BELIEVED_SECONDS}
            self._known = fresh
        self._known[hashed] = (principal, at)
