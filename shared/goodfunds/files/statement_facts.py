"""What a camt.052, camt.053 or camt.054 says at a glance: statements, their entries, sums and balances."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from goodfunds.files.counting import Sums, amount_at, as_decimal, is_code
from goodfunds.files.inspection import StatementFacts
from goodfunds.files.kinds import MessageKind
from goodfunds.files.leaves import Leaves, Unsound
from goodfunds.files.records import FileError
from goodfunds.files.walking import Met
from goodfunds.files.xml import MOST_ERRORS
from goodfunds.rails.reasons import CONTENT_INCORRECT, MANDATORY_ELEMENT_MISSING

_BOOKED: Final = "BOOK"
_OPENING: Final = ("OPBD", "PRCD")
_CLOSING: Final = "CLBD"

MOST_BALANCES: Final = 1_000
"""How many kinds of balances, in how many currencies, one statement may have."""
MOST_STATEMENTS: Final = 10_000
"""How many statements of one file are told; the sums are of all."""


class _Entry(NamedTuple):
    minor: int
    currency: str
    booked: bool


class _Balance(NamedTuple):
    kind: str
    minor: int
    currency: str
    has_sign: bool
    line: int


class _Head(NamedTuple):
    account: str = ""
    currency: str = ""
    entries: str = ""
    line: int = 0


class ReportFacts:
    """Counts what a walk over such a message meets. `warnings`: where a statement contradicts itself.

    `sound`: every entry could be read, and the sums are of all.
    A statement's sum is of what is booked. An intraday report or a notification is no statement: its sum is
    of all entries that it lists, pending ones and mere information too; what of it is booked is a detail.
    """

    def __init__(self, kind: MessageKind) -> None:
        self.entries = 0
        self.sound = True
        self.sums = Sums()
        self.errors: list[FileError] = []
        self.warnings: list[FileError] = []
        self.statements: list[StatementFacts] = []
        self.details: dict[str, str] = {}
        self._part = kind.group
        self._is_statement = kind.name == "camt.053"
        self._moved = Sums()
        self._begin()

    def _begin(self) -> None:
        self._in_statement = 0
        self._booked = Sums()
        self._listed = Sums()
        self._balances: dict[tuple[str, str], _Balance] = {}

    def make(self, name: str, found: Leaves) -> object:
        """The record of a part. Raises Unsound."""
        if name == "Ntry":
            if not found.stripped("CdtDbtInd"):
                why = "CdtDbtInd must be there"
                raise Unsound(MANDATORY_ELEMENT_MISSING, found.line, "CdtDbtInd", why)
            minor, currency = _signed(found)
            status = found.stripped("Sts/Cd", "Sts/Prtry", "Sts")
            return _Entry(minor, currency, (status or (_BOOKED if self._is_statement else "")) == _BOOKED)
        if name == "Bal":
            minor, currency = _signed(found)
            kind = found.stripped("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd")
            return _Balance(kind, minor, currency, bool(found.stripped("CdtDbtInd")), found.line)
        if name == "TxDtls":
            return ()
        if name == self._part:
            account = found.stripped(
                "Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id", "Acct/Id/BBAN"
            )
            currency = found.stripped("Acct/Ccy")
            told = found.stripped("TxsSummry/TtlNtries/NbOfNtries")
            return _Head(account, currency if is_code(currency) else "", told, found.line)
        if name == "GrpHdr":
            self.details["message_id"] = found.stripped("MsgId")
        return None

    def add(self, met: Met) -> None:
        """Count what was met."""
        if met.name == "Ntry":
            self.entries += 1
            self._in_statement += 1
            if isinstance(met.record, _Entry):
                self._add(met.record)
            else:
                self.sound = False
        elif isinstance(met.record, _Balance):
            if len(self._balances) < MOST_BALANCES:
                self._balances.setdefault((met.record.kind, met.record.currency), met.record)
            if not met.record.has_sign:
                self._warn(met.record.line, "Bal", f"{met.record.kind} has no CdtDbtInd: taken for a credit")
        elif met.name == self._part:
            self._end(met.record if isinstance(met.record, _Head) else _Head())

    def _add(self, entry: _Entry) -> None:
        if entry.booked:
            self._booked.add(entry.minor, entry.currency)
            self._moved.add(entry.minor, entry.currency)
        if entry.booked or not self._is_statement:
            self._listed.add(entry.minor, entry.currency)
            self.sums.add(entry.minor, entry.currency)

    def close(self) -> None:
        """The message is at its end."""
        booked = self._moved.by_currency
        if any(minor != booked.get(currency, 0) for currency, minor in self.sums.by_currency.items()):
            told = [f"{as_decimal(minor, currency):f} {currency}" for currency, minor in booked.items()]
            self.details["booked"] = ", ".join(told) or "0"
        if not self.statements:
            why = f"a {self._part} must be there"
            self.errors.append(FileError(MANDATORY_ELEMENT_MISSING, 0, self._part, why))

    def _end(self, head: _Head) -> None:
        booked, listed = self._booked.by_currency, self._listed.by_currency
        currency = self._currency(head.currency, listed)
        opening, closing = self._balance(currency, *_OPENING), self._balance(currency, _CLOSING)
        if not listed and currency:
            self.sums.add(0, currency)
        if len(self.statements) < MOST_STATEMENTS:
            self.statements.append(
                StatementFacts(
                    head.account,
                    currency,
                    self._in_statement,
                    listed.get(currency, 0),
                    None if opening is None else opening.minor,
                    None if closing is None else closing.minor,
                )
            )
        if head.entries.isdecimal() and int(head.entries[:16]) != self._in_statement:
            why = f"NbOfNtries says {head.entries[:16]}, there are {self._in_statement}"
            self._warn(head.line, "TxsSummry/TtlNtries/NbOfNtries", why)
        why = _does_not_add_up(opening, closing, booked)
        if why and closing is not None:
            self._warn(closing.line, "Bal", why)
        if head.currency and currency != head.currency:
            why = f"the account is in {head.currency}, its balances are in {currency}"
            self._warn(head.line, "Acct/Ccy", why)
        self._begin()

    def _currency(self, of_account: str, listed: Mapping[str, int]) -> str:
        """The account's, where it has a booked balance in that or none; else that of its balances."""
        booked = [of for each in (_CLOSING, *_OPENING) for kind, of in self._balances if kind == each]
        if of_account and (of_account in booked or not booked):
            return of_account
        return next(iter((*booked, *(currency for _, currency in self._balances), *listed)), of_account)

    def _balance(self, currency: str, *kinds: str) -> _Balance | None:
        """The first of these kinds: in the currency, else in any."""
        found = [each for kind in kinds for each in self._balances.values() if each.kind == kind]
        return next((each for each in found if each.currency == currency), next(iter(found), None))

    def _warn(self, line: int, path: str, message: str) -> None:
        if len(self.warnings) < MOST_ERRORS:
            self.warnings.append(FileError(CONTENT_INCORRECT, line, f"{self._part}/{path}", message))


def _does_not_add_up(opening: _Balance | None, closing: _Balance | None, booked: Mapping[str, int]) -> str:
    """How opening balance and booked entries miss the closing balance; empty where they do not."""
    if opening is None or closing is None:
        return ""
    currency = closing.currency
    if opening.currency != currency:
        return f"the opening balance is in {opening.currency}, the closing balance in {currency}"
    made = opening.minor + booked.get(currency, 0)
    if made == closing.minor or set(booked) - {currency}:
        return ""
    told, summed = as_decimal(closing.minor, currency), as_decimal(made, currency)
    return f"opening balance and entries make {summed:f}, CLBD says {told:f}"


def _signed(found: Leaves) -> tuple[int, str]:
    """The amount as it moves the account, in credit where no direction is given. Raises Unsound."""
    money = amount_at(found, "Amt")
    if money is None:
        raise Unsound(MANDATORY_ELEMENT_MISSING, found.line, "Amt", "the amount must be there")
    direction = found.stripped("CdtDbtInd")
    if direction not in ("CRDT", "DBIT", ""):
        why = f"{direction[:40]!r} is neither CRDT nor DBIT"
        raise Unsound(CONTENT_INCORRECT, found.line_at("CdtDbtInd"), "CdtDbtInd", why)
    return (-money[0] if direction == "DBIT" else money[0]), money[1]
