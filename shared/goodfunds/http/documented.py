"""What a service's OpenAPI says of errors and bodies: each error is a problem (RFC 9457) with its headers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from goodfunds.observability.http import PROBLEM

_SCHEMA: Final = {"$ref": "#/components/schemas/Problem"}
_RETRY: Final = {"Retry-After": "Seconds until it is worth trying again."}
_CHALLENGE: Final = {"WWW-Authenticate": "What is wanted (RFC 6750)."}
_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: _CHALLENGE,
    403: _CHALLENGE,
    429: _RETRY,
    503: _RETRY,
}
_EVERYWHERE: Final = (401, 403, 422, 429, 500, 503)
"""Errors that any route behind the door may give."""
BODY: Final = (408, 413, 415)
"""Errors of a route that takes a body."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: the errors of every route, and these."""
    return {status: _response(status) for status in sorted({*_EVERYWHERE, *statuses})}


def headers(**described: str) -> dict[str, Any]:
    """Headers of a response; an underscore stands for a dash."""
    return {
        name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
        for name, text in described.items()
    }


def taking(*types: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its body by itself."""
    content = {each: {"schema": dict(schema)} for each in types}
    return {"requestBody": {"required": True, "content": content}}


def _response(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM: {"schema": _SCHEMA}},
    }
    named = _HEADERS.get(status)
    if named:
        told["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in named.items()
        }
    return told
