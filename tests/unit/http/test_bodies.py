"""Bodies: of the right kind, no larger than is taken however they come, in time; JSON to the letter."""

import asyncio
import io
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import pytest
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from goodfunds.http.bodies import parse, receive
from goodfunds.observability.http import Problem

TYPES = ("application/json",)


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount_minor: int = Field(ge=1)
    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f]+$")]
    on: date = date(2026, 3, 3)


def request(parts: list[bytes], headers: dict[str, str], wait: Callable[[], Any] | None = None) -> Request:
    left = list(parts)

    async def next_part() -> dict[str, Any]:
        if not left and wait is not None:
            await wait()
        body = left.pop(0) if left else b""
        return {"type": "http.request", "body": body, "more_body": bool(left) or wait is not None}

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, next_part)


async def status_of(asked: Request, largest: int = 10, seconds: float = 5.0) -> int:
    with pytest.raises(Problem) as refused:
        await receive(asked, io.BytesIO(), largest, seconds, TYPES)
    return refused.value.status


async def test_a_body_is_received_as_it_comes() -> None:
    into = io.BytesIO()
    await receive(request([b"123", b"4567", b"890"], {"Content-Type": TYPES[0]}), into, 10, 5.0, TYPES)
    assert into.getvalue() == b"1234567890"


async def test_a_body_that_is_too_large_goes_no_further_whatever_it_says_of_itself() -> None:
    parts = [b"123456", b"789012"]
    for length in ("12", "2", "-1", "x", "", "9" * 5_000):
        told = {"Content-Type": TYPES[0], "Content-Length": length}
        assert await status_of(request(parts, told)) == 413
    assert await status_of(request(parts, {"Content-Type": TYPES[0]})) == 413


async def test_a_length_that_is_too_large_is_refused_before_a_byte_is_read() -> None:
    async def never() -> None:
        raise AssertionError("the body was read")

    told = {"Content-Type": TYPES[0], "Content-Length": "11"}
    assert await status_of(request([], told, never)) == 413


async def test_another_kind_of_body_or_a_packed_one_is_refused() -> None:
    for told in (
        {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonp"},
        {"Content-Type": TYPES[0], "Content-Encoding": "gzip"},
    ):  # fmt: skip
        assert await status_of(request([b"{}"], told)) == 415
    into = io.BytesIO()
    told = {"Content-Type": "Application/JSON; charset=utf-8", "Content-Encoding": "identity"}
    await receive(request([b"{}"], told), into, 10, 5.0, TYPES)


async def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    forever = asyncio.Event()
    asked = request([b"{"], {"Content-Type": TYPES[0]}, forever.wait)
    assert await status_of(asked, seconds=0.05) == 408


def errors_of(content: bytes) -> list[dict[str, Any]]:
    with pytest.raises(Problem) as refused:
        parse(content, Asked)
    assert refused.value.status == 422
    return list(refused.value.more["errors"])


def test_json_is_read_to_the_letter() -> None:
    assert parse(b'{"amount_minor": 10, "name": "Ada", "on": "2026-04-01"}', Asked).on == date(2026, 4, 1)
    for amount in (b"10.0", b"1e3", b'"10"', b"true", b"null", b"0", b"-1", b"[10]", b"1" * 5000, b"NaN"):
        errors = errors_of(b'{"amount_minor": %b, "name": "Ada"}' % amount)
        assert errors[0]["pointer"] in ("/amount_minor", ""), amount
    for on in (b'"2026-W10-1"', b'"2026-04-01T00:00:00"', b"20260401", b'"1774994400"', b'"01.04.2026"'):
        assert errors_of(b'{"amount_minor": 1, "name": "Ada", "on": %b}' % on), on


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"amount_minor": 1}', b"{'a': 1}", b"[" * 100_000,
     b'{"amount_minor": 1, "amount_minor": 1000, "name": "Ada"}', b'{"amount_minor": 1, "name": "A", "x": 1}',
     b'{"amount_minor": 1, "name": "\\u0000"}', b'{"amount_minor": 1, "name": "\\ud800"}',
     '{"amount_minor": 1, "name": "Ada"}'.encode("utf-16")],
)  # fmt: skip
def test_what_is_no_such_object_is_refused_with_the_place(content: bytes) -> None:
    assert errors_of(content)


def test_all_that_is_wrong_is_told_at_once_and_what_was_sent_is_not_echoed() -> None:
    errors = errors_of(b'{"amount_minor": "DE89370400440532013000", "name": 7, "more": "secret"}')
    assert [each["pointer"] for each in errors] == ["/amount_minor", "/name", "/more"]
    assert "DE89" not in str(errors)
    assert "secret" not in str(errors)
