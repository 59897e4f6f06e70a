"""A TCP proxy that breaks links on purpose: cut, stalled or slow, each link by itself."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Literal

from goodfunds.local import processes

State = Literal["whole", "cut", "stalled", "slow"]
_CHUNK = 64 * 1024


@dataclass(slots=True)
class Link:
    """A port of ours that leads to another.

    `cut`: connections are reset and none is taken. `stalled`: they stand, and nothing passes, as across a
    dead router. `slow`: `delay` seconds a chunk, each way.
    """

    name: str
    to_port: int
    port: int = 0
    delay: float = 0.2
    state: State = "whole"
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._passing.set()
        if not self.port:
            self.port = processes.free_port()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening and drop what is connected."""
        self._passing.set()
        if self._server is not None:
            self._server.close()
        self._drop()

    def become(self, state: State) -> None:
        """Change the link; what a stalled one held back passes once it is whole."""
        self.state = state
        if state == "stalled":
            self._passing.clear()
        else:
            self._passing.set()
        if state == "cut":
            self._drop()

    def _drop(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        other: asyncio.StreamWriter | None = None
        try:
            if self.state == "cut":
                return
            await self._passing.wait()
            there, other = await asyncio.open_connection("127.0.0.1", self.to_port)
            self._writers.add(other)
            both = {asyncio.ensure_future(self._pump(reader, other)),
                    asyncio.ensure_future(self._pump(there, writer))}  # fmt: skip
            _, left = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for pump in left:
                pump.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        except OSError:
            # What lies behind the link is away: so is the link.
            pass
        finally:
            for each in (writer, other):
                if each is not None:
                    self._writers.discard(each)
                    with contextlib.suppress(Exception):
                        each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            if self.state == "slow":
                await asyncio.sleep(self.delay)
            await self._passing.wait()
            writer.write(chunk)
            await writer.drain()
