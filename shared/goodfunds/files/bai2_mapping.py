"""From BAI2 logical records to records: which field is which."""

from collections.abc import Iterator, Sequence
from typing import NoReturn

from goodfunds.files import bai2_fields as fields
from goodfunds.files.bai2_codes import NON_MONETARY, direction, is_type_code
from goodfunds.files.bai2_fields import NotReadable
from goodfunds.files.bai2_lines import LogicalRecord
from goodfunds.files.bai2_records import (
    AccountIdentifier,
    FileHeader,
    GroupHeader,
    TransactionDetail,
)
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_AMOUNT, MANDATORY_ELEMENT_MISSING


class _Cursor:
    """The fields of a record one by one, of its continuations after its own; at last the text."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = iter(parts)
        self._rest: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._rest is None:
            self._rest = next(self._parts)
        found, comma, rest = self._rest.partition(",")
        self._rest = rest if comma else None
        return found.strip()

    def text(self) -> str:
        """All that is left, with its commas and slashes, a line for each physical record."""
        found = [] if self._rest is None else [self._rest]
        return "\n".join(each.rstrip() for each in (*found, *self._parts)).strip("\n")


def file_header(record: LogicalRecord) -> FileHeader:
    """01."""
    given = _fields(record, 8)
    return FileHeader(
        sender_identification=given[0],
        receiver_identification=given[1],
        file_creation_date=fields.read_date(given[2], "file creation date"),
        file_creation_time=given[3],
        file_identification_number=given[4],
        physical_record_length=_optional_count(given[5], "physical record length"),
        block_size=_optional_count(given[6], "block size"),
        version_number=given[7],
        line=record.line,
    )


def group_header(record: LogicalRecord) -> GroupHeader:
    """02. An as-of date must be there."""
    given = _fields(record, 7)
    as_of = fields.read_date(given[3], "as-of-date")
    if as_of is None:
        raise NotReadable(MANDATORY_ELEMENT_MISSING, "as-of-date", "the as-of-date must be there")
    return GroupHeader(
        ultimate_receiver_identification=given[0],
        originator_identification=given[1],
        group_status=given[2],
        as_of_date=as_of,
        as_of_time=given[4],
        currency=fields.read_currency(given[5], "USD"),
        as_of_date_modifier=given[6],
        line=record.line,
    )


def account_identifier(record: LogicalRecord, group_currency: str) -> AccountIdentifier:
    """03."""
    cursor = _Cursor(record.parts)
    account = next(cursor, "")
    if not account:
        raise NotReadable(MANDATORY_ELEMENT_MISSING, "account number", "the account number must be there")
    currency = fields.read_currency(next(cursor, ""), group_currency)
    return AccountIdentifier(account, currency, fields.read_summaries(cursor), line=record.line)


def transaction_detail(record: LogicalRecord, number: int) -> TransactionDetail:
    """16. An amount without a direction is refused."""
    cursor = _Cursor(record.parts)
    type_code = next(cursor, "")
    if not is_type_code(type_code):
        raise NotReadable(CONTENT_INCORRECT, "type code", f"{type_code[:40]!r} is no type code")
    stated = next(cursor, "")
    # 890 carries no money, so its amount is a field that may be left out.
    amount = 0 if not stated and type_code == NON_MONETARY else fields.read_amount(stated, "amount")
    moves = direction(type_code)
    if not moves and (amount or type_code != NON_MONETARY):
        _no_direction(type_code)
    return TransactionDetail(
        number=number,
        type_code=type_code,
        direction=moves,
        amount_minor=amount,
        funds_type=fields.read_funds_type(next(cursor, ""), cursor),
        bank_reference_number=next(cursor, ""),
        customer_reference_number=next(cursor, ""),
        text=cursor.text(),
        line=record.line,
    )


def trailer(record: LogicalRecord, names: Sequence[str]) -> tuple[int, ...]:
    """49, 98 or 99: the control total, then its counts, named for errors."""
    given = _fields(record, 1 + len(names))
    counts = [fields.read_count(text, name) for text, name in zip(given[1:], names, strict=True)]
    return (fields.read_total(given[0], "control total"), *counts)


def _fields(record: LogicalRecord, wanted: int) -> list[str]:
    """So many fields, those left out at the end empty. One more is refused unless it is empty."""
    given = record.fields
    if any(given[wanted:]):
        raise NotReadable(CONTENT_INCORRECT, "", f"{len(given)} fields, {wanted} at most have a meaning")
    return (given + [""] * wanted)[:wanted]


def _optional_count(text: str, path: str) -> int | None:
    return fields.read_count(text, path) if text else None


def _no_direction(type_code: str) -> NoReturn:
    message = f"type code {type_code} is neither a credit nor a debit"
    raise NotReadable(INVALID_AMOUNT, "type code", message)
