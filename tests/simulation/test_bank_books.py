"""The simulated bank's own books: money is conserved, each order leaves its trace, same story, same bytes."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfunds.errors import Unavailable
from tests.integration.sandbox_bank import documents
from tests.integration.sandbox_bank.customer import FUNDS, MONDAY, OURS, Pay, clock, payment_file
from tests.simulation.bank import Booking, GatewayDoor, SimulatedBank, StatementDoor, Terms
from tests.simulation.bank.evidence import bank_books
from tests.simulation.bank.outbox import CAMT053, CAMT054, KINDS, PAIN002, Fate

FRIDAY, NEXT_MONDAY = date(2026, 3, 6), date(2026, 3, 9)


def opened(**terms: Any) -> SimulatedBank:
    bank = SimulatedBank(MONDAY, clock(), Terms(**terms))
    bank.open_account(OURS, "EUR", FUNDS)
    return bank


def submit(bank: SimulatedBank, name: str, *payments: Pay) -> None:
    bank.receive_draft(name, 1, payment_file(name, payments))
    bank.take_in(name, 1)


def judged(bank: SimulatedBank, *payments: Pay) -> SimulatedBank:
    submit(bank, f"M{len(bank.books.files) + 1}", *payments)
    bank.judge()
    return bank


def told(bank: SimulatedBank, kind: str) -> list[bytes]:
    return [each.content for each in bank.outbox.answers if each.kind == kind and each.fate is not Fate.LOST]


def planted(bank: SimulatedBank) -> list[tuple[str, str]]:
    return [(each.kind, each.instruction_id) for each in bank.books.planted]


def assert_conserved(bank: SimulatedBank) -> None:
    """The nostro is what it opened with less payments plus returns, and no payment is made twice."""
    books = bank.books
    sign = {"payment": -1, "return": 1}
    moved = sum(sign[each.kind] * each.amount_minor for each in books.transfers)
    account = books.accounts[OURS]
    assert account.balance_minor == FUNDS + moved
    assert sum(books.counterparties.values()) == -moved
    assert sum(line.signed_minor for line in account.lines) == moved
    assert len({(each.kind, each.message_id, each.instruction_id) for each in books.transfers}) == len(
        books.transfers
    )


def assert_statements_chain(bank: SimulatedBank) -> None:
    """Each opens where the last closed, and what its lines lack of its balances is what was planted."""
    lacking = {each.statement: 0 for each in bank.books.planted if each.statement}
    for each in bank.books.planted:
        if each.statement:
            lacking[each.statement] += each.difference_minor
    closing, numbers = FUNDS, []
    for stated, content in zip(bank.statements(OURS), told(bank, CAMT053), strict=True):
        shown = documents.account(content)
        total = sum(entry.amount_minor for entry in shown.entries)
        assert shown.opening_minor == closing
        assert shown.closing_minor - shown.opening_minor - total == lacking.get(stated.statement_id, 0)
        closing = shown.closing_minor
        numbers.append(int(shown.number))
    assert numbers == list(range(1, len(numbers) + 1))


ORDERS: dict[str, Callable[[SimulatedBank], object]] = {
    "reject": lambda bank: bank.reject(),
    "refuse file": lambda bank: bank.refuse_file("TM01"),
    "echo": lambda bank: bank.echo_only(),
    "return": lambda bank: bank.return_later(),
    "return booked": lambda bank: [bank.return_booked(each) for each in bank.open_to_faults()[:1]],
    "contradict before": lambda bank: bank.contradict_later(told_first=True),
    "contradict after": lambda bank: bank.contradict_later(told_first=False),
    "contradict booked": lambda bank: [bank.contradict_booked(each) for each in bank.open_to_faults()[-1:]],
    "leave out": lambda bank: bank.leave_out_line(),
    "misstate": lambda bank: bank.misstate_line(more_minor=7),
    "lose": lambda bank: bank.meet_next(CAMT054, Fate.LOST),
    "hold": lambda bank: bank.outbox.hold(),
    "release": lambda bank: bank.outbox.release(last_first=True, count=1),
    "end day": lambda bank: bank.end_day(),
}
STORIES = st.lists(st.one_of(st.sampled_from(sorted(ORDERS)), st.integers(1, 4)), max_size=25)


def tell(story: list[str | int], booking: Booking) -> SimulatedBank:
    """Each number is a file of so many payments, some of them for a later day, judged at once."""
    bank, payments = opened(booking=booking), 0
    for step in story:
        if isinstance(step, str):
            ORDERS[step](bank)
        else:
            numbers = range(payments, payments + step)
            payments += step
            days = [bank.books.day, MONDAY, NEXT_MONDAY]
            judged(bank, *(Pay(n, 10 + n, days[n % 3], f"{n % 2:04d}-BATCH") for n in numbers))
    bank.settle_down()
    while bank.books.day <= NEXT_MONDAY:
        bank.end_day()
    bank.end_day()
    return bank


@settings(max_examples=60)
@given(STORIES, st.sampled_from(Booking))
def test_whatever_is_ordered_money_is_conserved_and_statements_follow_each_other(
    story: list[str | int], booking: Booking
) -> None:
    bank = tell(story, booking)
    assert_conserved(bank)
    assert_statements_chain(bank)
    assert all(each.appeared for each in bank.outbox.answers if each.fate is not Fate.LOST)
    assert not [each for each in bank.books.payments if each.status == "pending"]
    books = bank_books(bank)
    assert sum(each.balance_minor for each in books.accounts) == bank.books.accounts[OURS].balance_minor
    assert len(books.transfers) == len(bank.books.transfers)


@settings(max_examples=20)
@given(STORIES, st.sampled_from(Booking))
def test_the_same_story_gives_the_same_bytes(story: list[str | int], booking: Booking) -> None:
    first, second = tell(story, booking), tell(story, booking)
    assert [(a.name, a.content) for a in first.outbox.answers] == [
        (a.name, a.content) for a in second.outbox.answers
    ]
    assert first.books.planted == second.books.planted


def test_files_wait_until_they_are_judged_and_days_until_they_are_ended() -> None:
    bank = opened()
    submit(bank, "M1", Pay(1))
    submit(bank, "M2", Pay(2))
    assert (bank.waiting(), bank.outbox.answers) == (["M1", "M2"], [])
    assert bank.judge(1) == 1
    assert (bank.waiting(), len(bank.books.transfers)) == (["M2"], 1)
    assert bank.judge() == 1
    assert bank.books.day == MONDAY
    for _ in range(5):
        bank.end_day()
    assert bank.books.day == NEXT_MONDAY


def test_a_payment_of_a_later_day_waits_for_it() -> None:
    bank = judged(opened(), Pay(1, 100, FRIDAY), Pay(2, 50))
    assert [each.instruction_id for each in bank.books.transfers] == [Pay(2).instruction_id]
    for _ in range(4):
        bank.end_day()
    assert [(each.amount_minor, each.booked_on) for each in bank.books.transfers] == [
        (50, MONDAY),
        (100, FRIDAY),
    ]


def test_what_the_account_cannot_pay_on_its_day_is_rejected_then_and_shows_no_fault() -> None:
    bank = opened()
    bank.contradict_later(told_first=False)
    judged(bank, Pay(1, FUNDS, FRIDAY), Pay(2, 1))
    for _ in range(4):
        bank.end_day()
    assert bank.rejection_of("M1", Pay(1).instruction_id) == ("AM04", "the account does not hold the amount")
    assert documents.report(told(bank, PAIN002)[-1]).rejected == ((Pay(1).instruction_id, "AM04"),)
    assert planted(bank) == []
    assert_conserved(bank)


def test_a_file_refused_whole_stays_refused_when_it_comes_again() -> None:
    bank = opened()
    bank.refuse_file("TM01")
    judged(bank, Pay(1))
    bank.receive_draft("M1", 2, payment_file("M1", [Pay(1)]))
    bank.take_in("M1", 2)
    bank.judge()
    assert [documents.report(each).reason for each in told(bank, PAIN002)] == ["TM01", "AM05"]
    assert bank.standing_of("M1", "M1") == (True, ("TM01", "the file came too late for its date"))
    assert bank.books.transfers == []
    judged(bank, Pay(1))
    assert len(bank.books.transfers) == 1, "in another file it is another order"


@pytest.mark.parametrize("code", ["AM05", "DU01", "DU05"])
def test_no_rejection_is_ordered_with_a_code_that_says_an_earlier_copy_stands(code: str) -> None:
    with pytest.raises(ValueError, match=code):
        opened().refuse_file(code)
    with pytest.raises(ValueError, match=code):
        opened().reject(code=code)


def test_orders_meet_the_next_payment_or_the_one_that_is_named() -> None:
    bank = opened()
    bank.reject(Pay(2).instruction_id, "AG01")
    bank.return_later()
    judged(bank, Pay(1), Pay(2), Pay(3))
    assert planted(bank) == [("return", Pay(1).instruction_id), ("reject", Pay(2).instruction_id)]
    bank.end_day()
    assert [(each.kind, each.instruction_id) for each in bank.books.transfers] == [
        ("payment", Pay(1).instruction_id),
        ("payment", Pay(3).instruction_id),
        ("return", Pay(1).instruction_id),
    ]


def test_only_an_end_to_end_id_that_tells_payments_apart_is_echoed_alone() -> None:
    bank = judged(opened(), Pay(1))
    bank.echo_only()
    content = payment_file("M2", [Pay(1), Pay(2)])
    bank.receive_draft("M2", 1, content)
    bank.take_in("M2", 1)
    bank.judge()
    assert planted(bank) == [("echo_end_to_end_only", Pay(2).instruction_id)]


def test_a_booked_payment_meets_one_fault_and_no_second() -> None:
    bank = judged(opened(), Pay(1), Pay(2))
    first = Pay(1).instruction_id
    assert bank.return_booked(first)
    assert not bank.contradict_booked(first)
    assert not bank.return_booked(first)
    assert not bank.contradict_booked("unknown")
    assert bank.open_to_faults() == [Pay(2).instruction_id]
    assert bank.contradict_booked(Pay(2).instruction_id)
    assert bank.open_to_faults() == []
    assert planted(bank) == [("return", first), ("contradictory_answer", Pay(2).instruction_id)]


def test_a_line_is_damaged_only_if_a_notification_tells_it_right() -> None:
    bank = opened()
    bank.meet_next(CAMT054, Fate.LOST)
    judged(bank, Pay(1, 100))
    bank.leave_out_line()
    bank.end_day()
    assert [kind for kind, _ in planted(bank)] == ["lost_answer"]
    judged(bank, Pay(2, 100), Pay(3, 100))
    bank.misstate_line(more_minor=5)
    bank.end_day()
    damages = [each for each in bank.books.planted if each.statement]
    assert [(each.kind, each.instruction_id, each.difference_minor) for each in damages] == [
        ("short_statement", Pay(2).instruction_id, -100),
        ("wrong_amount_line", Pay(3).instruction_id, 5),
    ]
    assert_statements_chain(bank)


def test_the_line_of_a_return_is_damaged_with_the_other_sign() -> None:
    bank = judged(opened(), Pay(1, 100))
    bank.return_booked(Pay(1).instruction_id)
    bank.end_day()
    bank.misstate_line(side="return")
    bank.end_day()
    assert [(each.side, each.difference_minor) for each in bank.books.planted if each.statement] == [
        ("return", -1)
    ]
    assert_statements_chain(bank)


def test_a_day_is_stated_in_parts_that_follow_each_other() -> None:
    bank = judged(opened(), *(Pay(n, 10) for n in range(1, 6)))
    assert len(bank.end_day(parts=2, files=2)) == 2
    assert_statements_chain(bank)
    shown = [documents.account(each) for each in told(bank, CAMT053)]
    assert [len(each.entries) for each in shown] == [2, 3]
    assert len(bank.end_day(parts=3)) == 1
    assert [each.number for each in bank.statements(OURS)] == [1, 2, 3, 4, 5]


def test_a_correction_has_the_number_of_what_it_corrects_and_every_line() -> None:
    bank = judged(opened(), Pay(1, 100))
    bank.leave_out_line()
    bank.end_day()
    assert bank.correct_statement(OURS, 1)
    assert not bank.correct_statement(OURS, 1)
    assert not bank.correct_statement(OURS, 2)
    short, whole = [documents.account(each) for each in told(bank, CAMT053)]
    assert (short.number, short.closing_minor) == (whole.number, whole.closing_minor)
    assert (len(short.entries), len(whole.entries)) == (0, 1)
    assert [each.kind for each in bank.books.planted] == ["short_statement", "corrected_statement"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_late_appears_in_the_order_that_is_wished(kind: str) -> None:
    bank = opened()
    bank.outbox.hold(kind)
    for number in range(3):
        judged(bank, Pay(number))
        bank.end_day()
    held = [each.name for each in bank.outbox.answers if each.kind == kind]
    assert len(held) == 3
    assert bank.outbox.release(kind, 1, last_first=True) == held[-1:]
    assert bank.settle_down() == held[:-1]
    assert [kind for kind, _ in planted(bank)] == ["late_answer"] * 3


def test_what_is_doubled_has_the_same_bytes_or_another_message_id() -> None:
    bank = opened()
    bank.meet_next(CAMT054, Fate.DOUBLED)
    bank.meet_next(CAMT054, Fate.DOUBLED_BYTES)
    judged(bank, Pay(1))
    judged(bank, Pay(2))
    anew, again, same, copy = told(bank, CAMT054)
    assert anew != again
    assert documents.account(anew).entries == documents.account(again).entries
    assert same == copy
    assert [kind for kind, _ in planted(bank)] == ["doubled_answer"] * 2


def test_no_statement_is_lost() -> None:
    with pytest.raises(ValueError, match=CAMT053):
        opened().meet_next(CAMT053, Fate.LOST)


@pytest.mark.parametrize(
    ("payments", "shape"),
    [
        ([Pay(1), Pay(2)], "without"),
        ([Pay(1), Pay(2, 10**9)], "with"),
        ([Pay(1), Pay(2, on=FRIDAY)], "with"),
    ],
)
def test_a_batch_is_booked_without_details_only_if_it_is_the_whole(payments: list[Pay], shape: str) -> None:
    bank = judged(opened(booking=Booking.WITHOUT_DETAILS), *payments)
    (entry,) = documents.account(told(bank, CAMT054)[0]).entries
    assert (entry.counts, entry.details) == (
        (str(len(bank.books.transfers)),),
        0 if shape == "without" else len(bank.books.transfers),
    )
    assert bank.contradict_booked(Pay(1).instruction_id) == (shape == "with")


def test_a_contradiction_whose_rejection_is_lost_is_told_so_to_the_auditor() -> None:
    bank = opened()
    bank.meet_next(PAIN002, Fate.LOST)
    for _ in range(2):
        bank.contradict_later(told_first=True)
    judged(bank, Pay(1))
    judged(bank, Pay(2))
    assert [(each.kind, each.instruction_id) for each in bank_books(bank).faults] == [
        ("contradictory_answer_lost", Pay(1).instruction_id),
        ("contradictory_answer", Pay(2).instruction_id),
    ]


class Gates:
    """Notes what passes, with what the bank has by then."""

    def __init__(self, bank: SimulatedBank) -> None:
        self.bank = bank
        self.passed: list[tuple[str, int, int]] = []

    async def __call__(self, gate: str) -> None:
        self.passed.append((gate, len(self.bank.drafts), len(self.bank.books.files)))


async def test_each_call_waits_at_two_gates_and_its_effect_is_between_them() -> None:
    bank = opened()
    gates = Gates(bank)
    door, folder = GatewayDoor(bank, gates), StatementDoor(bank, gates)
    await door.upload("M1", 1, payment_file("M1", [Pay(1)]))
    await door.deliver("M1", 1)
    assert gates.passed == [
        ("bank:upload:before", 0, 0),
        ("bank:upload:after", 1, 0),
        ("bank:deliver:before", 1, 0),
        ("bank:deliver:after", 0, 1),
    ]
    bank.judge()
    bank.end_day()
    gates.passed.clear()
    await door.enquire("M1", "M1")
    await door.payment_rejection(Pay(1).instruction_id, "M1")
    names = await door.answers()
    await door.download(names[0], BytesIO())
    (listed,) = await folder.statements()
    await folder.fetch(listed.name, BytesIO())
    calls = ("enquire", "payment_rejection", "answers", "download", "statements", "fetch_statement")
    assert [gate for gate, *_ in gates.passed] == [
        f"bank:{call}:{side}" for call in calls for side in ("before", "after")
    ]


@pytest.mark.parametrize("after", [False, True])
async def test_a_broken_call_raises_before_or_after_its_effect_and_the_next_ones_do_not(after: bool) -> None:
    bank = opened()
    door = GatewayDoor(bank, Gates(bank))
    await door.upload("M1", 1, payment_file("M1", [Pay(1)]))
    bank.break_calls(1, "deliver", after)
    assert await door.answers() == []
    with pytest.raises(Unavailable):
        await door.deliver("M1", 1)
    assert len(bank.books.files) == after
    assert [kind for kind, _ in planted(bank)] == ["timeout_after_upload" if after else "outage"]
    assert (await door.enquire("M1", "M1")).found == after


async def test_an_upload_that_is_cut_leaves_half_of_it_and_the_next_attempt_clears_it_away() -> None:
    bank = opened()
    door = GatewayDoor(bank, Gates(bank))
    content = payment_file("M1", [Pay(1)])
    bank.cut_uploads()
    with pytest.raises(Unavailable):
        await door.upload("M1", 1, content)
    assert list(bank.drafts.values()) == [content[: len(content) // 2]]
    await door.upload("M1", 2, content)
    assert list(bank.drafts.values()) == [content]


async def test_a_half_written_answer_is_whole_later_and_its_mark_is_another() -> None:
    bank = opened()
    folder = StatementDoor(bank, Gates(bank))
    bank.meet_next(CAMT053, Fate.HALF_WRITTEN)
    (name,) = bank.end_day()
    (before,) = await folder.statements()
    half, whole = BytesIO(), BytesIO()
    await folder.fetch(name, half)
    bank.settle_down()
    (after,) = await folder.statements()
    await folder.fetch(name, whole)
    assert whole.getvalue().startswith(half.getvalue())
    assert len(whole.getvalue()) > len(half.getvalue())
    assert (before.name, after.name) == (name, name)
    assert before.mark != after.mark
