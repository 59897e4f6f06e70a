"""Judging: what the bank does with an order, by its own rules first and then by what the story wishes."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.simulation.bank.answers import TEXTS
from tests.simulation.bank.books import NOT_PROVIDED, Account, Books, File, Payment, Status
from tests.simulation.bank.orders import Order
from tests.simulation.bank.wishes import Treatment, Wishes

_CODES = {
    Treatment.REJECT: "AC04",
    Treatment.RETURN: "AC04",
    Treatment.CONTRADICT_BEFORE: "MS03",
    Treatment.CONTRADICT_AFTER: "MS03",
}
"""The reason that is given where the wish names none."""


def valid_iban(account: str) -> bool:
    """The check digits of ISO 13616 (mod 97-10)."""
    if not (15 <= len(account) <= 34 and account.isascii() and account.isalnum() and account.isupper()):
        return False
    turned = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def judged(books: Books, wishes: Wishes, file: File, orders: Sequence[Order]) -> list[Payment]:
    """A payment each, rejected or pending; faults among them are noted. `told_code`: what a RJCT says.

    What is due is paid in the file's order while the account holds it.
    """
    left = {each.account: each.balance_minor for each in books.accounts.values()}
    names = Counter(each.end_to_end_id for each in orders)
    names.update(each.order.end_to_end_id for each in books.payments)
    payments = []
    for order in orders:
        payment = Payment(file, order, Status.PENDING)
        payments.append(payment)
        code = _refusal(order, books.accounts)
        if code:
            reject(payment, code)
            continue
        unique = order.end_to_end_id not in ("", NOT_PROVIDED) and names[order.end_to_end_id] == 1
        wish = wishes.next_payment(order.instruction_id, unique)
        if wish is not None and wish.treatment is Treatment.REJECT:
            reject(payment, wish.code or _CODES[wish.treatment])
            books.plant("reject", order.instruction_id, payment)
            continue
        if order.execution_date <= books.day:
            if left[order.debtor_account] < order.amount_minor:
                reject(payment, "AM04")
                continue
            left[order.debtor_account] -= order.amount_minor
        if wish is not None:
            _treat(books, payment, wish.treatment, wish.code or _CODES.get(wish.treatment, ""))
    return payments


def reject(payment: Payment, code: str) -> None:
    """The payment is not made, and answers say so."""
    payment.status, payment.reason_code, payment.told_code = Status.REJECTED, code, code
    payment.reason = TEXTS.get(code, "")


def _treat(books: Books, payment: Payment, treatment: Treatment, code: str) -> None:
    if treatment is Treatment.ECHO_ONLY:
        payment.echo_only = True
        books.plant(treatment.value, payment.order.end_to_end_id, payment)
    elif treatment is Treatment.RETURN:
        payment.return_code = code
        books.plant(treatment.value, payment.instruction_id, payment)
    else:
        payment.told_code, payment.contradicted = code, True
        payment.told_later = treatment is Treatment.CONTRADICT_AFTER
        books.plant("contradictory_answer", treatment.value, payment)


def _refusal(order: Order, accounts: Mapping[str, Account]) -> str:
    account = accounts.get(order.debtor_account)
    if account is None:
        return "AC02"
    if account.currency != order.currency:
        return "AM03"
    if order.amount_minor == 0:
        return "AM01"
    # Money that goes from an account to itself would be a debit without a line.
    payable = valid_iban(order.creditor_account) and order.creditor_account != order.debtor_account
    return "" if payable else "AC03"
