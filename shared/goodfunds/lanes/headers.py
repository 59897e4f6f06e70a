"""Headers of an event: CloudEvents' Kafka binding, and the number by which a consumer finds a gap."""

from collections.abc import Callable
from datetime import datetime

from goodfunds.errors import Unreadable
from goodfunds.ids import parse, text
from goodfunds.lanes.frame import NumberedEvent
from goodfunds.lanes.records import Record

Headers = list[tuple[str, bytes]]
_REPLAY_ID = "replay_id"


class Stamp:
    """Writes the headers of one producer's events."""

    def __init__(self, producer: str) -> None:
        self._producer = producer.encode()
        self._source = b"/goodfunds/" + producer.partition(".")[0].encode()

    def of(
        self, lane: int, decided_at: datetime, topic: str, partition: int, replay_id: bytes | None = None
    ) -> Callable[[NumberedEvent], Headers]:
        """What stamps the events of one outbox row for one destination: all that they share is made once.

        The first three headers, `producer`, `lane` and `seq`, are read by their place, and so is the last,
        `replay_id`.
        """
        first = (("producer", self._producer), ("lane", b"%d" % lane))
        last = (
            ("ce_source", self._source),
            ("ce_specversion", b"1.0"),
            ("ce_time", decided_at.isoformat().encode()),
        )
        name = b"%b/%d/%b/%d/" % (self._producer, lane, topic.encode(), partition)
        caused = () if replay_id is None else ((_REPLAY_ID, text(replay_id).encode()),)

        def headers(event: NumberedEvent) -> Headers:
            seq = b"%d" % event.seq
            found = [*first, ("seq", seq), ("ce_id", name + seq), ("ce_type", event.event_type), *last]
            if event.traceparent:
                found.append(("traceparent", event.traceparent))
            if event.first_time:
                found.append(("first_time", b"%d" % event.first_time))
            found += caused
            return found

        return headers


def origin(record: Record) -> tuple[bytes, bytes, int]:
    """(producer, producer's lane, seq) of a record from one of our own. Raises Unreadable without them."""
    headers = record.headers
    try:
        # Our own producers put these three first; anything else takes the slow way.
        if headers[0][0] == "producer" and headers[1][0] == "lane" and headers[2][0] == "seq":
            producer, lane, seq = headers[0][1], headers[1][1], headers[2][1]
        else:
            # Where a name stands twice, its first counts.
            named = dict(reversed(headers))
            producer, lane, seq = named["producer"], named["lane"], named["seq"]
        if seq.isdigit() and (number := int(seq)) > 0:
            return producer, lane, number
    except (AttributeError, IndexError, KeyError, ValueError, TypeError):
        pass
    raise Unreadable(
        f"{record.topic}/{record.partition} offset {record.offset}: producer, lane or seq is missing"
    )


def replay_of(record: Record) -> bytes | None:
    """The id of the replay that caused a record of one of our own; None of what happened by itself.

    It stands last, so that looking for it costs next to nothing. What is no id is none: no money hangs on it.
    """
    headers = record.headers
    if not headers or headers[-1][0] != _REPLAY_ID:
        return None
    try:
        return parse(headers[-1][1].decode())
    except (ValueError, AttributeError):
        return None


def header(record: Record, name: str) -> bytes | None:
    """The first header of that name; None where there is none, or its value is null."""
    for found, value in record.headers:
        if found == name:
            return None if value is None else bytes(value)
    return None
