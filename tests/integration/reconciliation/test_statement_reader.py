"""The statement reader against a real SFTP server and Postgres: each file once, resumed at the line."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
import asyncssh
import pytest

from goodfunds import spool
from goodfunds.errors import InvariantBroken, Misconfigured, Unavailable
from goodfunds.events import types
from goodfunds.files import camt053
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryBatch, EntryTransaction, Statement
from goodfunds.ids import reference
from goodfunds.lanes import Emission
from goodfunds.postgres import create_pool
from goodfunds.sftp import SftpAddress
from services.reconciliation import statement_files
from services.reconciliation.outbox_folder import Listed, OutboxFolder
from services.reconciliation.statement_reader import Found, StatementReader
from services.reconciliation.store import SQL
from tests.integration.reconciliation.scene import (
    NOSTRO,
    NOSTRO_LANE,
    NOW,
    OTHER_LANE,
    PARTITIONS,
    Preview,
    batch,
    payment,
    scene_in,
)

DAY = date(2026, 11, 23)

Begin = Callable[..., Awaitable[tuple[OutboxFolder, list[Emission]]]]


class _Password(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("house", "secret")


@dataclass
class Sftp:
    """A bank's SFTP server over a folder."""

    root: Path
    address: SftpAddress

    def deliver(self, name: str, content: bytes) -> None:
        (self.root / "outbox" / name).write_bytes(content)


@pytest.fixture
async def sftp(tmp_path: Path) -> AsyncIterator[Sftp]:
    (tmp_path / "outbox").mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_public_key(tmp_path / "host.pub")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=_Password,
        server_host_keys=[key],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(tmp_path).encode()),
    )
    address = SftpAddress(
        "127.0.0.1", server.sockets[0].getsockname()[1], "house", "secret", tmp_path / "host.pub", 10.0
    )
    yield Sftp(tmp_path, address)
    server.close()
    await server.wait_closed()


@pytest.fixture
async def pool(database: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    scene = await scene_in(database)
    await scene.connection.close()
    found = await create_pool(database)
    yield found
    await found.close()


def entry(number: int, amount: int, direction: str = "DBIT", **changes: Any) -> Entry:
    return Entry(number, amount, "EUR", direction, "BOOK", booking_date=DAY, value_date=DAY, **changes)


def detail(number: int, lane: int, **changes: Any) -> EntryTransaction:
    return EntryTransaction(
        end_to_end_id=f"E{number}", instruction_id=reference(lane, payment(number)), **changes
    )


ENTRIES = (
    entry(1, 100, transactions=(detail(1, OTHER_LANE),)),
    entry(2, 50, transactions=(EntryTransaction(end_to_end_id="E2"),)),
    replace(entry(3, 999, transactions=(detail(9, OTHER_LANE),)), status="PDNG"),
    entry(
        4, 300, batches=(EntryBatch(payment_information_id=reference(0, batch(1)), number_of_transactions=3),)
    ),
    entry(5, 70, "CRDT", transactions=(detail(1, OTHER_LANE, is_return=True, return_code="AC04"),)),
    entry(6, 30, transactions=(
        detail(6, 1, amount_minor=10, currency="EUR"), detail(7, 2, amount_minor=20, currency="EUR"),
    )),
)  # fmt: skip
BOOKED = [-100, -50, -300, 70, -10, -20]


def report(
    entries: tuple[Entry, ...] = ENTRIES,
    closing: int | None = None,
    name: str = "M1",
    number: int = 1,
    also: tuple[Entry, ...] = (),
) -> bytes:
    """A file with a statement; `also`: entries of a second one of the same number."""
    statements = []
    for of_statement in filter(None, (entries, also)):
        total = sum(each.signed_minor for each in of_statement if each.status == "BOOK")
        statement = Statement(
            1, name, f"S{number}", "2026-11-23T18:00:00", NOSTRO, "EUR", str(number), from_date=DAY,
            to_date=DAY,
            balances=(
                Balance("OPBD", 1000, "EUR", DAY),
                Balance("CLBD", 1000 + total if closing is None else closing, "EUR", DAY),
            ),
        )  # fmt: skip
        statements.append((statement, of_statement))
    return camt053.write(AccountReport(name, datetime(2026, 11, 23, 18, tzinfo=UTC), statements))


async def work_until_idle(
    pool: "asyncpg.Pool[Any]", reader: StatementReader, turns: int = 100
) -> list[Emission]:
    """Turns of the feed until there is nothing to do, or so many."""
    emissions: list[Emission] = []
    for _ in range(turns):
        work = await reader.look()
        if work is None:
            break
        async with pool.acquire() as borrowed, borrowed.transaction():
            connection: Any = borrowed
            emissions += await reader.record(connection, work, NOW, Preview())
    return emissions


def decoded(emissions: list[Emission]) -> list[tuple[int, Any]]:
    return [(each.partition, types.decode(each.body)) for each in emissions]


async def test_each_line_goes_to_the_lane_of_its_reference_and_every_lane_is_told_the_end(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    sftp.deliver("camt053-1.xml", report())
    sftp.deliver("camt054-1.xml", b"another kind")
    sftp.deliver("camt053-2.xml.tmp", b"half wri")
    folder = OutboxFolder(sftp.address)
    events = decoded(await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS)))
    lane, opened = events[0]
    assert isinstance(opened, types.StatementOpened)
    assert (lane, opened.opening_minor, opened.closing_minor) == (NOSTRO_LANE, 1000, 590)
    assert (opened.lines_sum_minor, opened.lines_count) == (-410, 6)
    lines = [(lane, event) for lane, event in events if isinstance(event, types.StatementLine)]
    assert [each.amount_minor for _, each in lines] == BOOKED
    assert [each.line_number for _, each in lines] == [1, 2, 3, 4, 5, 6]
    assert [lane for lane, _ in lines] == [OTHER_LANE, NOSTRO_LANE, 0, OTHER_LANE, 1, 2]
    assert (lines[0][1].payment_id, lines[2][1].batch_id) == (payment(1), batch(1))
    assert lines[2][1].transaction_count == 3
    assert (lines[3][1].is_return, lines[3][1].reason_code) == (True, "AC04")
    ends = {lane: event for lane, event in events if isinstance(event, types.StatementClosed)}
    assert sorted(ends) == list(range(PARTITIONS))
    for lane, end in ends.items():
        mine = [event.amount_minor for at, event in lines if at == lane]
        assert (end.lane_lines, end.lane_sum_minor) == (len(mine), sum(mine))
    await folder.close()


async def test_a_reader_that_starts_anew_goes_on_at_the_very_line(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    sftp.deliver("camt053-1.xml", report())
    folder = OutboxFolder(sftp.address)
    emissions = []
    for _ in range(20):
        emissions += await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS, chunk=1), turns=1)
    lines = [event for _, event in decoded(emissions) if isinstance(event, types.StatementLine)]
    assert [each.line_number for each in lines] == [1, 2, 3, 4, 5, 6]
    assert len({each.statement_id for each in lines}) == 1
    assert len(emissions) == 1 + 6 + PARTITIONS
    await folder.close()


async def test_the_same_statement_in_another_file_is_known_and_a_correction_sends_its_header_alone(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    folder = OutboxFolder(sftp.address)
    reader = StatementReader(pool, folder, PARTITIONS)
    sftp.deliver("camt053-1.xml", report())
    assert await work_until_idle(pool, reader)
    sftp.deliver("camt053-2.xml", report(name="M2"))
    assert await work_until_idle(pool, reader) == []
    sftp.deliver("camt053-3.xml", report(ENTRIES[:2]))
    (correction,) = decoded(await work_until_idle(pool, reader))
    assert isinstance(correction[1], types.StatementOpened)
    await folder.close()


async def test_of_a_statement_and_its_correction_in_one_file_the_one_that_stands_first_goes_out_first(
    pool: "asyncpg.Pool[Any]",
) -> None:
    """The lanes take for the correction what comes later; ids follow from hashes, and say nothing of that."""

    class Folder:
        async def statements(self) -> list[Listed]:
            return [Listed("camt053-1.xml", ""), Listed("camt053-2.xml", "")]

        async def fetch(self, name: str, into: BinaryIO) -> None:
            whole, part = ENTRIES, ENTRIES[:1]
            into.write(
                report(whole, also=part) if name == "camt053-1.xml" else report(part, number=2, also=whole)
            )

    events = decoded(await work_until_idle(pool, StatementReader(pool, Folder(), PARTITIONS)))
    headers = [event for _, event in events if isinstance(event, types.StatementOpened)]
    assert [each.lines_count for each in headers] == [6, 1, 1, 6]
    lines = [event.statement_id for _, event in events if isinstance(event, types.StatementLine)]
    assert lines == [headers[0].statement_id] * 6 + [headers[2].statement_id]


@pytest.mark.parametrize(
    "content", [b"", b"<a>", b"\x00" * 2000, report()[:-40], report().replace(b"OPBD", b"ITBD")]
)
async def test_a_file_that_cannot_be_used_is_refused_once_and_blocks_nothing(
    sftp: Sftp, pool: "asyncpg.Pool[Any]", content: bytes
) -> None:
    sftp.deliver("camt053-1.xml", content)
    sftp.deliver("camt053-2.xml", report())
    folder = OutboxFolder(sftp.address)
    assert len(await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS))) == 1 + 6 + PARTITIONS
    problems = await pool.fetch("SELECT file_name, problem <> '' AS bad FROM statement_files ORDER BY 1")
    assert [tuple(row.values()) for row in problems] == [("camt053-1.xml", True), ("camt053-2.xml", False)]
    await folder.close()


async def test_a_refused_file_is_said_to_be_and_taken_once_the_bank_has_mended_it_under_its_name(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    folder = OutboxFolder(sftp.address)
    reader = StatementReader(pool, folder, PARTITIONS)
    sftp.deliver("camt053-1.xml", report()[:-40])
    assert await work_until_idle(pool, reader) == []
    assert [row["file_name"] for row in await pool.fetch(SQL["refused_files"])] == ["camt053-1.xml"]
    sftp.deliver("camt053-1.xml", report())
    assert len(await work_until_idle(pool, reader)) == 1 + 6 + PARTITIONS
    assert await pool.fetch(SQL["refused_files"]) == []
    await folder.close()


async def test_a_file_that_the_bank_writes_over_or_removes_is_finished_as_it_was_begun(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    folder = OutboxFolder(sftp.address)
    sftp.deliver("camt053-1.xml", report())
    begun = await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS, chunk=2), turns=2)
    assert len(begun) == 1 + 2
    (sftp.root / "outbox" / "camt053-1.xml").unlink()
    rest = await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS, chunk=2))
    lines = [event for _, event in decoded(begun + rest) if isinstance(event, types.StatementLine)]
    assert [each.line_number for each in lines] == [1, 2, 3, 4, 5, 6]
    await folder.close()


async def test_another_days_statement_under_the_same_name_is_taken(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    folder = OutboxFolder(sftp.address)
    reader = StatementReader(pool, folder, PARTITIONS)
    sftp.deliver("camt053.xml", report())
    assert await work_until_idle(pool, reader)
    sftp.deliver("camt053.xml", report(ENTRIES[:1], number=2))
    assert len(await work_until_idle(pool, reader)) == 1 + 1 + PARTITIONS
    await folder.close()


async def test_a_statement_of_another_currency_with_the_same_number_is_no_correction(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    folder = OutboxFolder(sftp.address)
    reader = StatementReader(pool, folder, PARTITIONS)
    sftp.deliver("camt053-1.xml", report())
    assert await work_until_idle(pool, reader)
    dollars = report().replace(b"EUR", b"USD").replace(b"S1", b"S1-USD")
    sftp.deliver("camt053-2.xml", dollars)
    assert len(await work_until_idle(pool, reader)) == 1 + 6 + PARTITIONS
    await folder.close()


async def test_a_file_that_cannot_be_downloaded_does_not_hold_up_the_others(
    sftp: Sftp, pool: "asyncpg.Pool[Any]"
) -> None:
    class Folder:
        async def statements(self) -> list[Listed]:
            return [Listed("camt053-0.xml", ""), Listed("camt053-1.xml", "")]

        async def fetch(self, name: str, into: BinaryIO) -> None:
            if name == "camt053-0.xml":
                raise Unavailable("permission denied")
            into.write(report())

    reader = StatementReader(pool, Folder(), PARTITIONS)
    with pytest.raises(Unavailable):
        await reader.look()
    work = await reader.look()
    assert isinstance(work, Found)
    assert work.listed.name == "camt053-1.xml"


async def test_a_bank_that_is_away_or_is_another_raises_unavailable(sftp: Sftp) -> None:
    for wrong in (replace(sftp.address, port=1), replace(sftp.address, password="no")):
        folder = OutboxFolder(wrong)
        with pytest.raises(Unavailable):
            await folder.statements()
        await folder.close()
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    await asyncio.to_thread(stranger.write_public_key, sftp.root / "stranger.pub")
    folder = OutboxFolder(replace(sftp.address, host_key=sftp.root / "stranger.pub"))
    with pytest.raises(Unavailable):
        await folder.statements()
    with pytest.raises(Misconfigured):
        OutboxFolder(SftpAddress("bank.example", 22, "house", "secret"))


async def test_a_large_file_comes_whole_in_whatever_order_its_blocks_come(sftp: Sftp) -> None:
    content = b"".join(number.to_bytes(4, "big") for number in range(700_000))
    sftp.deliver("camt053-1.xml", content)
    folder, into = OutboxFolder(sftp.address), BytesIO()
    await folder.fetch("camt053-1.xml", into)
    assert into.getvalue() == content
    await folder.close()


@pytest.fixture
async def begun(
    sftp: Sftp, pool: "asyncpg.Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Begin]:
    """Has the reader of a statement begin, by parts of so many bytes; its folder, and what it has sent."""
    folder = OutboxFolder(sftp.address)

    async def begin(part: int = 700) -> tuple[OutboxFolder, list[Emission]]:
        monkeypatch.setattr(statement_files, "PART_BYTES", part)
        sftp.deliver("camt053-1.xml", report())
        return folder, await work_until_idle(
            pool, StatementReader(pool, folder, PARTITIONS, chunk=2), turns=2
        )

    yield begin
    await folder.close()


@pytest.mark.parametrize("part", [1, 700, len(report()), 1 << 20])
async def test_what_was_begun_is_finished_from_the_parts_that_the_database_has(
    begun: Begin, pool: "asyncpg.Pool[Any]", part: int
) -> None:
    folder, sent = await begun(part)
    parts = await pool.fetch("SELECT content FROM statement_file_parts ORDER BY part")
    assert b"".join(row["content"] for row in parts) == report()
    assert max(len(row["content"]) for row in parts) <= part
    rest = await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS, chunk=2))
    lines = [event for _, event in decoded(sent + rest) if isinstance(event, types.StatementLine)]
    assert [each.line_number for each in lines] == [1, 2, 3, 4, 5, 6]


async def test_what_was_begun_before_files_had_parts_is_finished_from_its_row(
    begun: Begin, pool: "asyncpg.Pool[Any]"
) -> None:
    folder, _ = await begun()
    await pool.execute("TRUNCATE statement_file_parts")
    await pool.execute("UPDATE statement_files SET content = $1", report())
    rest = await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS, chunk=2))
    assert len(rest) == 4 + PARTITIONS


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_file_of_which_a_part_is_lost_breaks_an_invariant(
    begun: Begin, pool: "asyncpg.Pool[Any]", lost: int
) -> None:
    folder, _ = await begun()
    await pool.execute("DELETE FROM statement_file_parts WHERE part = $1", lost)
    with pytest.raises(InvariantBroken, match="reads differently"):
        await StatementReader(pool, folder, PARTITIONS).look()


async def test_disk_is_given_back_once_a_file_is_done_with(
    sftp: Sftp, pool: "asyncpg.Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small files lie in memory, but for this.
    monkeypatch.setattr(spool, "IN_MEMORY", 1)
    folder = OutboxFolder(sftp.address)
    reader = StatementReader(pool, folder, PARTITIONS)
    sftp.deliver("camt053-1.xml", report())
    sftp.deliver("camt053-2.xml", b"no statement")
    before = open_files()
    for _ in range(2):
        found = await reader.look()
        assert isinstance(found, Found)
        assert open_files() > before
        async with pool.acquire() as borrowed, borrowed.transaction():
            connection: Any = borrowed
            await reader.record(connection, found, NOW, Preview())
        await work_until_idle(pool, reader, turns=len(found.file.statements))
    assert await reader.look() is None
    assert open_files() == before
    await folder.close()


def open_files() -> int:
    """How many files without a name this process has open, but for those that nobody holds any more."""
    gc.collect()
    links = [Path(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")]
    return sum(" (deleted)" in str(each.readlink()) for each in links if each.is_symlink())
