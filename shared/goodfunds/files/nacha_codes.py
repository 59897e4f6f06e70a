"""The code lists of NACHA files: classes, transaction codes, reasons of returns and changes, check digits.

Nacha Operating Rules, Appendix Three (Glossary of Data Elements), Four (returns) and Five (changes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

CREDIT: Final = "CRDT"
DEBIT: Final = "DBIT"

MIXED: Final = "200"
CREDITS_ONLY: Final = "220"
DEBITS_ONLY: Final = "225"
ACCOUNTING_ADVICES: Final = "280"
SERVICE_CLASSES: Final = frozenset({MIXED, CREDITS_ONLY, DEBITS_ONLY, ACCOUNTING_ADVICES})


@dataclass(frozen=True, slots=True)
class EntryClass:
    """What a Standard Entry Class allows. `directions` of its forward entries; `most_minor` cents, 0: any.

    `addenda`: the type code that forward entries may have, at least and at most how many. `counted`: the
    entry states how many. `name_first`: name and identification have changed places. `moves_money`: False
    where every amount is zero.
    """

    directions: frozenset[str] = frozenset({CREDIT, DEBIT})
    addenda: str = ""
    least_addenda: int = 0
    most_addenda: int = 0
    counted: bool = False
    name_first: bool = False
    most_minor: int = 0
    moves_money: bool = True


_DEBITS: Final = frozenset({DEBIT})
_CREDITS: Final = frozenset({CREDIT})
_CHECK: Final = EntryClass(_DEBITS, most_minor=25_000_00)
_RETURNED_CHECK: Final = EntryClass(_DEBITS, most_minor=2_500_00)

CLASSES: Final[Mapping[str, EntryClass]] = MappingProxyType(
    {
        "ACK": EntryClass(_CREDITS, "05", 0, 1, moves_money=False),
        "ADV": EntryClass(),
        "ARC": _CHECK,
        "ATX": EntryClass(_CREDITS, "05", 0, 9_999, counted=True, moves_money=False),
        "BOC": _CHECK,
        "CCD": EntryClass(addenda="05", most_addenda=1),
        "CIE": EntryClass(_CREDITS, "05", 0, 1, name_first=True),
        "COR": EntryClass(),
        "CTX": EntryClass(addenda="05", most_addenda=9_999, counted=True),
        "DNE": EntryClass(_CREDITS, "05", 1, 1, moves_money=False),
        "ENR": EntryClass(_CREDITS, "05", 1, 9_999, counted=True, moves_money=False),
        "IAT": EntryClass(),
        "MTE": EntryClass(addenda="02", least_addenda=1, most_addenda=1, name_first=True),
        "POP": _CHECK,
        "POS": EntryClass(addenda="02", least_addenda=1, most_addenda=1),
        "PPD": EntryClass(addenda="05", most_addenda=1),
        "RCK": _RETURNED_CHECK,
        "SHR": EntryClass(addenda="02", least_addenda=1, most_addenda=1),
        "TEL": EntryClass(_DEBITS),
        "TRC": EntryClass(_DEBITS),
        "TRX": EntryClass(_DEBITS, "05", 1, 9_999, counted=True),
        "WEB": EntryClass(addenda="05", most_addenda=1),
        "XCK": _RETURNED_CHECK,
    }
)
"""Standard Entry Class Code → its rules."""

LIVE: Final = "live"
RETURNED: Final = "returned"
PRENOTE: Final = "prenote"
ZERO_DOLLAR: Final = "zero dollar"
ADVICE: Final = "advice"


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """What a transaction code says. `kind`: live, returned (or a change), prenote, zero dollar, advice."""

    account: str
    direction: str
    kind: str


def _transaction_codes() -> Mapping[str, TransactionCode]:
    credit = {1: RETURNED, 2: LIVE, 3: PRENOTE, 4: ZERO_DOLLAR}
    debit = {6: RETURNED, 7: LIVE, 8: PRENOTE, 9: ZERO_DOLLAR}
    accounts = {2: "demand", 3: "savings", 4: "general ledger", 5: "loan"}
    known: dict[str, TransactionCode] = {}
    for first, account in accounts.items():
        known |= {f"{first}{last}": TransactionCode(account, CREDIT, kind) for last, kind in credit.items()}
        # A loan account is debited by reversals (55) and by the returns of those (56) alone.
        ends = {5: LIVE, 6: RETURNED} if account == "loan" else debit
        known |= {f"{first}{last}": TransactionCode(account, DEBIT, kind) for last, kind in ends.items()}
    for last in range(1, 9):
        known[f"8{last}"] = TransactionCode("accounting", CREDIT if last % 2 else DEBIT, ADVICE)
    return MappingProxyType(known)


TRANSACTION_CODES: Final = _transaction_codes()
"""Transaction Code → what it says."""


def _numbered(letter: str, *runs: tuple[int, int]) -> frozenset[str]:
    return frozenset(f"{letter}{number:02}" for first, last in runs for number in range(first, last + 1))


DISHONORED: Final = _numbered("R", (61, 62), (67, 70))
CONTESTED: Final = _numbered("R", (71, 77))
RETURN_REASONS: Final = _numbered("R", (1, 47), (50, 53), (80, 85)) | DISHONORED | CONTESTED

REFUSED_CHANGES: Final = _numbered("C", (61, 69))
CHANGE_CODES: Final = _numbered("C", (1, 9), (13, 14)) | REFUSED_CHANGES

IAT_MANDATORY: Final = tuple(str(number) for number in range(10, 17))
IAT_MOST: Final[Mapping[str, int]] = MappingProxyType({"17": 2, "18": 5})
_TYPES: Final = "ANN BUS DEP LOA MIS MOR PEN REM RLS SAL TAX ARC BOC IAT MTE POP POS RCK SHR TEL WEB"
IAT_TRANSACTION_TYPES: Final = frozenset(_TYPES.split())


def is_digits(text: str) -> bool:
    """Whether all of it, and there is some, is ASCII digits."""
    return text.isascii() and text.isdigit()


def check_digit(routing: str) -> str:
    """The ninth digit for the first eight of a routing number: weights 3, 7, 1 (Glossary, Check Digit)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(routing[:8], (3, 7, 1, 3, 7, 1, 3, 7), strict=True)
    )
    return str(-total % 10)


def is_routing_number(text: str) -> bool:
    """Whether it is nine digits of which the last is the check digit of the others."""
    return len(text) == 9 and is_digits(text) and check_digit(text) == text[8]
