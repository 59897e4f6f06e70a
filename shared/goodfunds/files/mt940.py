"""SWIFT statements, MT940, MT941, MT942 and MT950: reads a bank's account as its lines and balances."""

from collections.abc import Iterator
from itertools import chain
from types import MappingProxyType
from typing import BinaryIO, Final

from goodfunds.files.findings import Findings
from goodfunds.files.inspection import Inspection, StatementFacts
from goodfunds.files.mt_kind import HEAD, STATEMENT_KINDS, kind_of
from goodfunds.files.mt_messages import inspect_messages
from goodfunds.files.mt_reading import Reading, Record
from goodfunds.files.mt_records import StatementEnd
from goodfunds.files.records import InvalidFile
from goodfunds.files.text_lines import pieces
from goodfunds.rails.reasons import CONTENT_INCORRECT

MOST_STATEMENTS: Final = 100_000
"""Statements whose facts an inspection holds."""


def read(source: BinaryIO) -> Iterator[Record]:
    """Each message as Statement, its StatementLine records and a StatementEnd.

    Streams, lenient where no money is harmed (warnings at each end). Raises InvalidFile, perhaps late, for
    money that cannot be read, for a message without account, opening or closing balance (MT942 needs no
    balances, MT941 no opening one) or of two currencies, and for a file that is no statement or is cut.
    """
    return Reading(pieces(source), Findings()).records()


def inspect(source: BinaryIO) -> Inspection:
    """What a file of SWIFT messages says: statements here, all other types by `mt_messages`.

    `valid`: fields that must be there are, and money keeps to its grammar; banks' usual departures (longer
    texts, days such as 30 February, statements that do not add up) are warnings.
    """
    found = pieces(source)
    head = b""
    while len(head) < HEAD and (piece := next(found, b"")):
        head += piece
    kind, whole = kind_of(head), chain((head,), found)
    if kind and kind not in STATEMENT_KINDS:
        return inspect_messages(whole, kind)
    findings = Findings(collect=True)
    reading = Reading(whole, findings)
    sums: dict[str, int] = {}
    statements: list[StatementFacts] = []
    ends = 0
    try:
        for record in reading.records():
            if isinstance(record, StatementEnd):
                ends += 1
                currency = record.statement.currency
                sums[currency] = sums.get(currency, 0) + record.booked_minor
                if len(statements) < MOST_STATEMENTS:
                    statements.append(_facts(record))
    except InvalidFile as fault:
        findings.stop(fault)
    if ends > len(statements):
        told = f"there are {ends} statements: the facts of the first {len(statements)} are told"
        findings.warn(CONTENT_INCORRECT, 0, "", told)
    return Inspection(
        format=reading.kind or kind or "mt940",
        valid=not findings.errors,
        readable=not findings.refused,
        entries=reading.lines_seen,
        sums=MappingProxyType(sums),
        statements=tuple(statements),
        errors=tuple(findings.errors),
        warnings=tuple(findings.warnings),
    )


def _facts(end: StatementEnd) -> StatementFacts:
    opening = end.statement.opening
    return StatementFacts(
        account=end.statement.account,
        currency=end.statement.currency,
        entries=end.entries,
        sum_minor=end.booked_minor,
        opening_minor=opening.amount_minor if opening else None,
        closing_minor=end.closing.amount_minor if end.closing else None,
    )
