"""HTTP of the operators: the routes that every service has below /v1 beside its own."""

from fastapi import FastAPI

from goodfunds.operating import (
    http_audit,
    http_digest,
    http_lanes,
    http_outbox,
    http_parked,
    http_planning,
    http_replays,
)
from goodfunds.operating.operated import Operated


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add what operators see of a service's lanes, and ask of their owners."""
    for room in (
        http_lanes, http_parked, http_outbox, http_planning, http_replays, http_digest, http_audit,
    ):  # fmt: skip
        room.add_routes(app, operated)
