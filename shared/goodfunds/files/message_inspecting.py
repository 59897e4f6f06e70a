"""Inspects a message of ISO 20022: all of it against the standard's types, its counts, sums and balances."""

from typing import BinaryIO

from goodfunds.files.inspection import Inspection
from goodfunds.files.kinds import STATEMENTS, TRANSACTIONS, kind_named
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.files.statement_facts import ReportFacts
from goodfunds.files.transaction_facts import TransactionFacts
from goodfunds.files.type_dictionary import definition
from goodfunds.files.walking import Walk
from goodfunds.files.xml import MOST_ERRORS
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_TRANSACTION_CURRENCY


def is_known(message: str) -> bool:
    """Whether such a message (`camt.053.001.08`, or its kind alone) is inspected.

    What is not read into records is so only where its very version is in the dictionary of types.
    """
    if message[:8] in (*STATEMENTS, *TRANSACTIONS):
        return True
    found = definition(message)
    return found is not None and found.name == message


def inspect(source: BinaryIO, message: str) -> Inspection:
    """What such a message (`camt.053.001.08`, or its kind alone) says, as far as it can be read.

    Valid: to the letter of the standard's message definition, with counts and sums that hold. A statement
    is readable though it may not be valid, and what contradicts itself there is a warning. A kind of message
    that is not read into records (camt.055) is checked, and has no entries.
    """
    kind = kind_named(message[:8])
    facts: ReportFacts | TransactionFacts
    facts = ReportFacts(kind) if kind.name in STATEMENTS else TransactionFacts(kind)
    walk = Walk(source, kind, facts.make)
    errors: list[FileError] = []
    try:
        for met in walk:
            facts.add(met)
        facts.close()
    except InvalidFile as fault:
        errors += fault.errors
    readable = not errors
    told = {(each.line, each.path) for each in walk.errors}
    errors = [*walk.errors, *(each for each in facts.errors if (each.line, each.path) not in told), *errors]
    if readable and walk.definition is None:
        why = (
            f"nothing is known of {walk.name} without its namespace or version: its elements were not checked"
        )
        errors.append(FileError(CONTENT_INCORRECT, 0, "", why))
    return Inspection(
        format=message,
        valid=not errors,
        readable=readable and facts.sound,
        entries=facts.entries,
        sums=facts.sums.by_currency,
        statements=tuple(facts.statements) if isinstance(facts, ReportFacts) else (),
        errors=tuple(errors[:MOST_ERRORS]),
        warnings=tuple(_warnings(facts)),
        details=facts.details,
    )


def _warnings(facts: ReportFacts | TransactionFacts) -> list[FileError]:
    warnings = list(facts.warnings)
    for currency in facts.sums.unknown:
        why = f"{currency!r} is no currency of ISO 4217 with a minor unit: counted in hundredths"
        warnings.append(FileError(INVALID_TRANSACTION_CURRENCY, 0, "", why))
    return warnings
