"""Reconciliation's rows that must never be: each one tried stops its lane, with the evidence."""

import pytest

from goodfunds.lanes.records import Connection
from services.reconciliation import store
from services.reconciliation.model import Item
from tests.integration.invariants.floor import NOW, assert_stopped_with_evidence, break_on

SERVICE = "reconciliation"
ONE, TWO, NEW, BATCH = (f"'00000000-0000-7000-8000-{n:012d}'" for n in (1, 2, 3, 4))
STATEMENT = "'00000000-0000-7000-8000-000000000009'"
NOBODY = "'00000000-0000-0000-0000-000000000000'"


def _item(payment: str, minor: int = -100, state: int = 0, line: str = "NULL, 0, ''", seq: int = 1) -> str:
    return (
        f"INSERT INTO expected_items VALUES (0, {payment}, -1, {BATCH}, {minor}, 'EUR', 'N', 'A', '', now(),"
        f" {seq}, {state}, NULL, {line})"
    )


SEEDS = [
    _item(ONE),
    _item(TWO, state=2),
    f"INSERT INTO batches VALUES (0, {BATCH}, 'N', 'EUR', now(), 1, -100, 0, 0, 0)",
    f"INSERT INTO breaks VALUES (0, {ONE}, 'line', 'r', 1, 'EUR', 'N', {NOBODY}, {NOBODY}, {NOBODY}, 0, '',"
    " '', now(), NULL, '')",
    f"INSERT INTO statement_lines VALUES (0, {STATEMENT}, 1, {NOBODY}, {NOBODY}, 5, 'EUR', 'N', '', '', '',"
    " '2026-03-02', '2026-03-02', 1, false, false, '', '', now(), '', NULL, 1, 3, NULL)",
    f"INSERT INTO taken_statements VALUES (-1, {STATEMENT}, 'f', 'x', 'N', '1', '1', '2026-03-02', false, 3,"
    " 0, 2, now())",
]
BREAKS = {
    "a debit that brings money": ("has_the_sign_of_its_side", _item(NEW, minor=100)),
    "matched by nothing": ("matched_by_some_rule", _item(NEW, state=1, line=f"{STATEMENT}, 1, ''")),
    "matched with no line": ("expected_items_check", _item(NEW, state=1, line="NULL, 0, 'reference'")),
    "expected for no event": ("numbered", _item(NEW, seq=0)),
    "expected twice": ("expected_items_pkey", _item(ONE)),
    "another amount expected": ("stays_what_it_is", "UPDATE expected_items SET amount_minor = -1"),
    "cancelled and open again": ("stays_what_it_is", "UPDATE expected_items SET state = 0 WHERE state = 2"),
    "open sums below nothing": ("open_sums_fit_their_counts", "UPDATE batches SET open_debits = -1"),
    "an open count without its sum": ("open_sums_fit_their_counts", "UPDATE batches SET open_debits = 0"),
    "resolved by nothing": ("resolved_by_something", "UPDATE breaks SET resolved_at = now()"),
    "a line of another amount": ("stays_what_it_is", "UPDATE statement_lines SET amount_minor = 6"),
    "a line handed over and taken back": (
        "stays_what_it_is",
        "UPDATE statement_lines SET state = 0, handed_over_to = NULL",
    ),
    "a line handed over to nobody": (
        "statement_lines_check",
        "UPDATE statement_lines SET handed_over_to = NULL",
    ),
    "a line in no break": (
        "statement_lines_check1",
        f"UPDATE statement_lines SET break_id = {ONE}",
    ),
    "a line of a negative count": ("says_an_amount", "UPDATE statement_lines SET transaction_count = -1"),
    "a statement beyond its end": (
        "position_within_the_statement",
        "UPDATE taken_statements SET position = 4",
    ),
    "a statement sent again": ("position_goes_on", "UPDATE taken_statements SET position = 1"),
}  # fmt: skip


@pytest.mark.parametrize(("constraint", "statement"), BREAKS.values(), ids=BREAKS)
async def test_a_row_that_must_never_be_stops_its_lane_and_is_rolled_back(
    floor: str, constraint: str, statement: str
) -> None:
    assert_stopped_with_evidence(await break_on(floor, statement), constraint)


async def test_an_update_that_finds_fewer_rows_than_were_sent_stops_its_lane(floor: str) -> None:
    nobodys = Item(0, bytes(16), -1, bytes(16), -1, "EUR", "N", "A", "", NOW, 1)

    async def vanished(connection: Connection) -> None:
        await store.write_items(connection, [], [nobodys])

    assert_stopped_with_evidence(await break_on(floor, vanished), None, "0 of 1 expected items")
