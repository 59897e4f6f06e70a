"""FIN messages of all types but statements, such as MT101 and MT103: recognised, with fields and amounts.

SWIFT FIN: blocks {1:basic header}{2:application header}{3:user header}{4:text}{5:trailers}, the text's
fields each on a line of their own, `-}` its end. Nothing is sent from these, so only form and money are
looked at: a payment is refused where they are not what the standard says.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import BinaryIO, Final

from goodfunds.files import mt_grammar as grammar
from goodfunds.files.decoding import refusal
from goodfunds.files.findings import Findings
from goodfunds.files.inspection import Inspection
from goodfunds.files.mt_kind import APPLICATION_HEADER, STATEMENT_KINDS
from goodfunds.files.mt_mandatory import check_once
from goodfunds.files.mt_records import FinMessage
from goodfunds.files.records import InvalidFile
from goodfunds.files.short_dates import short_date
from goodfunds.files.text_lines import lines, pieces
from goodfunds.money import InvalidAmount, UnknownCurrency
from goodfunds.rails.reasons import (
    INVALID_AMOUNT,
    INVALID_DATE,
    INVALID_FILE_FORMAT,
    INVALID_TRANSACTION_CURRENCY,
    MANDATORY_ELEMENT_MISSING,
)

MOST_CHARACTERS: Final = 1 << 20
"""Characters of one message; SWIFT's longest has 10,000."""

MOST_HEADER: Final = 1 << 13
"""Characters before a message's text: its acknowledgement, its headers, the trailers of the one before."""

_SENDER: Final = re.compile(r"\{1:F01([A-Z0-9]{12})", re.ASCII)
_INPUT_TO: Final = re.compile(r"\{2:I[0-9]{3}([A-Z0-9]{12})", re.ASCII)
_OUTPUT_FROM: Final = re.compile(r"\{2:O[0-9]{3}[0-9]{10}([A-Z0-9]{12})", re.ASCII)
_UETR: Final = re.compile(r"\{121:([0-9a-f-]{36})\}", re.ASCII)
_FIELD: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.ASCII)
_UNDATED: Final = re.compile(r"()([A-Z]{3})(.*)", re.ASCII)
_DATED: Final = re.compile(r"([0-9]{6})([A-Z]{3})(.*)", re.ASCII)
_AMOUNTS: Final = {"32A": _DATED, "32B": _UNDATED, "32C": _DATED, "32D": _DATED}
_BULKS: Final = frozenset(("mt102", "mt104", "mt107"))
"""Their transactions, each begun by a field 21, are followed by what settles them all: 32A, or a 32B more."""


def read(source: BinaryIO) -> Iterator[FinMessage]:
    """Each message but acknowledgements. Raises InvalidFile, perhaps late: no block 4, one that is cut,

    a message without field 20 or another that its type must have, an amount that is none, a statement, which
    `mt940` reads. Holds one message.
    """
    return _read(pieces(source), Findings())


def inspect_messages(found: Iterable[bytes], kind: str) -> Inspection:
    """Of messages of other types: entries and sums are of their fields 32A, 32B, 32C and 32D.

    `valid` as far as is looked: the form, the amounts, and the fields that common types must have.
    """
    findings = Findings(collect=True)
    sums: dict[str, int] = {}
    entries = messages = 0
    try:
        for message in _read(found, findings):
            messages += 1
            for _, minor, currency in message.amounts:
                entries += 1
                sums[currency] = sums.get(currency, 0) + minor
    except InvalidFile as fault:
        findings.stop(fault)
    return Inspection(
        format=kind,
        valid=not findings.errors,
        readable=not findings.refused,
        entries=entries,
        sums=MappingProxyType(sums),
        errors=tuple(findings.errors),
        warnings=tuple(findings.warnings),
        details=MappingProxyType({"messages": str(messages)}),
    )


@dataclass(slots=True)
class _Open:
    """The message that is being read; `kind` is empty until its application header is there."""

    line: int
    header: str = ""
    kind: str = ""
    in_text: bool = False
    size: int = 0
    fields: list[tuple[str, list[str], int]] = field(default_factory=list)


def _read(found: Iterable[bytes], findings: Findings) -> Iterator[FinMessage]:
    message = _Open(1)
    seen = False
    for number, line in lines(found):
        text = line.strip("\x01\x03\x1a")
        if message.in_text and not text.startswith("-}"):
            _take(message, number, text, findings)
            continue
        if message.in_text:
            seen = True
            yield _message(message, findings)
            message, text = _Open(number), text[2:]
        if not text.strip():
            continue
        outside = _FIELD.fullmatch(text)
        if outside is not None:
            told = f"field {outside[1]} stands outside a message"
            findings.refuse(INVALID_FILE_FORMAT, number, outside[1], told)
        message.header += text
        if len(message.header) > MOST_HEADER:
            raise refusal(number, f"no text block in {MOST_HEADER} characters")
        # An acknowledgement stands before its message, so the last type that is named counts.
        kinds = APPLICATION_HEADER.findall(message.header)
        message.kind = f"mt{kinds[-1]}" if kinds else ""
        opening = message.header.rfind("{4:")
        message.in_text = bool(kinds) and opening > message.header.rfind("{2:")
        if message.in_text:
            message.line = number
            rest = message.header[opening + 3 :]
            if rest:
                _take(message, number, rest, findings)
    if message.in_text:
        told = "the message ends without `-}`: it is cut"
        findings.refuse(INVALID_FILE_FORMAT, message.line, "4", told)
        yield _message(message, findings)
    elif not seen:
        findings.refuse(INVALID_FILE_FORMAT, 1, "", "there is no message with a text block")


def _take(message: _Open, number: int, text: str, findings: Findings) -> None:
    message.size += len(text) + 1
    if message.size > MOST_CHARACTERS:
        raise refusal(number, f"a message of more than {MOST_CHARACTERS} characters")
    found = _FIELD.fullmatch(text)
    if found is not None:
        message.fields.append((found[1], [found[2]], number))
    elif message.fields:
        message.fields[-1][1].append(text)
    elif text.strip():
        told = f"{text[:40]!r} stands before the first field"
        findings.refuse(INVALID_FILE_FORMAT, number, "4", told)


def _message(message: _Open, findings: Findings) -> FinMessage:
    values = tuple((tag, "\n".join(parts).rstrip()) for tag, parts, _ in message.fields)
    reference = next((value for tag, value in values if tag == "20"), None)
    if not reference:
        findings.refuse(MANDATORY_ELEMENT_MISSING, message.line, "20", "the reference must be there")
    if message.kind in STATEMENT_KINDS:
        told = f"an {message.kind} stands among messages that are no statements: its lines are not read"
        findings.refuse(INVALID_FILE_FORMAT, message.line, "", told)
    check_once(message.kind, [tag for tag, _ in values], message.line, findings)
    header = message.header
    sender, receiver = _SENDER.findall(header), _INPUT_TO.findall(header)
    if sender and not receiver:
        # An output message: block 1 names who received it, block 2 who sent it.
        sender, receiver = _OUTPUT_FROM.findall(header), sender
    uetr = _UETR.findall(header)
    return FinMessage(
        kind=message.kind,
        sender=sender[-1] if sender else "",
        receiver=receiver[-1] if receiver else "",
        reference=reference or "",
        uetr=uetr[-1] if uetr else "",
        fields=values,
        amounts=tuple(_amounts(message, findings)),
        line=message.line,
    )


def _amounts(message: _Open, findings: Findings) -> Iterator[tuple[str, int, str]]:
    """Every amount is checked; of a bulk those of its transactions are given."""
    in_bulk, awaited = message.kind in _BULKS, False
    for tag, parts, number in message.fields:
        awaited |= tag == "21"
        if tag not in _AMOUNTS:
            continue
        found = _AMOUNTS[tag].fullmatch("\n".join(parts).rstrip())
        try:
            if found is None:
                raise InvalidAmount(f"{parts[0][:40]!r} is not what a field {tag} holds")
            minor, keeps = grammar.read_amount(found[3], found[2])
            if not keeps:
                raise InvalidAmount(f"{found[3][:40]!r} does not keep to the form of amounts")
        except InvalidAmount as fault:
            findings.refuse(INVALID_AMOUNT, number, tag, str(fault))
        except UnknownCurrency as fault:
            findings.refuse(INVALID_TRANSACTION_CURRENCY, number, tag, str(fault))
        else:
            if found[1] and short_date(found[1]) is None:
                findings.refuse(INVALID_DATE, number, tag, f"{found[1]} is no date")
            if not in_bulk or (awaited and tag == "32B"):
                yield tag, minor, found[2]
        awaited &= tag != "32B"
