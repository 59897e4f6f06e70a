"""Logs: one JSON object a line on stdout, ISO 8601 UTC, with payment, lane and trace, accounts masked."""

import logging
import sys
from contextlib import AbstractContextManager
from typing import Any, Final, TextIO

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.processors import (
    ExceptionRenderer,
    JSONRenderer,
    TimeStamper,
    add_log_level,
)
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer

from goodfunds import ids
from goodfunds.observability.masking import mask_event

_TALKATIVE: Final = ("aiokafka", "asyncssh", "uvicorn", "asyncio", "faust", "mode")
"""Libraries that are heard from warnings upwards."""


def configure(service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Set structlog and the standard library's logging up, once, for the whole process."""
    number = logging.getLevelNamesMapping()[level.upper()]

    def name_service(_logger: Any, _method: str, event: Any) -> Any:
        event["service"] = service
        return event

    # Local variables stay out of tracebacks: they hold whole instructions.
    faults = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    shared: list[Any] = [
        merge_contextvars,
        add_log_level,
        TimeStamper(fmt="iso", utc=True, key="time"),
        name_service,
    ]
    last: list[Any] = [faults, mask_event, JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def bound(
    payment_id: bytes | None = None, lane: int | None = None, traceparent: bytes = b""
) -> AbstractContextManager[None]:
    """Put payment, lane and trace on every line logged within the `with` block."""
    found: dict[str, Any] = {}
    if payment_id is not None:
        found["payment"] = ids.text(payment_id)
    if lane is not None:
        found["lane"] = lane
    if traceparent:
        found["trace"] = trace_id(traceparent)
    return bound_contextvars(**found)


def trace_id(traceparent: bytes) -> str:
    """The trace id, 32 hex digits, of a W3C `traceparent`; empty where it is none."""
    parts = traceparent.decode("ascii", "replace").split("-")
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else ""
