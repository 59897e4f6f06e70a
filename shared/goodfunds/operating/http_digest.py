"""HTTP: what a service's lanes have written as one digest, to compare before and after."""

import asyncio
from typing import Annotated, Final

from fastapi import FastAPI

from goodfunds.access.principals import Principal
from goodfunds.http.documented import problems
from goodfunds.http.door import allowed
from goodfunds.operating.operated import Operated
from goodfunds.operating.replay_shapes import StateDigestView, TableDigestView
from goodfunds.operating.scopes import LANES_READ
from goodfunds.postgres import connect
from goodfunds.replay.digest import digest_of, state_digest

Reader = Annotated[Principal, allowed(LANES_READ)]
_LONGEST_SECONDS: Final = 600.0
_TURN_SECONDS: Final = 30.0


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add /v1/state-digest."""
    alone = asyncio.Lock()

    @app.get("/v1/state-digest", responses=problems())
    async def digest(_: Reader) -> StateDigestView:
        """Read every row that lanes write, at one moment: of millions it takes minutes. One at a time."""
        async with asyncio.timeout(_TURN_SECONDS):
            await alone.acquire()
        try:
            connection = await connect(operated.settings.dsn, "goodfunds state digest", _LONGEST_SECONDS)
            try:
                tables = await state_digest(connection, operated.beside_lanes)
            finally:
                await connection.close()
        finally:
            alone.release()
        return StateDigestView(
            at=operated.clock.now(),
            digest=digest_of(tables),
            tables=[
                TableDigestView(table=name, rows=each.rows, digest=each.digest)
                for name, each in sorted(tables.items())
            ],
        )
