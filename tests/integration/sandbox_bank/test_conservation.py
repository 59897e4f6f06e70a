"""Whatever is uploaded, in whatever order, with whatever faults: money is neither made nor lost."""

import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sandbox_bank.app import build
from services.sandbox_bank.bank import Bank
from services.sandbox_bank.calendar import business_day_from
from services.sandbox_bank.faults import Fault
from services.sandbox_bank.model import Booking
from tests.integration.sandbox_bank import documents
from tests.integration.sandbox_bank.customer import MONDAY, OURS, Pay, bank_settings, clock, payment_file

PAYMENT = st.tuples(st.integers(0, 2_000), st.integers(0, 6), st.booleans())
FILE = st.lists(PAYMENT, min_size=1, max_size=8)
STEP = st.one_of(
    st.tuples(st.just("file"), FILE),
    st.tuples(st.just("again"), st.integers(0, 3)),
    st.tuples(st.just("days"), st.integers(0, 4)),
)


@given(
    funds=st.integers(0, 20_000),
    steps=st.lists(STEP, max_size=8),
    rates=st.dictionaries(st.sampled_from(list(Fault)), st.sampled_from([0.2, 0.5, 1.0])),
    booking=st.sampled_from(list(Booking)),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=40)  # each example is a bank on disk
def test_any_history_adds_up(
    servers: Path,
    funds: int,
    steps: list[tuple[str, object]],
    rates: dict[Fault, float],
    booking: Booking,
    seed: int,
) -> None:
    with tempfile.TemporaryDirectory(dir=servers) as folder:
        terms = {"bank_booking": booking, "bank_faults": rates, "bank_seed": seed}
        bank = build(bank_settings(Path(folder), bank_transactions_per_notification=3, **terms), clock())
        try:
            with bank.store.writing(clock().now()) as books:
                books.open_account(OURS, "EUR", "House", funds)
            live(bank, steps)
            assert_adds_up(
                bank, funds, damaged=bool({Fault.SHORT_STATEMENT, Fault.WRONG_AMOUNT_LINE} & set(rates))
            )
        finally:
            bank.store.close()


def live(bank: Bank, steps: list[tuple[str, object]]) -> None:
    files: list[bytes] = []
    number = 0
    for step, (kind, value) in enumerate(steps):
        if isinstance(value, list):
            payments = []
            for amount, days, valid in value:
                number += 1
                on, creditor = MONDAY + timedelta(days=days), "" if valid else "FR00BAD0000000000"
                payments.append(Pay(number, amount, on, f"BATCH{days}", creditor))
            files.append(payment_file(f"M{step}", payments))
            (bank.folders.inbox / f"F{step}.xml").write_bytes(files[-1])
        elif kind == "again" and files:
            (bank.folders.inbox / f"F{step}.xml").write_bytes(files[int(str(value)) % len(files)])
        elif kind == "days":
            bank.advance(business_day_from(bank.business_day() + timedelta(days=int(str(value)))))
        bank.work()


def assert_adds_up(bank: Bank, funds: int, damaged: bool) -> None:
    sums: Counter[str] = Counter()
    for row in bank.store.all("book_transfers"):
        sums[row[4]] -= row[6]
        sums[row[5]] += row[6]
    assert sum(sums.values()) == 0
    assert {row[0]: row[5] for row in bank.store.all("book_accounts")} == {**sums, OURS: sums[OURS]}
    assert sums[OURS] >= 0
    moved: dict[str, int] = {"payment": 0, "return": 0}
    for row in bank.store.all("book_transfers"):
        if row[3] in moved:
            moved[row[3]] += row[6]
    by_status: Counter[str] = Counter()
    for status, _, _, amount in bank.store.all("count_payments"):
        by_status[status] += amount
    assert moved == {"payment": by_status["booked"] + by_status["returned"], "return": by_status["returned"]}
    assert sums[OURS] == funds - moved["payment"] + moved["return"]
    assert not list(bank.folders.inbox.iterdir())

    opening, day = funds, date.min
    for row in bank.store.all("statements"):
        statement = documents.account((bank.folders.outbox / row[0]).read_bytes())
        assert statement.opening_minor == opening
        assert date.fromisoformat(row[4]) > day
        opening, day = statement.closing_minor, date.fromisoformat(row[4])
        if not damaged:
            lines = sum(entry.amount_minor for entry in statement.entries)
            assert statement.opening_minor + lines == statement.closing_minor
