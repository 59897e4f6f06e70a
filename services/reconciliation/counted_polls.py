"""What a poll comes to for the totals: of each event three numbers, so that no record need be kept."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from prometheus_client import Counter

from services.reconciliation.totals import Schemas, Unreadable, origin

log = structlog.get_logger(__name__)

UNREADABLE = Counter("goodfunds_control_totals_unreadable_total", "Events that it could not read", ["topic"])


CountedPoll = Mapping[tuple[str, int, str, str], "array[int]"]
"""By producer, its lane, event type and currency, of the events in order: seq, offset, minor units, seq, …"""


class PollReader:
    """Reads polls. What cannot be read is told and left out."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def __call__(self, records: Sequence[Any]) -> CountedPoll:
        """The numbers of a partition's records, some 24 bytes each where a record takes 2,500."""
        found: dict[tuple[str, int, str, str], array[int]] = {}
        for record in records:
            try:
                producer, lane, seq = origin(dict(record.headers))
                event_type, amount, currency = self._schemas.money(record.value or b"")
            except Unreadable as fault:
                UNREADABLE.labels(record.topic).inc()
                log.warning(
                    "event not counted", topic=record.topic, partition=record.partition, offset=record.offset,
                    fault=str(fault),
                )  # fmt: skip
                continue
            numbers = found.get((producer, lane, event_type, currency))
            if numbers is None:
                numbers = found[producer, lane, event_type, currency] = array("q")
            numbers.extend((seq, record.offset, amount))
        return found


def events(numbers: "array[int]") -> Iterator[tuple[int, int, int]]:
    """(seq, offset, minor units) of each event."""
    each = iter(numbers)
    return zip(each, each, each, strict=True)
