"""Logs: JSON a line, UTC, bound ids, and no account number or name in any of it."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from goodfunds import ids
from goodfunds.observability import log
from goodfunds.observability.masking import mask_account, mask_text, masked

IBAN = "DE89370400440532013000"
PAYMENT = bytes.fromhex("0198b1c2d3e47000800000000000abcd")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    log.configure("ingestion", stream=written)
    yield written
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_service_level_and_utc_time(stream: io.StringIO) -> None:
    structlog.get_logger().info("batch committed", records=250)
    (line,) = lines(stream)
    assert (line["event"], line["service"], line["level"]) == ("batch committed", "ingestion", "info")
    assert line["records"] == 250
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_payment_lane_and_trace_stand_on_every_line_of_their_block(stream: io.StringIO) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with log.bound(PAYMENT, 7, f"00-{trace}-00f067aa0ba902b7-01".encode()):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    inside, outside = lines(stream)
    assert (inside["payment"], inside["lane"], inside["trace"]) == (ids.text(PAYMENT), 7, trace)
    assert not {"payment", "lane", "trace"} & outside.keys()


@pytest.mark.parametrize("header", [b"", b"garbage", b"00-short-01-00", b"\xff\xfe"])
def test_a_malformed_traceparent_is_no_trace(header: bytes) -> None:
    assert log.trace_id(header) == ""


def test_other_libraries_speak_the_same_json_and_are_masked_too(stream: io.StringIO) -> None:
    logging.getLogger("asyncpg").warning("no such account %s", IBAN)
    logging.getLogger("aiokafka").info("chatter")
    (line,) = lines(stream)
    assert line["event"] == "no such account DE…3000"
    assert line["service"] == "ingestion"


def test_a_traceback_shows_neither_locals_nor_accounts(stream: io.StringIO) -> None:
    def fails(creditor_account: str) -> None:
        secret_of_a_local = "n" * 5 + creditor_account
        raise ValueError(f"cannot pay {creditor_account} {len(secret_of_a_local)}")

    try:
        fails(IBAN)
    except ValueError:
        structlog.get_logger().exception("fault")
    text = stream.getvalue()
    assert "ValueError" in text
    assert "cannot pay DE…3000" in text
    assert IBAN not in text
    assert "nnnnn" not in text


@dataclass(frozen=True)
class Row:
    iban: str


def test_accounts_are_masked_in_nested_values_of_every_shape(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        f"took {IBAN}",
        parts=[{"deep": (IBAN, {"deeper": f"x {IBAN} y"})}],
        row=Row(IBAN),
        fault=ValueError(IBAN),
        raw=IBAN.encode(),
        **{IBAN[:2]: IBAN},
    )
    assert IBAN not in stream.getvalue()
    assert stream.getvalue().count("DE…3000") == 7


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("account", IBAN, "DE…3000"),
        ("account", "DE89 3704 0044 0532 0130 00", "DE…3000"),
        ("debtor_account", "12345678901", "…8901"),
        ("account", "short", "…"),
        ("account", f"nostro:{IBAN}", "nostro:DE…3000"),
        ("account", "transit-out:sepa-credit", "transit-out:sepa-credit"),
        ("account", "fees", "fees"),
        ("key", b"12345678901", "…8901"),
        ("creditor_name", "Ada Lovelace", "…"),
        ("creditor_address_lines", ["Damrak 1"], "…"),
        ("debtor_name", "", ""),
        ("message_id", "GF01K9ABCDEFGHJKMNPQRSTVWXYZ", "GF01K9ABCDEFGHJKMNPQRSTVWXYZ"),
        ("reference", ids.reference(7, PAYMENT), ids.reference(7, PAYMENT)),
        ("payment", PAYMENT, ids.text(PAYMENT)),
        ("raw", b"BE68539007547034", "BE…7034"),
        ("at", datetime(2026, 11, 23, tzinfo=UTC), "2026-11-23T00:00:00+00:00"),
        ("amount_minor", 12345678901234567, 12345678901234567),
    ],
)
def test_what_a_key_shows(key: str, value: object, shown: object) -> None:
    assert masked(value, key) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"to {IBAN}.",
        f"({IBAN})",
        f"a={IBAN};b",
        "DE89 3704 0044 0532 0130 00 is",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_an_iban_is_found_anywhere_in_text(text: str) -> None:
    assert "…" in mask_text(text)
    assert "0400" not in mask_text(text)


@given(st.text())
def test_a_masked_account_shows_at_most_country_and_four_characters(account: str) -> None:
    shown = mask_account(account).replace("…", "")
    assert len(shown) <= 6


def test_a_personal_name_in_a_nested_record_is_hidden() -> None:
    assert masked({"creditor_name": "Ada", "amount_minor": 5}) == {"creditor_name": "…", "amount_minor": 5}
