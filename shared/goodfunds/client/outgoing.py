"""A request as it goes out: checked, in its bytes, with what a record says beside them."""

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote

from goodfunds.errors import RequestRefused
from goodfunds.rails.reasons import Refusal
from goodfunds.rails.requests import ClientRequest, account_of, written


class Outgoing(NamedTuple):
    """A request that ingestion can read. `value`: its Avro bytes on the wire; the account is the key."""

    account: str
    event_type: str
    client: str
    idempotency_key: str
    value: bytes
    traceparent: str


def prepare(request: ClientRequest, client: str, traceparent: str = "") -> Outgoing:
    """Check a request and write its bytes; one without a client is `client`'s. Raises RequestRefused."""
    if not request.client:
        request = replace(request, client=client)
    value = written(request)
    if isinstance(value, Refusal):
        raise RequestRefused(value.code, value.text, request.idempotency_key)
    return Outgoing(
        account_of(request),
        type(request).__name__,
        request.client,
        request.idempotency_key,
        value,
        traceparent,
    )


def headers(outgoing: Outgoing) -> list[tuple[str, bytes]]:
    """CloudEvents' Kafka binding 1.0.2, binary mode: the key makes the id, so that a repeat has the same."""
    found = [
        ("ce_specversion", b"1.0"),
        ("ce_type", outgoing.event_type.encode()),
        ("ce_source", f"/clients/{quote(outgoing.client)}".encode()),
        ("ce_id", outgoing.idempotency_key.encode()),
    ]
    if outgoing.traceparent:
        found.append(("traceparent", outgoing.traceparent.encode()))
    return found
