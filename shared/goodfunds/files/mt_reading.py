"""Reads statement messages: MT940 customer statement, MT941 balance report, MT942 interim report, MT950."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from goodfunds.files import mt_mapping as mapping
from goodfunds.files.decoding import refusal
from goodfunds.files.findings import Findings
from goodfunds.files.mt_details import read_details
from goodfunds.files.mt_kind import STATEMENT_KINDS
from goodfunds.files.mt_mandatory import check_beginning, check_end
from goodfunds.files.mt_movements import Movements, check_currencies
from goodfunds.files.mt_pages import Pages
from goodfunds.files.mt_records import Balance, EntriesTotal, Statement, StatementEnd, StatementLine
from goodfunds.files.mt_statement_fields import KIND, LONGEST_FIELD, MESSAGE_END, Field, statement_fields
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT, INVALID_TRANSACTION_CURRENCY

Record = Statement | StatementLine | StatementEnd

MOST_OF_A_KIND: Final = 1000
"""Forward balances and totals of one message that are held."""

_NUMBER: Final = re.compile(r"\s*([0-9]{1,5})(?:/([0-9]{1,5}))?\s*", re.ASCII)


@dataclass(slots=True)
class _Open:
    """The message that is being read: what stood in it so far, by the tags of its fields."""

    reference: str
    line: int
    given: dict[str, str] = field(default_factory=dict)
    opening: Balance | None = None
    floor_currency: str = ""
    statement: Statement | None = None
    entry: StatementLine | None = None
    texts: list[str] = field(default_factory=list)
    movements: Movements = field(default_factory=Movements)
    closing: Balance | None = None
    available: Balance | None = None
    forward: list[Balance] = field(default_factory=list)
    totals: list[EntriesTotal] = field(default_factory=list)
    information: list[str] = field(default_factory=list)

    @property
    def booked(self) -> Balance | None:
        """The balance whose currency is the account's."""
        return self.opening or self.closing


class Reading:
    """One reading of a file. Memory holds one entry; `lines_seen` counts fields 61, `kind` is the first."""

    def __init__(self, found: Iterable[bytes], findings: Findings) -> None:
        self._found = found
        self._findings = findings
        self._kind = ""
        self._messages = 0
        self._open: _Open | None = None
        self._pages = Pages(findings)
        self.kind = ""
        self.lines_seen = 0

    def records(self) -> Iterator[Record]:
        """All of them. Raises InvalidFile, perhaps late; what `findings` collects does not raise."""
        for found in statement_fields(self._found, self._findings):
            if found.tag == KIND:
                self._kind = found.value
            elif found.tag in (MESSAGE_END, "20"):
                yield from self._end()
                if found.tag == "20":
                    self._begin(found)
            elif self._open is not None:
                yield from self._field(self._open, found)
        yield from self._end()
        self._pages.close()
        if not self._messages:
            told = "there is no statement message: no field 20"
            self._findings.refuse(INVALID_FILE_FORMAT, 1, "20", told)

    def _begin(self, found: Field) -> None:
        self._messages += 1
        if self._kind and self._kind not in STATEMENT_KINDS:
            self._findings.refuse(INVALID_FILE_FORMAT, found.line, "", f"an {self._kind} is no statement")
        else:
            self._open = _Open(found.value.strip(), found.line)

    def _field(self, message: _Open, found: Field) -> Iterator[Record]:
        tag = found.tag
        match tag[:2]:
            case "61":
                if "62" in message.given:
                    told = "a line stands behind the closing balance: it may be of another statement"
                    self._findings.refuse(CONTENT_INCORRECT, found.line, "61", told)
                yield from self._begin_statement(message)
                yield from self._give_entry(message)
                self._begin_entry(message, found)
            case "86" | "NS":
                texts = message.information if message.entry is None else message.texts
                texts.append(found.value)
                if sum(map(len, texts)) > LONGEST_FIELD:
                    raise refusal(found.line, f"fields 86 of more than {LONGEST_FIELD} characters")
            case "60":
                self._only_one(message, "60", found)
                message.opening = mapping.balance(found, None, self._findings)
            case "62":
                self._only_one(message, "62", found)
                message.closing = mapping.balance(found, message.opening, self._findings)
                yield from self._begin_statement(message)
                yield from self._give_entry(message)
            case "64":
                message.available = mapping.balance(found, message.booked, self._findings)
            case "65":
                forward = mapping.balance(found, message.booked, self._findings)
                if forward is not None and len(message.forward) < MOST_OF_A_KIND:
                    message.forward.append(forward)
            case "34":
                self._floor_limit(message, found)
            case "90":
                yield from self._give_entry(message)
                total = mapping.entries_total(found, self._findings)
                if total is not None and len(message.totals) < MOST_OF_A_KIND:
                    message.totals.append(total)
            case "13" | "21" | "25" | "28":
                message.given[tag[:2]] = found.value
            case _:
                told = f"field {tag} is none of a statement: passed over"
                self._findings.warn(CONTENT_INCORRECT, found.line, tag, told)

    def _floor_limit(self, message: _Open, found: Field) -> None:
        """One for debits and one for credits may be there; the lines have the currency of both."""
        currency = mapping.floor_currency(found, self._findings)
        if currency and message.floor_currency not in ("", currency):
            told = f"floor limits in {message.floor_currency} and in {currency}"
            self._findings.refuse(INVALID_TRANSACTION_CURRENCY, found.line, found.tag, told)
        message.floor_currency = message.floor_currency or currency

    def _only_one(self, message: _Open, kind: str, found: Field) -> None:
        """Two messages without a field 20 between them would be taken for one."""
        if kind in message.given:
            told = f"a second field {found.tag} in one message"
            self._findings.refuse(CONTENT_INCORRECT, found.line, found.tag, told)
        message.given[kind] = found.tag

    def _begin_statement(self, message: _Open) -> Iterator[Statement]:
        """The statement, once its first entry or its closing balance is there."""
        if message.statement is not None:
            return
        kind = self._kind or ("mt942" if _is_interim(message) else "mt940")
        self.kind = self.kind or kind
        account, _, owner = message.given.get("25", "").strip().partition("\n")
        number = _NUMBER.fullmatch(message.given.get("28", ""))
        statement = Statement(
            number=self._messages,
            kind=kind,
            transaction_reference=message.reference,
            account=account.strip(),
            currency=mapping.currency_of(message.booked, message.floor_currency, account),
            related_reference=message.given.get("21", "").strip(),
            account_owner=owner.strip(),
            statement_number=number[1] if number else message.given.get("28", "").strip(),
            sequence_number=(number[2] or "") if number else "",
            created_at=message.given.get("13", "").strip(),
            opening=message.opening,
            line=message.line,
        )
        message.statement = statement
        if "28" in message.given and number is None:
            told = f"{message.given['28'][:20]!r} is no statement number"
            self._findings.warn(CONTENT_INCORRECT, message.line, "28C", told)
        check_beginning(statement, message.given, message.floor_currency, self._findings)
        yield statement

    def _begin_entry(self, message: _Open, found: Field) -> None:
        assert message.statement is not None
        self.lines_seen += 1
        message.movements.number += 1
        currency = message.statement.currency
        if not currency:
            told = "the currency is not known: no balance or floor limit has one"
            self._findings.refuse(INVALID_TRANSACTION_CURRENCY, found.line, "61", told)
            return
        near: date | None = message.opening.on if message.opening else None
        number = message.movements.number
        message.entry = mapping.statement_line(found, number, currency, near, self._findings)
        if message.entry is not None:
            message.movements.add(message.entry)

    def _give_entry(self, message: _Open) -> Iterator[StatementLine]:
        """The entry that is whole now, with its texts."""
        entry, message.entry = message.entry, None
        texts, message.texts = message.texts, []
        if entry is not None:
            information = "\n".join(texts)
            yield replace(entry, information=information, details=read_details(information))

    def _end(self) -> Iterator[Record]:
        message = self._open
        if message is None:
            return
        yield from self._begin_statement(message)
        yield from self._give_entry(message)
        self._open = None
        statement = message.statement
        assert statement is not None
        if statement.kind == "mt942":
            # Its header excuses the lack of balances in the message under it, and in no other.
            self._kind = ""
        check_end(statement, message.given, self._findings)
        others: list[Balance | EntriesTotal] = [*message.forward, *message.totals]
        if message.available is not None:
            others.append(message.available)
        check_currencies(statement, message.closing, others, self._findings)
        message.movements.check(statement, message.closing, message.totals, self._findings)
        self._pages.add(statement, message.closing)
        yield StatementEnd(
            statement=statement,
            entries=message.movements.number,
            booked_minor=message.movements.booked,
            closing=message.closing,
            available=message.available,
            forward_available=tuple(message.forward),
            totals=tuple(message.totals),
            information="\n".join(message.information),
            warnings=self._findings.fresh(),
        )


def _is_interim(message: _Open) -> bool:
    """Whether a message without headers is an MT942: floor limits or a time, and no opening balance."""
    return "60" not in message.given and bool(message.floor_currency or "13" in message.given)
