"""Tables fit the terminal, however narrow, and nothing in them is cut off."""

import unicodedata
from collections import Counter
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from goodfunds.cli.accounts import account_table
from goodfunds.cli.lanes import lanes_table
from goodfunds.cli.plans import effects
from goodfunds.cli.progress import Progress, progress_table
from goodfunds.cli.prove import proof_table
from goodfunds.cli.stack import _table as stack_table
from goodfunds.cli.standing import Waiting, money_table
from goodfunds.local.processes import Running
from goodfunds.local.state import Stack
from goodfunds.operating.shapes import Money
from goodfunds.proof import Check, Proof
from tests.unit.cli.fake_answers import FORECAST, lane, lanes

MOST = 999_999_999_999_999_999
ROW = {"account": "DE" + "9" * 32, "lane": 11, "state": "open", "name": "Ümläut & [Söhne] 東京 Gesellschaft",
       "currency": "EUR", "balance_minor": MOST, "opened_at": datetime(2026, 3, 1, tzinfo=UTC)}  # fmt: skip
SUMS = {"EUR": MOST, "JPY": MOST, "KWD": MOST}
TABLES: dict[str, tuple[RenderableType, list[str]]] = {
    "accounts": (account_table([ROW]), [
        str(ROW["account"]), str(ROW["name"]), "9,999,999,999,999,999.99 EUR",
    ]),
    "lanes": (lanes_table(lanes(
        lane(11, money=[Money(currency="EUR", events=9, amount_minor=MOST)], owner="host.example/4194304"),
    )), ["9,999,999,999,999,999.99 EUR", "host.example/4194304: 1", "1 d 2 h", "at work"]),
    "forecast": (next(iter(effects(FORECAST, "what it would do"))), [
        "transit-out:sepa-credit", "settlement-notifications: PaymentSettled", "-1,234.56 EUR",
    ]),
    "money": (money_table([Waiting("reconciliation", "submitted", "EUR", MOST, 10**9, 1e7)]), [
        "reconciliation", "9,999,999,999,999,999.99 EUR", "1,000,000,000", "115 d 17 h",
    ]),
    "progress": (progress_table(Progress(10**9, 7, accepted_sums=SUMS, open_breaks=3), "1 payment"), [
        "matched with the statement", "9,999,999,999,999,999.99 EUR", "999,999,999,999,999,999 JPY",
    ]),
    "proof": (proof_table(Proof(
        (Check("nostro agrees with the bank", False, "9,999.00 EUR = closing balance", {},
               ("lane 3: 1.00 EUR",)),), {}, (),
    )), ["nostro agrees with the bank", "BROKEN", "9,999.00 EUR = closing balance", "lane 3: 1.00 EUR"]),
    "stack": (stack_table(
        Stack(Path("/s"), "", "", 12, http={"reconciliation-statements": 45_678},
              running={"reconciliation-statements": Running(4_194_304, 1.0)}),
        {"reconciliation-statements": "ready"}, {"reconciliation-statements": 10**9},
    ), ["reconciliation-statements", "4194304", "127.0.0.1:45678", "1,000,000,000", "ready"]),
}  # fmt: skip


def letters(text: str) -> Counter[str]:
    """What is to be read, without the lines of the table and the spaces that wrapping takes."""
    return Counter(each for each in text if not each.isspace() and unicodedata.category(each) != "So"
                   and not "─" <= each <= "╿")  # fmt: skip


@pytest.mark.parametrize("width", [40, 60, 80, 132])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_fits_and_is_whole(name: str, width: int) -> None:
    made, cells = TABLES[name]
    told = StringIO()
    Console(file=told, width=width, soft_wrap=True).print(made)
    assert max(map(cell_len, told.getvalue().splitlines())) <= width
    shown = letters(told.getvalue())
    for cell in cells:
        assert letters(cell) <= shown
    assert "…" not in told.getvalue()
