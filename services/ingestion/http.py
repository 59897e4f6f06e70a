"""HTTP: ingestion's routes, for clients' programs."""

from fastapi import FastAPI

from goodfunds.clock import Clock
from services.ingestion import http_files, http_payments
from services.ingestion.decisions import Decisions
from services.ingestion.instructing import Instructing
from services.ingestion.store import Pool


def add_routes(app: FastAPI, pool: Pool, clock: Clock, instructing: Instructing, largest_file: int) -> None:
    """Add ingestion's routes to its application; `largest_file` is in bytes."""
    http_payments.add_routes(app, http_payments.Payments(pool, instructing, Decisions(pool)))
    http_files.add_routes(app, pool, clock, largest_file)
