"""Statements that are handed in over HTTP: whole or not at all, once, and taken up as the bank's own are."""

import gzip
from collections.abc import AsyncIterator
from typing import Any, BinaryIO
from uuid import uuid4

import httpx
import pytest

from goodfunds.errors import Unavailable
from goodfunds.events import types
from goodfunds.observability.http import PROBLEM
from goodfunds.postgres import create_pool
from services.reconciliation import READ, STATEMENTS_WRITE, statement_files
from services.reconciliation.handed_in import HandedIn
from services.reconciliation.outbox_folder import Listed
from services.reconciliation.statement_reader import StatementReader
from tests.integration.reconciliation.scene import NOW, PARTITIONS, scene_in
from tests.integration.reconciliation.test_http import client_of
from tests.integration.reconciliation.test_statement_reader import decoded, report, work_until_idle
from tests.tokens import bearer, token_of

PATH = "/v1/statement-files"
XML = {"Content-Type": "application/xml"}


class Outbox:
    """The bank's outbox: what lies in it, or a door that is shut."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = files

    async def statements(self) -> list[Listed]:
        if self.files is None:
            raise Unavailable("the bank does not answer")
        return [Listed(name, "") for name in sorted(self.files)]

    async def fetch(self, name: str, into: BinaryIO) -> None:
        assert self.files is not None
        into.write(self.files[name])


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    scene = await scene_in(database)
    await scene.connection.close()
    found = await create_pool(database)
    yield found
    await found.close()


@pytest.fixture
async def client(database: str, pool: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_of(database, pool) as client:
        yield client


def reader(pool: Any, outbox: Outbox) -> StatementReader:
    folder: Any = HandedIn(pool, outbox)  # type: ignore[arg-type]
    return StatementReader(pool, folder, PARTITIONS)


async def test_a_statement_that_is_handed_in_goes_to_the_lanes_while_the_banks_own_door_is_shut(
    client: httpx.AsyncClient, pool: Any
) -> None:
    taken = await client.post(PATH, content=report(), headers=XML)
    assert taken.status_code == 202
    before = (await client.get(taken.headers["Location"])).json()
    assert (before["handed_in_by"], before["taken_at"]) == ("operator", None)
    (waiting,) = before["statements"]
    assert (waiting["position"], waiting["lines"], waiting["done_at"]) == (0, None, None)
    with pytest.raises(Unavailable):
        # Once it is through, the bank is asked again.
        await work_until_idle(pool, reader(pool, Outbox()))
    after = (await client.get(taken.headers["Location"])).json()
    (done,) = after["statements"]
    assert [done["statement_id"]] == taken.json()["statements"]
    assert (done["position"], done["lines"]) == (6, 6)
    assert None not in (after["taken_at"], done["done_at"])


async def test_the_same_file_twice_is_one_and_a_statement_that_the_bank_delivered_is_not_taken_again(
    client: httpx.AsyncClient, pool: Any
) -> None:
    outbox = Outbox({"camt053-1.xml": report()})
    events = decoded(await work_until_idle(pool, reader(pool, outbox)))
    assert len(events) == 1 + 6 + PARTITIONS
    first, second = [await client.post(PATH, content=report(), headers=XML) for _ in range(2)]
    assert (first.status_code, second.status_code, first.json()) == (202, 200, second.json())
    assert await work_until_idle(pool, reader(pool, outbox)) == []
    found = (await client.get(first.headers["Location"])).json()
    assert found["statements"][0]["done_at"] is not None
    assert await pool.fetchval("SELECT count(*) FROM handed_in_files") == 1


@pytest.mark.parametrize("part", [700, len(report()), 1 << 20])
async def test_what_is_handed_in_sends_what_the_banks_own_file_would(
    client: httpx.AsyncClient, pool: Any, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(statement_files, "PART_BYTES", part)
    await client.post(PATH, content=report(), headers=XML)
    events = decoded(await work_until_idle(pool, reader(pool, Outbox({}))))
    lines = [event.line_number for _, event in events if isinstance(event, types.StatementLine)]
    assert (len(events), lines) == (1 + 6 + PARTITIONS, [1, 2, 3, 4, 5, 6])


@pytest.mark.parametrize(
    "content",
    [b"", b"<a>", b"\x00" * 2000, b"{}", report()[:-40], report().replace(b"OPBD", b"ITBD"),
     report().replace(b"<Document", b'<!DOCTYPE d [<!ENTITY e "x">]><Document', 1),
     report().replace(b"camt.053", b"camt.054"), gzip.compress(report())],
)  # fmt: skip
async def test_a_file_that_cannot_be_used_is_refused_whole(
    client: httpx.AsyncClient, pool: Any, content: bytes
) -> None:
    answer = await client.post(PATH, content=content, headers=XML)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert await pool.fetchval("SELECT count(*) FROM handed_in_files") == 0


async def test_a_name_that_a_client_gives_its_file_is_used_for_nothing(
    client: httpx.AsyncClient, pool: Any
) -> None:
    path = 'attachment; filename="../../etc/passwd"'
    named = {**XML, "Content-Disposition": path, "Slug": "camt053-1.xml"}
    assert (await client.post(PATH, content=report(), headers=named)).status_code == 202
    await work_until_idle(pool, reader(pool, Outbox({})))
    (name,) = [row[0] for row in await pool.fetch("SELECT file_name FROM statement_files")]
    assert name.startswith("handed-in-")


async def test_kinds_sizes_and_paths_are_answered_in_the_form_of_every_error(
    client: httpx.AsyncClient,
) -> None:
    for status, answer in (
        (415, await client.post(PATH, content=b"{}", headers={"Content-Type": "application/json"})),
        (415, await client.post(PATH, content=report(), headers={**XML, "Content-Encoding": "gzip"})),
        (413, await client.post(PATH, content=b"x", headers={**XML, "Content-Length": str(10**9)})),
        (404, await client.get(f"{PATH}/{uuid4()}")),
        (404, await client.get(f"{PATH}/none")),
        (405, await client.put(PATH)),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


async def test_handing_in_and_looking_are_two_scopes(client: httpx.AsyncClient, database: str) -> None:
    looks = bearer(await token_of(database, "looker", READ, made=NOW))
    writes = bearer(await token_of(database, "bank", STATEMENTS_WRITE, made=NOW))
    assert (await client.post(PATH, content=report(), headers={**XML, **looks})).status_code == 403
    taken = await client.post(PATH, content=report(), headers={**XML, **writes})
    assert taken.status_code == 202
    assert (await client.get(taken.headers["Location"], headers=writes)).status_code == 403
    assert (await client.get(taken.headers["Location"], headers=looks)).status_code == 200
