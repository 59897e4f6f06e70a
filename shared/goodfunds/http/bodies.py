"""Bodies of requests: of the right kind, no larger than is taken, and there in time."""

import asyncio
import json
from collections.abc import Collection
from typing import Any, BinaryIO, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from goodfunds.observability.http import Problem

Body = TypeVar("Body", bound=BaseModel)


async def receive(
    request: Request, into: BinaryIO, largest: int, seconds: float, types: Collection[str]
) -> None:
    """Write the body of a request to `into`, of `largest` bytes at most, within `seconds`.

    `types`: the media types that are taken; an empty one among them takes a request that names none. The
    size is counted as it comes, so a body that does not say how long it is goes no further than another.
    Raises Problem 408, 413, 415.
    """
    _check_kind(request, types)
    if _told_length(request) > largest:
        raise _too_large(largest)
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > largest:
                    raise _too_large(largest)
                into.write(part)
    except TimeoutError:
        detail = f"the request did not arrive within {seconds:g} seconds"
        # What may still come of it is not waited for.
        raise Problem(408, detail, headers={"Connection": "close"}) from None


def parse(content: bytes, model: type[Body]) -> Body:
    """A JSON object as its model has it. Raises Problem 422 with a pointer to each field that is wrong.

    Strict: a number is not a text, a field stands once, and what the model does not name is an error.
    """
    try:
        json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as fault:
        raise Problem(422, "the body is no JSON", errors=[{"pointer": "", "detail": str(fault)}]) from None
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as fault:
        # What was sent is not echoed: it may hold accounts and names.
        errors = [
            {"pointer": "".join(f"/{part}" for part in each["loc"]), "detail": each["msg"]}
            for each in fault.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise Problem(422, "the request is not valid", errors=errors) from None


def _check_kind(request: Request, types: Collection[str]) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in types:
        named = ", ".join(each for each in types if each)
        raise Problem(415, f"the body has to be {named}", headers={"Accept-Post": named})
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        # What is packed may be a thousand times as long unpacked.
        raise Problem(415, "the body may not be packed", headers={"Accept-Encoding": "identity"})


def _told_length(request: Request) -> int:
    told = request.headers.get("content-length", "0")
    return int(told) if told.isdecimal() and len(told) < 19 else 0


def _too_large(largest: int) -> Problem:
    return Problem(413, f"a body has at most {largest} bytes", headers={"Connection": "close"})


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice")
    return found
