"""What the bank decides: refusals and their order, funds, faults that leave exactly their trace."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox_bank import decide
from services.sandbox_bank.faults import Draw, Fault, FaultSetting
from services.sandbox_bank.model import ON_TIME, Booking, Due, Status
from tests.unit.sandbox_bank.examples import CREDITORS, OURS, TODAY, order

QUIET = Draw(1, {})


@pytest.fixture
def balances() -> dict[decide.Key, int]:
    return {(OURS, "EUR"): 1_000_000}


def draw(**settings: FaultSetting) -> Draw:
    return Draw(1, settings)


def test_an_order_due_today_is_booked_and_a_later_one_is_warehoused(balances: dict[decide.Key, int]) -> None:
    orders = [
        order(1),
        order(2, execution_date=TODAY + timedelta(days=1)),
        order(3, execution_date=TODAY - timedelta(9)),
    ]
    found, planted = decide.verdicts(orders, balances, TODAY, QUIET)
    assert [verdict.status for verdict in found] == [Status.BOOKED, Status.PENDING, Status.BOOKED]
    assert planted == []
    assert balances == {(OURS, "EUR"): 1_000_000 - 200}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"debtor_account": CREDITORS[0]}, "AC02"),
        ({"currency": "USD"}, "AM03"),
        ({"amount_minor": 0}, "AM01"),
        ({"creditor_account": "DE89370400440532013001"}, "AC03"),
        ({"creditor_account": "not an account"}, "AC03"),
        ({"creditor_account": OURS}, "AC03"),
        ({"amount_minor": 1_000_001}, "AM04"),
        ({"amount_minor": 0, "creditor_account": ""}, "AM01"),
    ],
)
def test_a_wrong_order_is_refused_with_the_first_reason_that_applies(
    balances: dict[decide.Key, int], wrong: dict[str, object], code: str
) -> None:
    found, _ = decide.verdicts([order(1, **wrong)], balances, TODAY, QUIET)
    assert (found[0].status, found[0].reason_code, found[0].told_code) == (Status.REJECTED, code, code)
    assert balances == {(OURS, "EUR"): 1_000_000}


def test_an_order_without_funds_does_not_stop_a_smaller_one_after_it() -> None:
    balances = {(OURS, "EUR"): 100}
    orders = [order(1, amount_minor=101), order(2, amount_minor=100), order(3, amount_minor=1)]
    found, _ = decide.verdicts(orders, balances, TODAY, QUIET)
    assert [verdict.reason_code for verdict in found] == ["AM04", "", "AM04"]


def test_a_contradiction_books_the_payment_and_tells_a_rejection(balances: dict[decide.Key, int]) -> None:
    for words in ("before", "after"):
        found, planted = decide.verdicts(
            [order(1)], dict(balances), TODAY, draw(contradictory_answer=FaultSetting(rate=1, order=words))
        )
        assert found[0].status is Status.BOOKED
        assert (found[0].reason_code, found[0].told_code) == ("", "MS03")
        assert found[0].contradicted_later is (words == "after")
        assert [fault.detail for fault in planted] == [f"MS03 {words} the booking"]


def test_a_payment_gets_one_of_reject_contradiction_return_and_echo_beside_it(
    balances: dict[decide.Key, int],
) -> None:
    every = FaultSetting(rate=1)
    found, planted = decide.verdicts(
        [order(1)],
        balances,
        TODAY,
        draw(
            **{"reject": every, "return": every, "contradictory_answer": every, "echo_end_to_end_only": every}
        ),
    )
    assert found[0].status is Status.REJECTED
    assert found[0].return_code == ""
    assert {str(fault.kind) for fault in planted} == {"reject", "echo_end_to_end_only"}


def test_a_count_strikes_the_first_so_many_and_then_never_again(balances: dict[decide.Key, int]) -> None:
    orders = [order(number) for number in range(10)]
    found, planted = decide.verdicts(
        orders, balances, TODAY, draw(reject=FaultSetting(count=3, reason="AC06"))
    )
    assert [verdict.reason_code for verdict in found] == ["AC06"] * 3 + [""] * 7
    assert len(planted) == 3


@given(
    amounts=st.lists(st.integers(1, 10**12), max_size=60),
    funds=st.integers(0, 10**13),
    rate=st.floats(0, 1),
    seed=st.integers(-(2**63), 2**63 - 1),
)
def test_the_account_pays_exactly_what_was_booked_and_never_goes_below_zero(
    amounts: list[int], funds: int, rate: float, seed: int
) -> None:
    orders = [order(number, amount_minor=amount) for number, amount in enumerate(amounts)]
    balances = {(OURS, "EUR"): funds}
    settings = {fault.value: FaultSetting(rate=rate) for fault in Fault}
    found, planted = decide.verdicts(orders, balances, TODAY, Draw(seed, settings))
    booked = sum(o.amount_minor for o, v in zip(orders, found, strict=True) if v.status is Status.BOOKED)
    assert balances[(OURS, "EUR")] == funds - booked >= 0
    told = {fault.subject for fault in planted if fault.kind in (Fault.REJECT, Fault.CONTRADICTORY_ANSWER)}
    for asked, verdict in zip(orders, found, strict=True):
        assert (verdict.status is Status.REJECTED) == bool(verdict.reason_code)
        assert bool(verdict.told_code) == (asked.subject in told or verdict.reason_code == "AM04")


@given(seed=st.integers(0, 2**32), rate=st.floats(0, 1), split=st.integers(0, 40))
def test_the_same_seed_tells_the_same_story_however_the_orders_are_cut_into_files(
    seed: int, rate: float, split: int
) -> None:
    orders = [order(number) for number in range(40)]
    settings = {fault.value: FaultSetting(rate=rate) for fault in Fault}
    whole, _ = decide.verdicts(orders, {(OURS, "EUR"): 10**9}, TODAY, Draw(seed, settings))
    balances = {(OURS, "EUR"): 10**9}
    first, _ = decide.verdicts(orders[:split], balances, TODAY, Draw(seed, settings))
    second, _ = decide.verdicts(orders[split:], balances, TODAY, Draw(seed, settings))
    assert first + second == whole


def due(number: int, amount: int = 100, information: str = "A", file: int = 1) -> Due:
    return Due(number, file, information, amount, "EUR", OURS, CREDITORS[0], "", False)


def test_warehoused_payments_are_executed_in_order_while_funds_last() -> None:
    balances = {(OURS, "EUR"): 250}
    booked, refused = decide.executions([due(1), due(2), due(3), due(4, 50)], balances)
    assert [each.payment for each in booked] == [1, 2, 4]
    assert [each.payment for each in refused] == [3]
    assert balances == {(OURS, "EUR"): 0}


@pytest.mark.parametrize(
    ("booking", "entries"),
    [
        (Booking.INDIVIDUAL, [7, 8, 9, 10]),
        (Booking.BATCH_WITH_DETAILS, [7, 7, 8, 9]),
        (Booking.BATCH_WITHOUT_DETAILS, [7, 7, 8, 9]),
    ],
)
def test_entries_follow_the_booking_mode(booking: Booking, entries: list[int]) -> None:
    payments = [due(1), due(2), due(3, information="B"), due(4, information="B", file=2)]
    assert [each.entry for each in decide.movements(payments, booking, 7)] == entries


@pytest.mark.parametrize(
    ("total", "rejected", "executed", "status"),
    [(3, 0, True, "ACSP"), (3, 0, False, "ACCP"), (3, 1, True, "PART"), (3, 3, False, "RJCT")],
)
def test_the_group_status_sums_the_transactions_up(
    total: int, rejected: int, executed: bool, status: str
) -> None:
    assert decide.group_status(total, rejected, executed) == status


def test_an_answer_meets_one_delivery_fault_at_most_and_only_of_its_kind() -> None:
    every = FaultSetting(rate=1)
    found, planted = decide.delivery(
        "pain.002", "m", draw(lost_answer=every, doubled_answer=every, late_answer=every)
    )
    assert (found.lost, found.doubled, len(planted)) == (True, False, 1)
    only_notifications = replace(every, answers=("camt.054",))
    assert decide.delivery("pain.002", "m", draw(lost_answer=only_notifications)) == (ON_TIME, [])
    late, _ = decide.delivery("pain.002", "m", draw(late_answer=replace(every, seconds=2.5)))
    assert (late.late_seconds, late.late_until_advance) == (2.5, False)
    held, _ = decide.delivery("pain.002", "m", draw(late_answer=every))
    assert (held.late_seconds, held.late_until_advance) == (None, True)


@pytest.mark.parametrize(
    "account", ["", "DE", "DE8937040044053201300", "de89370400440532013000", "DE89 3704", "١" * 20, "00" * 10]
)
def test_what_has_no_check_digits_is_no_iban(account: str) -> None:
    assert not decide.valid_iban(account)
