"""Bodies over real connections: without a length, too long, too slow, or of two lengths at once."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from goodfunds.http.bodies import receive
from goodfunds.observability.http import create_app, listen, serve

LARGEST = 1_000
HEAD = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = create_app("a service", list)

    @app.post("/things")
    async def take(request: Request) -> int:
        into = io.BytesIO()
        await receive(request, into, LARGEST, 0.3, ("text/plain",))
        return len(into.getvalue())

    listening, stop = listen("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, listening))
    yield listening.getsockname()[1]
    stop.set()
    await serving


async def answer(port: int, *parts: bytes) -> str:
    """All that the server says until it closes the connection, or half a minute, which is a fault."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(30):
            return (await reader.read()).decode()
    finally:
        writer.close()


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


async def test_a_body_in_chunks_is_counted_as_it_comes(port: int) -> None:
    head = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    good = await answer(port, head, chunks(b"12345", b"678"), b"0\r\n\r\n")
    assert good.startswith("HTTP/1.1 200")
    assert good.endswith("8")
    # It never ends: whoever waited for the end would hold all of it.
    endless = await answer(port, head, *[chunks(b"x" * 100)] * 20)
    assert endless.startswith("HTTP/1.1 413")
    assert "application/problem+json" in endless


async def test_a_length_that_is_too_large_is_refused_before_the_body_is_sent(port: int) -> None:
    told = await answer(port, HEAD + b"Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
    assert told.startswith("HTTP/1.1 413")
    assert "100 Continue" not in told


async def test_whoever_sends_too_slowly_is_told_so_and_cut_off(port: int) -> None:
    told = await answer(port, HEAD + b"Content-Length: 10\r\n\r\n123")
    assert told.startswith("HTTP/1.1 408")
    assert "connection: close" in told.lower()


async def test_a_body_of_two_lengths_is_no_request(port: int) -> None:
    for lengths in (
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: 3, 4\r\n",
        b"Content-Length: -3\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
    ):
        told = await answer(port, HEAD + lengths + b"\r\nabc")
        assert told.startswith(("HTTP/1.1 400", "HTTP/1.1 501")), lengths
