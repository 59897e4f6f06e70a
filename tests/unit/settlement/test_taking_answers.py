"""Answers are taken in chunks out of a file: the same as whole, in flat memory, and none that breaks off."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.files import camt053, camt054, pain002_writing
from goodfunds.files.records import (
    GroupStatus,
    InvalidFile,
    PaymentInformationStatus,
    StatusReport,
    TransactionStatus,
)
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryTransaction, Statement
from goodfunds.ids import reference
from goodfunds.lanes import Emission
from goodfunds.rails import RAILS
from services.settlement.gateway import answers
from services.settlement.gateway.messages import entries, statuses
from services.settlement.gateway.reports import KnownFile
from services.settlement.gateway.told import debit_in, pack, unpack
from tests.unit.settlement.answers import BATCHES, DAY, NOSTRO, NOW, REPORTER, entry
from tests.unit.settlement.outbox import Outbox

MOST_MB = 20
"""Above what the process takes before. Kept are a piece of the download, one entry and a chunk of the events,
5 to 7 MB in all; an answer of 40,000 entries that was kept whole, with its records, took 35 to 45."""

ENTRIES = st.lists(
    st.builds(
        lambda payment, debit, referenced, booked: Entry(
            1, 100 + payment, "EUR", "DBIT" if debit else "CRDT", "BOOK" if booked else "PDNG",
            booking_date=DAY, bank_reference=f"SB{payment}ü" if referenced else "",
            transactions=(
                EntryTransaction(
                    "E2E", reference(payment % 5, payment.to_bytes(16, "big")), reference(1, b"B" * 16),
                    amount_minor=100 + payment, currency="EUR",
                ),
            ),
        ),
        st.integers(1, 4), st.booleans(), st.booleans(), st.booleans(),
    ),
    max_size=12,
)  # fmt: skip

STATUSES = st.lists(
    st.builds(
        lambda payment, batch, status, code: TransactionStatus(
            reference(batch, BATCHES[batch][0]), reference(payment, payment.to_bytes(16, "big")), "E2E",
            status, code if status == "RJCT" else "",
        ),
        st.integers(1, 4), st.integers(0, 1), st.sampled_from(["RJCT", "ACSP"]),
        st.sampled_from(["AC04", "AM05"]),
    ),
    max_size=12,
)  # fmt: skip


def _camt(kind: str, found: list[Entry]) -> bytes:
    closing = sum(each.signed_minor for each in found if each.status == "BOOK")
    balances = (Balance("OPBD", 0, "EUR", DAY), Balance("CLBD", closing, "EUR", DAY))
    account = Statement(
        1, "M", "S-1", "2026-03-03T19:00:00", NOSTRO, "EUR", "1", "1", DAY, DAY,
        balances=balances if kind == "camt.053" else (),
    )  # fmt: skip
    report = AccountReport("M", datetime(2026, 3, 3, 19, tzinfo=UTC), [(account, found)])
    return camt053.write(report) if kind == "camt.053" else camt054.write(report)


def _pain002(found: list[TransactionStatus], group: str, code: str) -> bytes:
    first = GroupStatus("P1", "2026-03-03T19:00:00", "GF1", "pain.001.001.09", group, code)
    by_batch = [
        (
            PaymentInformationStatus(reference(lane, batch), "PART"),
            [each for each in found if each.payment_information_id == reference(lane, batch)],
        )
        for batch, lane in BATCHES
    ]
    return pain002_writing.write(
        StatusReport(first, [batch for batch, _ in by_batch], [each for _, its in by_batch for each in its])
    )


async def _taken(outbox: Outbox, chunk: int, deaths: set[int], lost: set[int]) -> list[Emission]:
    """What was recorded, by readers that died after the steps `deaths`; what of `lost` was not recorded."""
    told: list[Emission] = []
    reader, step = outbox.reader(), 0
    with patch.object(answers, "EVENTS_PER_STEP", chunk):
        while (taken := await reader.next()) is not None:
            step += 1
            if step not in lost:
                outbox.record(taken)
                told += taken.emissions
            if step in deaths:
                reader = outbox.reader()
            if taken.outcome.startswith("unreadable"):
                break
    return told


STEPS = st.sets(st.integers(1, 12), max_size=4)


@given(ENTRIES, st.sampled_from(["camt.054", "camt.053"]), st.integers(1, 7), STEPS, STEPS, st.data())
def test_entries_taken_in_chunks_by_readers_that_die_are_those_of_the_whole_message(
    found: list[Entry], kind: str, chunk: int, deaths: set[int], lost: set[int], data: st.DataObject
) -> None:
    content = _camt(kind, found)
    whole = list(REPORTER.entries(entries(kind, BytesIO(content)), NOW))
    debits = sorted({each.debit[:2] for each in whole if each.debit is not None})
    known = frozenset(data.draw(st.sets(st.sampled_from(debits)))) if debits else frozenset()
    outbox = Outbox({f"{kind.replace('.', '')}-1.xml": content}, REPORTER, NOW, known)
    told = asyncio.run(_taken(outbox, chunk, deaths, lost))
    assert told == [
        REPORTER.emission(each) for each in whole if each.debit is None or each.debit[:2] not in known
    ]


@given(
    STATUSES, st.sampled_from([("PART", ""), ("RJCT", "TM01"), ("RJCT", "AM05")]),
    st.sampled_from([None, 1, 2]), st.integers(1, 7), STEPS, STEPS,
)  # fmt: skip
def test_statuses_taken_in_chunks_by_readers_that_die_are_those_of_the_whole_message(
    found: list[TransactionStatus],
    group: tuple[str, str],
    deliveries: int | None,
    chunk: int,
    deaths: set[int],
    lost: set[int],
) -> None:
    content = _pain002(found, *group)
    file = KnownFile(b"F" * 16, "sepa-credit", NOSTRO, deliveries, BATCHES) if deliveries else None
    verdict = REPORTER.statuses(statuses(BytesIO(content)), file, RAILS, NOW)
    outbox = Outbox({"pain002-1.xml": content}, REPORTER, NOW, file=file)
    told = asyncio.run(_taken(outbox, chunk, deaths, lost))
    assert told == [REPORTER.emission(each) for each in verdict.told]


@pytest.mark.parametrize("group", [("PART", ""), ("RJCT", "TM01"), ("RJCT", "AM05")])
@pytest.mark.parametrize("deliveries", [None, 1, 2])
def test_of_a_pain002_that_breaks_off_nothing_is_taken_whatever_it_says_of_its_group(
    group: tuple[str, str], deliveries: int | None
) -> None:
    status = TransactionStatus(reference(1, b"B" * 16), reference(1, b"P" * 16), "E2E", "RJCT", "AC04")
    content = _pain002([status] * 9, *group)[:-30]
    file = KnownFile(b"F" * 16, "sepa-credit", NOSTRO, deliveries, BATCHES) if deliveries else None
    outbox = Outbox({"pain002-1.xml": content}, REPORTER, NOW, file=file)
    taken = asyncio.run(outbox.reader().next())
    assert taken is not None
    assert taken.outcome.startswith("unreadable")
    assert (taken.emissions, taken.submitted, taken.refused, taken.finished) == ((), (), (), False)


def test_two_groups_in_one_pain002_that_differ_are_refused_and_two_that_say_the_same_are_one() -> None:
    status = TransactionStatus(reference(1, b"B" * 16), reference(1, b"P" * 16), "E2E", "RJCT", "AC04")
    content = _pain002([status], "PART", "").decode()
    begin, end = content.index("<OrgnlGrpInfAndSts>"), content.index("<OrgnlPmtInfAndSts>")
    group, behind = content[begin:end], content.rindex("</CstmrPmtStsRpt>")

    def told(second: str) -> list[Any]:
        doubled = content[:behind] + second + content[behind:]
        return list(statuses(BytesIO(doubled.encode())).told)

    assert len(told(group)) == len(told("")) == 3
    with pytest.raises(InvalidFile, match="a second one"):
        told(group.replace("GF1", "GF2"))


@pytest.mark.parametrize(
    "event",
    [
        entry(),
        entry(source="camt.053"),
        entry(source="camt.053", bank_reference="ü" * 140, amount_minor=1),
        entry(source="camt.053", credit_debit="CRDT"),
        entry(source="camt.053", reversal=True),
    ],
)
def test_what_waits_in_a_spool_is_told_as_it_was(event: Any) -> None:
    (told,) = REPORTER.entries([("", event)], NOW)
    assert unpack(pack(told)) == told._replace(debit=None)
    assert debit_in(pack(told)) == told.debit


@pytest.mark.long  # A large file of each, made and read.
@pytest.mark.parametrize("message", ["camt054", "camt053", "pain002"])
def test_an_answer_of_forty_thousand_entries_is_taken_in_flat_memory(message: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.unit.settlement.taking_a_large_answer", message, "40000"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = json.loads(ended.stdout)
    assert found["told"] == 40_000
    assert found["megabytes"] < MOST_MB
