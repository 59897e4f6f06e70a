"""Statements read entry by entry, their lines on disk: what comes of them is what the whole would give."""

import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfunds.events.types import StatementClosed, StatementLine, StatementOpened, decode
from goodfunds.files import camt053
from goodfunds.files.records import InvalidFile
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryBatch, EntryTransaction, Statement
from goodfunds.ids import NO_ID, derived_id, reference
from goodfunds.lanes import lane_of
from goodfunds.spool import Spool
from services.reconciliation import spooled_lines
from services.reconciliation.entry_lines import Lanes, parts
from services.reconciliation.spooled_lines import LaneLine, SpooledLines
from services.reconciliation.statement_lines import ReadStatement, Unusable, read_file
from tests.bench import large_files

PARTITIONS = 4
NOSTRO = "DE98500105170099999999"
DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)


def read(content: bytes) -> tuple[ReadStatement, ...]:
    return read_file(io.BytesIO(content), PARTITIONS, Spool())


def entry(number: int, amount: int, **changes: Any) -> Entry:
    return Entry(number, amount, "EUR", "DBIT", booking_date=DAY, value_date=DAY, **changes)


def report(*statements: tuple[Statement, Sequence[Entry]]) -> bytes:
    return camt053.write(AccountReport("M1", NOW, statements))


def statement(number: int, entries: Sequence[Entry], **changes: Any) -> tuple[Statement, Sequence[Entry]]:
    total = sum(each.signed_minor for each in entries if each.status == "BOOK")
    balances = Balance("OPBD", 1000, "EUR", DAY), Balance("CLBD", 1000 + total, "EUR", DAY)
    made = Statement(
        number, "M1", f"S{number}", "2026-11-23T18:00:00", NOSTRO, "EUR", f"{number}", balances=balances,
        **changes,
    )  # fmt: skip
    return made, entries


def with_late_closing(content: bytes) -> bytes:
    """The same, each closing balance behind its statement's entries, where no schema has it."""
    found = content
    for closing in [
        each[: each.index(b"</Bal>") + 6] for each in content.split(b"<Bal>")[1:] if b"CLBD" in each
    ]:
        before, _, behind = found.partition(b"<Bal>" + closing)
        entries, end, rest = behind.partition(b"</Stmt>")
        found = before + entries + b"<Bal>" + closing + end + rest
    return found


def whole(content: bytes) -> list[tuple[StatementOpened, list[LaneLine], list[StatementClosed], int]]:
    """Header, lines, ends and how many entries are no lines, from all records of each statement at once."""
    found = []
    entries: list[Entry] = []
    for record in camt053.read(io.BytesIO(content)):
        if isinstance(record, Statement):
            entries = []
        elif isinstance(record, Entry):
            entries.append(record)
        else:
            found.append(_of(record.statement, entries))
    return found


def _of(
    told: Statement, entries: Sequence[Entry]
) -> tuple[StatementOpened, list[LaneLine], list[StatementClosed], int]:
    assert told.opening
    assert told.closing
    booked = [each for each in entries if each.status == "BOOK"]
    days = [each.booking_date for each in booked if each.booking_date]
    to_date = told.to_date or told.closing.on or max(days)
    lanes = Lanes(PARTITIONS, lane_of(told.account, PARTITIONS))
    lines: list[LaneLine] = []
    amounts: list[tuple[int, int]] = []
    for each in booked:
        for lane, payment, batch, amount, count, detail in parts(each, lanes):
            booking_date = each.booking_date or to_date
            amounts.append((lane, amount))
            event = StatementLine(
                NO_ID, payment, batch, amount, len(lines) + 1, each.currency, told.account,
                detail.end_to_end_id, detail.instruction_id,
                detail.bank_reference or each.bank_reference or each.entry_reference, each.status,
                each.reversal, detail.is_return, booking_date, each.value_date or booking_date,
                detail.return_code, count, detail.information or each.information,
            ).encode()  # fmt: skip
            lines.append(LaneLine(lane, event))
    opened = StatementOpened(
        NO_ID, told.opening.amount_minor, told.closing.amount_minor, sum(amount for _, amount in amounts), 0,
        told.opening.currency, told.account, told.sequence or told.legal_sequence, told.statement_id,
        min(told.from_date or told.opening.on or min(days, default=to_date), to_date), to_date, len(lines),
    )  # fmt: skip
    digest = sha256(opened.encode() + b"".join(each.event for each in lines)).digest()
    since = (to_date - date(1970, 1, 1)).days * 86_400_000
    named = opened.nostro.encode(), opened.bank_statement_id.encode(), opened.statement_number.encode()
    statement_id = derived_id(since, *named, digest)
    header = decode(opened.encode()[:5] + statement_id + opened.encode()[21:])
    assert isinstance(header, StatementOpened)
    closed, at = [], int(NOW.timestamp()) * 1_000_000
    for lane in range(PARTITIONS):
        mine = [amount for its, amount in amounts if its == lane]
        closed.append(
            StatementClosed(statement_id, sum(mine), at, told.account, header.currency, len(mine), to_date)
        )
    return header, lines, closed, len(entries) - len(booked)


days = st.none() | st.integers(0, 3).map(lambda number: DAY - timedelta(number))
details = st.builds(
    EntryTransaction,
    end_to_end_id=st.sampled_from(["E1", "NOTPROVIDED", "É-2"]),
    instruction_id=st.sampled_from(["", "theirs", *(reference(lane, bytes(16)) for lane in range(6))]),
    amount_minor=st.none() | st.integers(1, 3),
    currency=st.just("EUR"),
    information=st.sampled_from(["", "a long tale " * 30]),
)
entries = st.builds(
    Entry,
    number=st.just(1),
    amount_minor=st.integers(1, 6),
    currency=st.just("EUR"),
    credit_debit=st.sampled_from(["CRDT", "DBIT"]),
    status=st.sampled_from(["BOOK", "BOOK", "PDNG"]),
    booking_date=days,
    value_date=days,
    batches=st.sampled_from([(), (EntryBatch(payment_information_id=reference(1, bytes(16))),)]),
    transactions=st.lists(details, max_size=3).map(tuple),
)


@given(
    st.lists(st.tuples(st.lists(entries, max_size=8), days, days), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None)
def test_what_is_read_entry_by_entry_is_what_the_whole_gives(
    drawn: list[tuple[list[Entry], date | None, date | None]], late: bool, dated: bool
) -> None:
    """Also where balances stand behind the entries, or none says its day."""
    content = report(
        *(
            statement(number, of, from_date=to and first, to_date=to)
            for number, (of, first, to) in enumerate(drawn, start=1)
        )
    )
    if not dated:
        content = content.replace(f"<Dt><Dt>{DAY}</Dt></Dt></Bal>".encode(), b"</Bal>")
    if late:
        content = with_late_closing(content)
    try:
        expected = whole(content)
    except ValueError:
        with pytest.raises(Unusable, match="what day"):
            read(content)
        return
    found = [
        (each.opened, [*each.lines.read(0, 99)], [closed for _, closed in each.closings(NOW)], each.ignored)
        for each in read(content)
    ]
    assert found == expected


def test_lines_without_a_date_are_of_the_day_that_the_bank_tells_behind_them() -> None:
    undated = Entry(1, 100, "EUR", "DBIT")
    content = with_late_closing(report(statement(1, [undated]), statement(2, [entry(1, 100), undated])))
    assert content.index(b"CLBD") > content.index(b"<Ntry>")
    for each in read(content):
        for line in each.lines.read(0, 9):
            event = decode(line.event)
            assert isinstance(event, StatementLine)
            assert (event.booking_date, event.value_date) == (DAY, DAY)


def test_a_statement_keeps_the_id_that_it_had() -> None:
    """It would be taken for another, and its lines sent again, after a change of how it is read."""
    ours = EntryTransaction(end_to_end_id="E1", instruction_id=reference(2, bytes(range(16))))
    pending = Entry(3, 5, "EUR", "DBIT", "PDNG")
    content = report(statement(7, [entry(1, 100, transactions=(ours,)), entry(2, 50), pending]))
    (found,) = read(content)
    assert found.statement_id.hex() == "01a205b3d0007cde9dccc503c9fe567e"


@pytest.mark.parametrize("broken", [b"", b"<Ntry/></Stmt>", b"<!--"])
def test_a_file_that_breaks_behind_its_last_line_gives_nothing(broken: bytes) -> None:
    many = [entry(number, 1) for number in range(1, 2_500)]
    before, _, behind = report(statement(1, many), statement(2, many)).rpartition(b"</Stmt>")
    with pytest.raises(InvalidFile):
        read(before + broken + behind)


def test_a_file_whose_last_statement_lacks_a_balance_gives_nothing() -> None:
    before, _, behind = report(statement(1, [entry(1, 1)]), statement(2, [entry(1, 1)])).rpartition(b"CLBD")
    with pytest.raises(Unusable):
        read(before + b"ITBD" + behind)


@pytest.mark.parametrize("also", ["DBIT", "CRDT"])
def test_entries_whose_sum_no_event_can_tell_are_refused(also: str) -> None:
    """Also where those of one lane alone make it: their sum of all may be nothing."""
    ours = (EntryTransaction(instruction_id=reference(2, bytes(16))),)
    content = report(statement(1, [entry(1, 1, transactions=ours)]))
    one = content[content.index(b"<Ntry>") : content.index(b"</Stmt>")].replace(b"0.01", b"9" * 16)
    other = one.replace(b"<InstrId>", b"<InstrId>x").replace(b"DBIT", also.encode())
    with pytest.raises(Unusable, match="sum"):
        read(content.replace(b"</Stmt>", (one + other) * 120 + b"</Stmt>"))


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=9)), max_size=20), max_size=3),
    st.integers(1, 7),
    st.integers(0, 25),
    st.integers(0, 25),
)
def test_lines_are_read_from_disk_as_they_were_put_there_from_any_of_them_on(
    statements: list[list[tuple[int, bytes]]], at_once: int, start: int, count: int
) -> None:
    spool = Spool()
    made = []
    for lines in statements:
        digest, spooled = sha256(), SpooledLines(spool)
        with patch.object(spooled_lines, "_AT_ONCE", at_once):
            for line in lines:
                spooled.put(*line)
            spooled.end(digest)
        assert digest.digest() == sha256(b"".join(event for _, event in lines)).digest()
        made.append(spooled)
    for lines, spooled in zip(statements, made, strict=True):
        assert len(spooled) == len(lines)
        assert list(spooled.read(start, start + count)) == lines[start : start + count]


def test_of_long_lines_fewer_are_in_memory() -> None:
    spool = Spool()
    spooled = SpooledLines(spool)
    held = []
    for number in range(60):
        spooled.put(number, bytes([number]) * 100_000)
        held.append(number + 1 - len(spool))
    spooled.end(sha256())
    assert max(held) <= 11
    assert [each.lane for each in spooled.read(37, 52)] == list(range(37, 52))


_READING = """
import shutil, sys
from pathlib import Path
from services.reconciliation.statement_files import StatementFile
for name in sys.argv[1:]:
    file = StatementFile(name)
    with open(name, "rb") as source:
        shutil.copyfileobj(source, file.content)
    file.read(12)
    (found,) = file.statements
    for position in range(0, len(found.lines), 2_000):
        assert all(found.lines.read(position, position + 2_000))
    # Not getrusage: that begins with what the process that started this one has.
    peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    print(len(found.lines), peak)
    file.close()
"""


def many_entries(path: Path, lines: int) -> None:
    large_files.write(path, "camt.053", unlike=False, size=1_000 * lines)


def one_entry(path: Path, lines: int) -> None:
    details = tuple(
        EntryTransaction(f"E2E-{number}", f"I{number}", amount_minor=1, currency="EUR", creditor_name="Them")
        for number in range(lines)
    )
    path.write_bytes(report(statement(1, [entry(1, lines, transactions=details)])))


@pytest.mark.long  # Two files of tens of thousands of lines, each read in a process of its own.
@pytest.mark.parametrize("written", [many_entries, one_entry])
def test_reading_a_statement_takes_memory_that_does_not_grow_with_its_lines(
    tmp_path: Path, written: Callable[[Path, int], None]
) -> None:
    """A bank's statement of a busy day has as many lines as there were payments: the process must not.

    Held in memory, the 30,000 lines that the second file has more would be 40 MB as entries, and 20 MB as
    transactions of one; 6 MB are left to what the allocator keeps.
    """
    small, large = tmp_path / "small.xml", tmp_path / "large.xml"
    written(small, 20_000)
    written(large, 50_000)
    told = subprocess.run(
        [sys.executable, "-c", _READING, small, large], check=True, capture_output=True, text=True
    ).stdout
    (few, before), (many, after) = (map(int, line.split()) for line in told.splitlines())
    assert many - few > 29_000
    assert after - before < 6 * 1024, "kB"
