"""What a message of payments says at a glance: how many, how much, and whether its own totals hold."""

from dataclasses import dataclass, field
from typing import Final

from goodfunds.files.counting import Sums, amount_at
from goodfunds.files.kinds import MessageKind
from goodfunds.files.leaves import Leaves
from goodfunds.files.records import FileError
from goodfunds.files.told_totals import Counted, Told
from goodfunds.files.walking import Met
from goodfunds.files.xml import MOST_ERRORS
from goodfunds.rails.iban import has_check_digits
from goodfunds.rails.reasons import INCORRECT_ACCOUNT_NUMBER

_IBANS: Final = ("CdtrAcct/Id/IBAN", "DbtrAcct/Id/IBAN")


class _WholeGroup:
    """What means all of a group without naming its entries."""


@dataclass(frozen=True, slots=True)
class _Payment:
    """An amount, with no currency where there is none, and the first IBAN that cannot be one."""

    money: tuple[int, str]
    wrong_iban: str
    line: int = field(compare=False)


class TransactionFacts:
    """Counts what a walk over such a message meets; `errors` are those of its totals.

    `sound`: every amount could be read, and the sums are of all.
    An IBAN with wrong check digits is a warning: the schema takes it, and payment rules refuse it.
    """

    def __init__(self, kind: MessageKind) -> None:
        self.entries = 0
        self.sound = True
        self.sums = Sums()
        self.errors: list[FileError] = []
        self.warnings: list[FileError] = []
        self.details: dict[str, str] = {}
        self._kind = kind
        self._header: Told | None = None
        self._means_whole_groups = False
        self._whole = Counted()
        self._part = Counted()

    def make(self, name: str, found: Leaves) -> object:
        """The record of a part. Raises Unsound."""
        kind = self._kind
        if name == kind.entry:
            money = amount_at(found, *kind.amounts) if kind.amounts else None
            return _Payment(money or (0, ""), self._wrong_iban(found), found.line)
        if name == kind.header:
            return Told(found, kind.total)
        if name and name == kind.group:
            return Told(found)
        if name == "Assgnmt":
            self.details["message_id"] = found.stripped("Id")
        part, flag = kind.whole
        return _WholeGroup() if part == name and found.stripped(flag) in ("true", "1") else None

    def add(self, met: Met) -> None:
        """Count what was met."""
        if not met.name:
            return
        if met.name == self._kind.entry:
            payment = met.record if isinstance(met.record, _Payment) else None
            money = None if payment is None else payment.money
            self._whole.add(money)
            self._part.add(money)
            if payment is not None and payment.wrong_iban and len(self.warnings) < MOST_ERRORS:
                why = f"the check digits of {payment.wrong_iban[:40]} are wrong"
                self.warnings.append(FileError(INCORRECT_ACCOUNT_NUMBER, payment.line, met.name, why))
        elif met.name == self._kind.header and isinstance(met.record, Told):
            self._header = met.record
            if met.record.message_id:
                self.details["message_id"] = met.record.message_id
        elif isinstance(met.record, _WholeGroup):
            self._means_whole_groups = True
        elif met.name == self._kind.group:
            if isinstance(met.record, Told):
                self.errors += met.record.differences(met.name, self._part)[: MOST_ERRORS - len(self.errors)]
            self._part = Counted()
        self.entries = self._whole.count
        if self._kind.moves:
            self.sums, self.sound = self._whole.sums, self._whole.sound

    def close(self) -> None:
        """The message is at its end: its totals are checked."""
        kind, header = self._kind, self._header
        if header is None or self._means_whole_groups:
            return
        if kind.amounts or self.entries:
            self.errors += header.differences(kind.header, self._whole)
        if header.whole_group and not self.entries and header.total is not None:
            # What is given back of a group that is returned whole is told in its header alone.
            self.sums.add(*header.total)

    def _wrong_iban(self, found: Leaves) -> str:
        if not self._kind.name.startswith("pain"):
            return ""
        for path in _IBANS:
            iban = found.stripped(path)
            if iban and not (iban.isalnum() and iban.isascii() and has_check_digits(iban.upper())):
                return iban
        return ""
