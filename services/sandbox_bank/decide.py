"""What the bank does with a file, a payment and an end of day. Pure: no I/O, no clock, no settings."""

from collections.abc import Iterable, Sequence
from datetime import date

from services.sandbox_bank.faults import Draw, Fault
from services.sandbox_bank.model import (
    ON_TIME,
    Booking,
    Delivery,
    Due,
    Movement,
    Order,
    PlantedFault,
    Status,
    Verdict,
)

INSUFFICIENT_FUNDS = "AM04"
DUPLICATION = "AM05"
WRONG_CURRENCY = "AM03"
ZERO_AMOUNT = "AM01"
INVALID_DEBTOR_ACCOUNT = "AC02"
INVALID_CREDITOR_ACCOUNT = "AC03"
CLOSED_CREDITOR_ACCOUNT = "AC04"
NOT_SPECIFIED = "MS03"

TEXTS = {
    INSUFFICIENT_FUNDS: "the account does not hold the amount",
    DUPLICATION: "a message with this identification stands already",
    WRONG_CURRENCY: "the account is kept in another currency",
    ZERO_AMOUNT: "the amount is zero",
    INVALID_DEBTOR_ACCOUNT: "no such account at this bank",
    INVALID_CREDITOR_ACCOUNT: "the creditor's account number is invalid",
    CLOSED_CREDITOR_ACCOUNT: "the creditor's account is closed",
    NOT_SPECIFIED: "no reason given",
}

Key = tuple[str, str]
"""An account and its currency."""


def valid_iban(account: str) -> bool:
    """The check digits of ISO 13616 / ISO 7064 mod 97-10, and nothing about the country's own format."""
    if not (15 <= len(account) <= 34 and account.isascii() and account.isalnum() and account.isupper()):
        return False
    if not (account[:2].isalpha() and account[2:4].isdigit()):
        return False
    return int("".join(str(int(character, 36)) for character in account[4:] + account[:4])) % 97 == 1


def verdicts(
    orders: Sequence[Order], balances: dict[Key, int], business_day: date, draw: Draw
) -> tuple[list[Verdict], list[PlantedFault]]:
    """One verdict an order, in order, and the faults committed on the way.

    `balances` holds the accounts kept at this bank and is drawn down by what is booked now: orders dated
    on or before the business day. Precedence: an order that is wrong, then a planted rejection, then funds.
    """
    held = {account for account, _ in balances}
    known: dict[str, bool] = {}
    decided: list[Verdict] = []
    planted: list[PlantedFault] = []
    faulty = any(setting.rate or setting.count for setting in draw.settings.values())
    for order in orders:
        echo = faulty and _echoes_end_to_end_only(order, draw, planted)
        code = _refusal(order, balances, held, known)
        if not code and faulty:
            code = _planted_rejection(order, draw, planted)
        if code:
            decided.append(_rejected(code, echo))
            continue
        due = order.execution_date <= business_day
        if due:
            key = (order.debtor_account, order.currency)
            if balances[key] < order.amount_minor:
                decided.append(_rejected(INSUFFICIENT_FUNDS, echo))
                continue
            balances[key] -= order.amount_minor
        status = Status.BOOKED if due else Status.PENDING
        decided.append(_accepted(order, status, echo, draw, planted) if faulty else _PLAIN[status])
    return decided, planted


_PLAIN = {status: Verdict(status) for status in (Status.BOOKED, Status.PENDING)}


def _rejected(code: str, echo: bool) -> Verdict:
    return Verdict(Status.REJECTED, code, TEXTS.get(code, ""), told_code=code, echoes_end_to_end_only=echo)


def _refusal(order: Order, balances: dict[Key, int], held: set[str], known: dict[str, bool]) -> str:
    if (order.debtor_account, order.currency) not in balances:
        return WRONG_CURRENCY if order.debtor_account in held else INVALID_DEBTOR_ACCOUNT
    if order.amount_minor <= 0:
        return ZERO_AMOUNT
    valid = known.get(order.creditor_account)
    if valid is None:
        valid = known[order.creditor_account] = valid_iban(order.creditor_account)
    # Money that goes from an account to itself would be a debit without a line.
    return "" if valid and order.creditor_account != order.debtor_account else INVALID_CREDITOR_ACCOUNT


def _echoes_end_to_end_only(order: Order, draw: Draw, planted: list[PlantedFault]) -> bool:
    if not draw.strikes(Fault.ECHO_END_TO_END_ONLY, order.subject):
        return False
    planted.append(PlantedFault(Fault.ECHO_END_TO_END_ONLY, order.subject, order.end_to_end_id))
    return True


def _planted_rejection(order: Order, draw: Draw, planted: list[PlantedFault]) -> str:
    if not draw.strikes(Fault.REJECT, order.subject):
        return ""
    code = draw.setting(Fault.REJECT).reason or CLOSED_CREDITOR_ACCOUNT
    planted.append(PlantedFault(Fault.REJECT, order.subject, code))
    return code


def _accepted(order: Order, status: Status, echo: bool, draw: Draw, planted: list[PlantedFault]) -> Verdict:
    subject = order.subject
    if draw.strikes(Fault.CONTRADICTORY_ANSWER, subject):
        setting = draw.setting(Fault.CONTRADICTORY_ANSWER)
        drawn = ("before", "after")[draw.variant(Fault.CONTRADICTORY_ANSWER, subject, 2)]
        order_of_words = setting.order or drawn
        code = setting.reason or NOT_SPECIFIED
        planted.append(
            PlantedFault(Fault.CONTRADICTORY_ANSWER, subject, f"{code} {order_of_words} the booking")
        )
        return Verdict(
            status,
            told_code=code,
            contradicted_later=order_of_words == "after",
            echoes_end_to_end_only=echo,
        )
    if draw.strikes(Fault.RETURN, subject):
        code = draw.setting(Fault.RETURN).reason or CLOSED_CREDITOR_ACCOUNT
        planted.append(PlantedFault(Fault.RETURN, subject, code))
        return Verdict(status, return_code=code, echoes_end_to_end_only=echo)
    return Verdict(status, echoes_end_to_end_only=echo)


def executions(due: Iterable[Due], balances: dict[Key, int]) -> tuple[list[Due], list[Due]]:
    """(booked, refused for want of funds) of warehoused payments, in their order; draws `balances` down."""
    booked: list[Due] = []
    refused: list[Due] = []
    for payment in due:
        key = (payment.debtor_account, payment.currency)
        if balances[key] < payment.amount_minor:
            refused.append(payment)
        else:
            balances[key] -= payment.amount_minor
            booked.append(payment)
    return booked, refused


def movements(payments: Iterable[Due], booking: Booking, first_entry: int) -> list[Movement]:
    """The transfers of payments booked now: debit the debtor, credit the creditor.

    Entries are numbered on from `first_entry`: one a payment, or one for each run of the same file, PmtInf
    and account.
    """
    made: list[Movement] = []
    entry = first_entry - 1
    run: tuple[int, str, str] | None = None
    for payment in payments:
        group = (payment.file, payment.payment_information_id, payment.debtor_account)
        if booking is Booking.INDIVIDUAL or group != run:
            entry += 1
            run = group
        made.append(
            Movement(
                entry,
                payment.payment,
                "payment",
                payment.debtor_account,
                payment.creditor_account,
                payment.amount_minor,
                payment.currency,
            )
        )
    return made


def group_status(total: int, rejected: int, all_executed: bool) -> str:
    """OrgnlGrpInfAndSts/GrpSts or PmtInfSts of a pain.002 for so many transactions, some told RJCT."""
    if rejected:
        return "RJCT" if rejected == total else "PART"
    return "ACSP" if all_executed else "ACCP"


def delivery(kind: str, subject: str, draw: Draw) -> tuple[Delivery, list[PlantedFault]]:
    """How an answer of a kind leaves the bank; at most one of lost, late, doubled."""
    for fault in (Fault.LOST_ANSWER, Fault.LATE_ANSWER, Fault.DOUBLED_ANSWER):
        setting = draw.setting(fault)
        if kind not in setting.answers or not draw.strikes(fault, subject):
            continue
        planted = [PlantedFault(fault, subject, kind)]
        if fault is Fault.LOST_ANSWER:
            return Delivery(lost=True), planted
        if fault is Fault.DOUBLED_ANSWER:
            return Delivery(doubled=True), planted
        return Delivery(late_seconds=setting.seconds, late_until_advance=setting.seconds is None), planted
    return ON_TIME, []


def damaged_lines(
    entries: Sequence[tuple[int, str]], draw: Draw
) -> tuple[set[int], set[int], list[PlantedFault]]:
    """(entries left out, entries with a wrong amount) of a statement, from (entry, subject) of its lines."""
    missing: set[int] = set()
    wrong: set[int] = set()
    planted: list[PlantedFault] = []
    for entry, subject in entries:
        if draw.strikes(Fault.SHORT_STATEMENT, subject):
            missing.add(entry)
            planted.append(PlantedFault(Fault.SHORT_STATEMENT, subject, f"entry {entry} left out"))
        elif draw.strikes(Fault.WRONG_AMOUNT_LINE, subject):
            wrong.add(entry)
            planted.append(PlantedFault(Fault.WRONG_AMOUNT_LINE, subject, f"entry {entry} one unit more"))
    return missing, wrong, planted
