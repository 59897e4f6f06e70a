"""Inspects a message of ISO 20022: all of it against the standard's types, its counts, sums and balances."""

from dataclasses import replace
from typing import BinaryIO, Final

from goodfunds.files import pain001
from goodfunds.files.inspection import Inspection
from goodfunds.files.kinds import STATEMENTS, TRANSACTIONS, kind_named
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.files.schema import NOT_EXPECTED
from goodfunds.files.statement_facts import ReportFacts
from goodfunds.files.transaction_facts import TransactionFacts
from goodfunds.files.type_dictionary import Definition, definition, definitions
from goodfunds.files.walking import Walk
from goodfunds.files.xml import MOST_ERRORS
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_TRANSACTION_CURRENCY

_PAYMENTS: Final = "pain.001"


def is_known(message: str) -> bool:
    """Whether such a message (`camt.053.001.08`, or its kind alone) is inspected.

    What is not read into records is so only where its very version is in the dictionary of types.
    """
    if message[:8] in (*STATEMENTS, *TRANSACTIONS):
        return True
    return _is_of(definition(message), message)


def inspect(source: BinaryIO, message: str) -> Inspection:
    """What such a message (`camt.053.001.08`, or its kind alone) says, as far as it can be read.

    Valid: to the letter of the standard's message definition, with counts and sums that hold. A version that
    the dictionary does not have is valid where one that it lies between is, else nobody here can say (None);
    a BIC makes it none of the first. A pain.001 of such a version is valid where payments are read from it. A
    warning says so. A statement is readable though it may not be valid, and what contradicts itself there is
    a warning. A kind of message that is not read into records (pacs.028) is checked, and has no entries.
    """
    place, known = source.tell(), definitions(message)
    found = _inspection(source, message, known[0] if known else None)
    if not known or _is_of(known[0], message):
        return found
    if message.startswith(_PAYMENTS):
        checked_as = "payments are read"
        if found.readable:
            source.seek(place)
            errors = _refusals(source)
            found = replace(found, valid=not errors, errors=errors)
    else:
        checked_as = " and ".join(each.name for each in known)
        if not found.valid and len(known) > 1 and not any(map(_is_of_the_first, found.errors)):
            source.seek(place)
            again = _inspection(source, message, known[1])
            found = again if again.valid else found
    why = f"{message} is not known here: checked as {checked_as}"
    return replace(found, warnings=(*found.warnings, FileError(CONTENT_INCORRECT, 0, "", why)))


def _is_of_the_first(error: FileError) -> bool:
    """Whether it is about a name that the first versions alone had: BIC is BICFI in all since 2013."""
    return error.message == f"BIC {NOT_EXPECTED}"


def _refusals(source: BinaryIO) -> tuple[FileError, ...]:
    """What the reader of payments, which knows what moves money in every version, has against a file."""
    try:
        for _ in pain001.read(source):
            pass
    except InvalidFile as fault:
        return fault.errors
    return ()


def _inspection(source: BinaryIO, message: str, checked_as: Definition | None) -> Inspection:
    kind = kind_named(message[:8])
    facts: ReportFacts | TransactionFacts
    facts = ReportFacts(kind) if kind.name in STATEMENTS else TransactionFacts(kind)
    walk = Walk(source, kind, facts.make, checked_as)
    errors: list[FileError] = []
    try:
        for met in walk:
            facts.add(met)
        facts.close()
    except InvalidFile as fault:
        errors += fault.errors
    readable = not errors and facts.sound
    told = {(each.line, each.path) for each in walk.errors}
    errors = [*walk.errors, *(each for each in facts.errors if (each.line, each.path) not in told), *errors]
    warnings = _warnings(facts)
    unnamed = walk.name == kind.name
    if readable and walk.definition is None:
        of_what = f"{walk.name} without its namespace" if unnamed else walk.name
        why = f"nothing is known of {of_what}: its elements were not checked"
        # A version of which nothing is known is not wrong for that.
        (errors if unnamed else warnings).append(FileError(CONTENT_INCORRECT, 0, "", why))
    # What another version has against a message that can be read and adds up, its own may allow.
    is_sure = unnamed or _is_of(walk.definition, walk.name) or bool(facts.errors) or not readable
    valid = (False if is_sure else None) if errors else (None if walk.definition is None else True)
    return Inspection(
        format=message,
        valid=valid,
        readable=readable,
        entries=facts.entries,
        sums=facts.sums.by_currency,
        statements=tuple(facts.statements) if isinstance(facts, ReportFacts) else (),
        errors=tuple(errors[:MOST_ERRORS]),
        warnings=tuple(warnings),
        details=facts.details,
    )


def _is_of(definition: Definition | None, message: str) -> bool:
    return definition is not None and definition.name == message


def _warnings(facts: ReportFacts | TransactionFacts) -> list[FileError]:
    warnings = list(facts.warnings)
    for currency in facts.sums.unknown:
        why = f"{currency!r} is no currency of ISO 4217 with a minor unit: counted in hundredths"
        warnings.append(FileError(INVALID_TRANSACTION_CURRENCY, 0, "", why))
    return warnings
