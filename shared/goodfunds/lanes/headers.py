"""Headers of an event: CloudEvents' Kafka binding, and the number by which a consumer finds a gap."""

from datetime import datetime

from goodfunds.errors import Unreadable
from goodfunds.lanes.frame import NumberedEvent
from goodfunds.lanes.records import Record

Headers = list[tuple[str, bytes]]


class Stamp:
    """Writes the headers of one producer's events; what all of a row share is made once."""

    def __init__(self, producer: str) -> None:
        self._producer = producer.encode()
        self._event_id = self._producer.replace(b"%", b"%%") + b"/%b/%b/%d/%b"
        self._source = b"/goodfunds/" + producer.partition(".")[0].encode()

    def headers(self, lane: int, decided_at: datetime, event: NumberedEvent) -> Headers:
        """The headers of an event. The third, fourth and fifth from `producer` on are read by place."""
        lane_text = b"%d" % lane
        seq = b"%d" % event.seq
        found = [
            ("producer", self._producer),
            ("lane", lane_text),
            ("seq", seq),
            ("ce_id", self._event_id % (lane_text, event.topic.encode(), event.partition, seq)),
            ("ce_type", event.event_type),
            ("ce_source", self._source),
            ("ce_specversion", b"1.0"),
            ("ce_time", decided_at.isoformat().encode()),
        ]  # fmt: skip
        if event.traceparent:
            found.append(("traceparent", event.traceparent))
        if event.first_time:
            found.append(("first_time", b"%d" % event.first_time))
        return found


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


def header(record: Record, name: str) -> bytes | None:
    """The first header of that name; None where there is none, or its value is null."""
    for found, value in record.headers:
        if found == name:
            return None if value is None else bytes(value)
    return None
