"""The generated types say the same as a stock Avro library, in both directions, for every event."""

import io
import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.errors import Unreadable
from goodfunds.events import types
from goodfunds.events.generate import kind
from goodfunds.events.passing import (
    decode_instruction,
    split_payment_accepted,
    with_statement_id,
    wrap_accepted,
)
from goodfunds.events.schemas import read_schemas

ROOT = Path(__file__).parents[3]
SCHEMAS = read_schemas(ROOT / "schemas" / "events")
PARSED = {
    name: fastavro.parse_schema(json.loads(json.dumps(each.expanded))) for name, each in SCHEMAS.items()
}
MOST = 10**18 - 1
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "id": st.binary(min_size=16, max_size=16),
    "amount": st.integers(-MOST, MOST),
    "time": st.integers(0, 4_000_000_000_000_000),
    "date": st.dates(date(1970, 1, 1), date(2200, 1, 1)),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=90),
    "strings": st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=4).map(
        tuple
    ),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
}


def events_of(name: str) -> st.SearchStrategy[Any]:
    built = {}
    for field in SCHEMAS[name].schema["fields"]:
        of = kind(field["type"])
        built[field["name"]] = KINDS[of] if of in KINDS else events_of(of)
    return st.builds(types.BY_NAME[name], **built)


any_event = st.sampled_from(sorted(SCHEMAS)).flatmap(events_of)


def as_fastavro(event: Any) -> dict[str, Any]:
    """The event as fastavro hands it over: decimals, aware datetimes."""
    found = {}
    for field in SCHEMAS[type(event).__name__].schema["fields"]:
        value, of = getattr(event, field["name"]), kind(field["type"])
        if of == "amount":
            value = Decimal(value)
        elif of == "time":
            value = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
        elif of == "strings":
            value = list(value)
        elif of not in KINDS:
            value = as_fastavro(value)
        found[field["name"]] = value
    return found


@given(any_event)
def test_what_we_write_a_stock_library_reads(event: Any) -> None:
    read = fastavro.schemaless_reader(io.BytesIO(event.body()), PARSED[type(event).__name__], None)
    assert read == as_fastavro(event)


@given(any_event)
def test_what_a_stock_library_writes_we_read(event: Any) -> None:
    written = io.BytesIO()
    fastavro.schemaless_writer(written, PARSED[type(event).__name__], as_fastavro(event))
    prefix = b"\x00" + event.SCHEMA_ID.to_bytes(4, "big")
    assert types.decode(prefix + written.getvalue()) == event
    assert event.encode() == prefix + written.getvalue()


@given(any_event, st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_cut_or_lengthened_bytes_are_unreadable_and_nothing_worse(event: Any, cut: int, more: bytes) -> None:
    whole = event.encode()
    for broken in (whole[: cut % len(whole)], whole + more):
        with pytest.raises(Unreadable):
            types.decode(broken)


@given(st.sampled_from(sorted(types.BY_NAME)), st.binary(max_size=200))
def test_noise_under_a_known_schema_id_is_read_or_unreadable(name: str, noise: bytes) -> None:
    prefix = b"\x00" + types.BY_NAME[name].SCHEMA_ID.to_bytes(4, "big")
    try:
        event = types.decode(prefix + noise)
    except Unreadable:
        return
    assert types.decode(event.encode()) == event


@pytest.mark.parametrize(
    "data", [None, b"", b"\x00", b"\x00\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01x", b"{}"]
)
def test_what_is_no_event_is_unreadable(data: bytes | None) -> None:
    with pytest.raises(Unreadable):
        types.decode(data)


def test_an_unknown_schema_id_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="9999"):
        types.decode(b"\x00" + (9999).to_bytes(4, "big") + b"x")


@given(events_of("PaymentInstruction"), KINDS["id"], KINDS["time"])
def test_an_instruction_passes_through_unread(instruction: Any, payment_id: bytes, at: int) -> None:
    body = instruction.body()
    wrapped = wrap_accepted(payment_id, body, at)
    assert types.decode(wrapped) == types.PaymentAccepted(payment_id, instruction, at)
    assert split_payment_accepted(wrapped) == (payment_id, instruction.amount_minor, body)
    assert decode_instruction(body) == instruction


def test_the_hot_fields_of_an_accepted_payment_lie_at_fixed_places() -> None:
    accepted = SCHEMAS["PaymentAccepted"].expanded["fields"]
    assert [field["name"] for field in accepted[:2]] == ["payment_id", "instruction"]
    assert accepted[1]["type"]["fields"][0]["name"] == "amount_minor"


@pytest.mark.parametrize("name", sorted(types.BY_NAME))
def test_every_type_has_the_fields_of_its_schema_in_order(name: str) -> None:
    declared = [field.name for field in fields(types.BY_NAME[name])]
    assert declared == [field["name"] for field in SCHEMAS[name].schema["fields"]]


def test_what_an_earlier_schema_wrote_is_read_with_the_defaults_of_what_came_since() -> None:
    day = date(2026, 3, 2)
    told = (
        "EUR",
        "CRDT",
        "BOOK",
        False,
        True,
        "DE89",
        "E1",
        "",
        "B1",
        day,
        day,
        "AC04",
        "",
        "camt.054",
        "N1",
        1,
    )
    now = types.BankEntryReported(b"P" * 16, b"B" * 16, 95_00, 7, *told, charges_minor=5_00)
    earlier = b"\x00" + (20).to_bytes(4, "big") + now.encode()[5:-8]
    assert types.decode(earlier) == replace(now, charges_minor=0)
    with pytest.raises(Unreadable):
        types.decode(earlier[:-1])


@given(events_of("StatementLine"), KINDS["id"])
def test_a_line_whose_statement_is_named_afterwards_is_the_line_of_that_statement(
    line: types.StatementLine, statement_id: bytes
) -> None:
    assert with_statement_id(line.encode(), statement_id) == replace(line, statement_id=statement_id).encode()
