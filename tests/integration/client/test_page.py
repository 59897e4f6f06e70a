"""The examples of docs/client.md do what the page says, as they stand there, on real servers."""

import ast
import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.client.stand import Stand
from tests.integration.client.transfers import transfer

PAGE = (Path(__file__).parents[3] / "docs" / "client.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: ([a-z-]+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))
ORDERS = """
CREATE TABLE orders (id integer PRIMARY KEY, reference text NOT NULL, state text NOT NULL);
INSERT INTO orders VALUES (4711, '5', 'open')
"""


def test_every_example_has_a_name_and_a_test() -> None:
    assert len(EXAMPLES) == PAGE.count("```python")
    told = inspect.getsource(inspect.getmodule(test_every_example_has_a_name_and_a_test))  # type: ignore[arg-type]
    assert [name for name in EXAMPLES if f'("{name}"' not in told] == []


@asynccontextmanager
async def example(name: str, stand: Stand, **given: Any) -> AsyncIterator["asyncio.Task[None]"]:
    """An example at work, with this stand's broker and topic in the place of its own."""
    code = EXAMPLES[name].replace('"settlement-notifications"', f'"{stand.topic}"')
    code = code.replace(
        'Publisher("localhost:9092", ', f'Publisher("{stand.bootstrap}", topic="{stand.topic}", '
    )
    code = code.replace('"localhost:9092"', f'"{stand.bootstrap}"')
    compiled = compile(code, f"docs/client.md, {name}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def execute() -> None:
        done = eval(compiled, given)
        if done is not None:
            await done

    work = asyncio.create_task(execute())
    try:
        yield work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_publishing(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    async with example("publish", stand) as work:
        await work
    topic, partition, offset = capsys.readouterr().out.split()
    [record] = await stand.records()
    assert (record.topic, f"{record.partition}", f"{record.offset}") == (topic, partition, offset)
    assert await stand.keys() == ["order-4711"]
    transfers = [transfer(number) for number in range(3)]
    async with example("publish-many", stand, transfers=transfers) as work:
        await work
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["0", "1", "2"]


async def test_publishing_from_a_transaction(stand: Stand) -> None:
    async with stand.pool() as pool:
        await pool.execute(ORDERS)
        async with example("outbox", stand, pool=pool, transfer=transfer(7)) as work:
            await work
        assert [row["state"] for row in await stand.fetch("SELECT state FROM orders")] == ["paying"]
        async with example("relay", stand, pool=pool):

            async def published() -> bool:
                return await stand.keys() == ["7"]

            await stand.until("the row is published", published)


async def test_following(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    await stand.tell([5])
    for name, said in (("run", "customer-1 PaymentSettled("), ("batches", "settled 5 EUR")):
        async with example(name, stand) as work:
            await stand.until(name, _said(capsys, said, work))
        await stand.tell([5])


def _said(
    capsys: pytest.CaptureFixture[str], text: str, work: "asyncio.Task[None]"
) -> Callable[[], Awaitable[bool]]:
    async def said() -> bool:
        assert not work.done(), work.exception()
        return text in capsys.readouterr().out

    return said


async def test_exactly_once(stand: Stand) -> None:
    await stand.tell([5])
    async with stand.pool() as pool:
        await pool.execute(ORDERS)
        async with example("exactly-once", stand, pool=pool):

            async def paid() -> bool:
                return [row["state"] for row in await stand.fetch("SELECT state FROM orders")] == ["paid"]

            await stand.until("the order is paid", paid)
