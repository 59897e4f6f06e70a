"""The bank's side of the auditor's evidence, as plain records."""

from hashlib import sha256

from tests.auditor.evidence import BankAccount, BankFile, BankTransfer, PlantedFault
from tests.auditor.reading import BankBooks
from tests.simulation.bank.bank import SimulatedBank
from tests.simulation.bank.books import Planted


def bank_books(bank: SimulatedBank) -> BankBooks:
    """What the bank's books say now."""
    books = bank.books
    unheard = {each.instruction_id for each in books.payments if each.contradicted and each.rejection_lost}
    return BankBooks(
        [
            BankTransfer(
                each.kind, each.instruction_id, each.end_to_end_id, each.amount_minor, each.currency,
                each.account, each.counterparty, each.booked_on,
            )
            for each in books.transfers
        ],
        [
            BankFile(each.message_id, sha256(each.content).hexdigest(), each.standing, each.transactions)
            for each in books.files
        ],
        [
            BankAccount(each.account, each.currency, each.opened_with_minor, each.balance_minor)
            for each in books.accounts.values()
        ],
        [_fault(each, unheard) for each in books.planted if each.instruction_id or each.statement],
    )  # fmt: skip


def _fault(planted: Planted, unheard: set[str]) -> PlantedFault:
    kind = planted.kind
    if kind == "contradictory_answer" and planted.instruction_id in unheard:
        kind = "contradictory_answer_lost"
    return PlantedFault(
        kind, planted.instruction_id, planted.side, planted.statement, planted.difference_minor
    )
