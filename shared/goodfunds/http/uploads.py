"""Files that come in over HTTP: a few arrive at a time, on disk, and one is read at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from fastapi import Request

from goodfunds.files.records import InvalidFile
from goodfunds.http.bodies import receive

XML: Final = "application/xml"
TYPES: Final = (XML, "text/xml", "application/octet-stream", "")
"""Media types of a file of XML; a program that names none is believed."""
_AT_ONCE: Final = 4
_TURN_SECONDS: Final = 30.0
_BODY_SECONDS: Final = 120.0
_IN_MEMORY: Final = 1024 * 1024
_MOST_ERRORS: Final = 100


class Uploads:
    """Bounds what files take of the process: memory for one, room on disk for a few of `largest` bytes.

    What comes beyond them is not read from its connection until it is its turn.
    """

    def __init__(self, largest: int, body_seconds: float = _BODY_SECONDS) -> None:
        self._largest = largest
        self._body_seconds = body_seconds
        self._arriving = asyncio.Semaphore(_AT_ONCE)
        self._reading = asyncio.Lock()

    @asynccontextmanager
    async def whole(self, request: Request) -> AsyncIterator[bytes]:
        """The file, once it has arrived and while it is the only one that is read.

        Raises Problem 408, 413, 415, and TimeoutError, which is answered with Retry-After.
        """
        async with _turn(self._arriving):
            with SpooledTemporaryFile(max_size=_IN_MEMORY) as arrived:
                into = cast("BinaryIO", arrived)
                await receive(request, into, self._largest, self._body_seconds, TYPES)
                arrived.seek(0)
                async with _turn(self._reading):
                    yield arrived.read()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """While no file is read. Raises TimeoutError, which is answered with Retry-After."""
        async with _turn(self._reading):
            yield


def errors_of(fault: InvalidFile) -> list[dict[str, Any]]:
    """What is wrong with a file, for the `errors` of a problem; the first hundred."""
    return [
        {"code": each.code, "line": each.line, "path": each.path, "message": each.message}
        for each in fault.errors[:_MOST_ERRORS]
    ]


@asynccontextmanager
async def _turn(among: asyncio.Semaphore | asyncio.Lock) -> AsyncIterator[None]:
    async with asyncio.timeout(_TURN_SECONDS):
        await among.acquire()
    try:
        yield
    finally:
        among.release()
