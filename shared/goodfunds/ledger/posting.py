"""Postings, one per moment at which money changes its place in the books, and balances in memory; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from goodfunds.errors import InvariantBroken

FUNDED: Final = "funded"
BANK_OPENING_BALANCE: Final = "bank_opening_balance"
ACCEPTED: Final = "accepted"
SETTLED: Final = "settled"
REFUNDED: Final = "refunded"
RETURNED: Final = "returned"
RETURN_CHARGES: Final = "return_charges"
RECEIVED: Final = "received"
CONTRADICTED: Final = "contradicted"
BANK_ADJUSTMENT: Final = "bank_adjustment"

FEES: Final = "fees"
"""Account of what banks charged us."""


class Posting(NamedTuple):
    """Debit account, credit account, one amount: it balances by shape.

    `entry_id` is the payment, receipt or adjustment (16 bytes) that moves the money; (entry_id, kind) is
    unique in a database, so that a payment can be settled, returned or refunded once and never twice.
    `amount_minor` is in minor units and above zero. A balance is credits minus debits.
    """

    entry_id: bytes
    debit_account: str
    credit_account: str
    amount_minor: int
    currency: str
    kind: str


def transit_out(rail: str) -> str:
    """Control account of what has left the customers and not yet the house."""
    return f"transit-out:{rail}"


def transit_in(rail: str) -> str:
    """Control account of what has reached the house and not yet the customers."""
    return f"transit-in:{rail}"


def nostro(iban: str) -> str:
    """Our account at a bank; its balance here is minus the bank's own credit balance."""
    return f"nostro:{iban}"


def funding(source: str) -> str:
    """Where money came from that no rail brought."""
    return f"funding:{source}"


def unapplied_account(reason: str) -> str:
    """Money owed to someone whose account cannot take it."""
    return f"unapplied:{reason}"


def suspense(reason: str) -> str:
    """Money that moved and that nobody has explained yet."""
    return f"suspense:{reason}"


def _posting(
    entry_id: bytes, debit_account: str, credit_account: str, amount_minor: int, currency: str, kind: str
) -> Posting:
    if amount_minor <= 0 or debit_account == credit_account:
        movement = f"{amount_minor} {currency} from {debit_account} to {credit_account}"
        raise InvariantBroken(f"{kind} of {entry_id.hex()}: {movement} is no posting")
    return Posting(entry_id, debit_account, credit_account, amount_minor, currency, kind)


def funded(entry_id: bytes, source: str, account: str, amount_minor: int, currency: str) -> Posting:
    """A customer's account is funded. Ingestion."""
    return _posting(entry_id, funding(source), account, amount_minor, currency, FUNDED)


def bank_opening_balance(
    entry_id: bytes, source: str, nostro_iban: str, amount_minor: int, currency: str
) -> Posting:
    """What the bank holds for us when the books begin, in its sign: negative is overdrawn. Settlement."""
    house, origin = nostro(nostro_iban), funding(source)
    debit, credit = (house, origin) if amount_minor > 0 else (origin, house)
    return _posting(entry_id, debit, credit, abs(amount_minor), currency, BANK_OPENING_BALANCE)


def accepted(payment_id: bytes, account: str, rail: str, amount_minor: int, currency: str) -> Posting:
    """A payment was accepted: its money leaves the customer. Ingestion."""
    return _posting(payment_id, account, transit_out(rail), amount_minor, currency, ACCEPTED)


def settled(payment_id: bytes, rail: str, nostro_iban: str, amount_minor: int, currency: str) -> Posting:
    """A payment reached its rail's finality. Settlement."""
    return _posting(payment_id, transit_out(rail), nostro(nostro_iban), amount_minor, currency, SETTLED)


def rejected(payment_id: bytes, rail: str, account: str, amount_minor: int, currency: str) -> Posting:
    """The bank rejected before settlement: the customer has his money back. Ingestion.

    Of the kind `refunded`, as are `refunded` and `unapplied`: a payment gives its money back once.
    """
    return _posting(payment_id, transit_out(rail), account, amount_minor, currency, REFUNDED)


def refunded(payment_id: bytes, rail: str, account: str, amount_minor: int, currency: str) -> Posting:
    """A settled payment was returned: the customer has his money back. Ingestion."""
    return _posting(payment_id, transit_out(rail), account, amount_minor, currency, REFUNDED)


def unapplied(payment_id: bytes, rail: str, reason: str, amount_minor: int, currency: str) -> Posting:
    """A refund for an account that is closed or unknown. Ingestion."""
    return _posting(
        payment_id, transit_out(rail), unapplied_account(reason), amount_minor, currency, REFUNDED
    )


def returned_in_settlement(
    payment_id: bytes, rail: str, nostro_iban: str, amount_minor: int, currency: str
) -> Posting:
    """A settled payment came back in full. Settlement."""
    return _posting(payment_id, nostro(nostro_iban), transit_out(rail), amount_minor, currency, RETURNED)


def returned_less_charges(
    payment_id: bytes, rail: str, nostro_iban: str, amount_minor: int, charges_minor: int, currency: str
) -> tuple[Posting, ...]:
    """A settled payment of `amount_minor` came back with `charges_minor` kept by a bank. Settlement.

    The customer gets the whole amount: the house bears the charges.
    """
    if charges_minor == 0:
        return (returned_in_settlement(payment_id, rail, nostro_iban, amount_minor, currency),)
    return (
        returned_in_settlement(payment_id, rail, nostro_iban, amount_minor - charges_minor, currency),
        _posting(payment_id, FEES, transit_out(rail), charges_minor, currency, RETURN_CHARGES),
    )


def received_in_settlement(
    entry_id: bytes, rail: str, nostro_iban: str, amount_minor: int, currency: str
) -> Posting:
    """Money came in from outside. Settlement."""
    return _posting(entry_id, nostro(nostro_iban), transit_in(rail), amount_minor, currency, RECEIVED)


def received(entry_id: bytes, rail: str, account: str, amount_minor: int, currency: str) -> Posting:
    """Money that came in reaches the customer. Ingestion."""
    return _posting(entry_id, transit_in(rail), account, amount_minor, currency, RECEIVED)


def contradicted(
    entry_id: bytes, nostro_iban: str, amount_minor: int, currency: str, reason: str = "contradicted"
) -> Posting:
    """The bank booked what our books do not expect; a break says why. Settlement.

    `amount_minor` is signed as the bank sees it: a debit (booked after a rejection) is negative, a credit
    (a second return, another amount) positive.
    """
    house, open_question = nostro(nostro_iban), suspense(reason)
    debit, credit = (house, open_question) if amount_minor > 0 else (open_question, house)
    return _posting(entry_id, debit, credit, abs(amount_minor), currency, CONTRADICTED)


def bank_adjustment(
    entry_id: bytes, account: str, nostro_iban: str, amount_minor: int, currency: str
) -> Posting:
    """An approved fee, interest or write-off between `account` (fees, suspense:…) and the bank. Settlement.

    `amount_minor` is signed as the bank sees it: a fee is negative, interest received positive.
    """
    house = nostro(nostro_iban)
    debit, credit = (house, account) if amount_minor > 0 else (account, house)
    return _posting(entry_id, debit, credit, abs(amount_minor), currency, BANK_ADJUSTMENT)


BalanceKey = tuple[int, str, str]
"""(lane, account, currency)"""


class Balances:
    """The working set of one poll. Minor units, credits minus debits; an account without a row holds zero."""

    __slots__ = ("_minor",)

    def __init__(self, minor: Mapping[BalanceKey, int] | None = None) -> None:
        self._minor: dict[BalanceKey, int] = dict(minor or {})

    def available(self, lane: int, account: str, currency: str) -> int:
        """What the account may spend now, every posting applied so far counted."""
        return self._minor.get((lane, account, currency), 0)

    def apply(self, lane: int, posting: Posting) -> None:
        """Move the posting's amount from its debit to its credit account."""
        minor = self._minor
        debit = (lane, posting.debit_account, posting.currency)
        credit = (lane, posting.credit_account, posting.currency)
        minor[debit] = minor.get(debit, 0) - posting.amount_minor
        minor[credit] = minor.get(credit, 0) + posting.amount_minor


def movements(postings: Mapping[int, Iterable[Posting]]) -> dict[BalanceKey, int]:
    """What postings, by lane, change in all; accounts that end where they began are left out."""
    changed = Balances()
    for lane, of_lane in postings.items():
        for posting in of_lane:
            changed.apply(lane, posting)
    return {key: minor for key, minor in changed._minor.items() if minor}


def check_movements(postings: Mapping[int, Iterable[Posting]], moved: Mapping[BalanceKey, int]) -> None:
    """Add the postings up once more, credits and debits apart. Raises InvariantBroken where that differs.

    It shares no line with what is checked: a sign turned there would keep every sum at nothing.
    """
    credits_minor: dict[BalanceKey, int] = defaultdict(int)
    debits_minor: dict[BalanceKey, int] = defaultdict(int)
    for lane, of_lane in postings.items():
        for _, debit_account, credit_account, amount_minor, currency, _ in of_lane:
            credits_minor[lane, credit_account, currency] += amount_minor
            debits_minor[lane, debit_account, currency] += amount_minor
    for key in {*credits_minor, *debits_minor, *moved}:
        if credits_minor.get(key, 0) - debits_minor.get(key, 0) != moved.get(key, 0):
            raise InvariantBroken(
                f"{key} would move by {moved.get(key, 0)}, which is not what its postings say"
            )
