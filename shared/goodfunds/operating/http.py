"""HTTP of the operators: the routes that every service has below /v1 beside its own."""

from fastapi import FastAPI

from goodfunds.operating import http_audit, http_digest, http_replays
from goodfunds.operating.operated import Operated


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add what operators see of a service's lanes, and ask of their owners."""
    http_replays.add_routes(app, operated)
    http_digest.add_routes(app, operated)
    http_audit.add_routes(app, operated)
