"""What stands on the topics: in order, gapless, byte for byte what was committed, and all of it handled."""

from collections.abc import Iterator

from tests.auditor import wire
from tests.auditor.evidence import Database, Evidence, Finding, LogRecord
from tests.auditor.history import FEEDS, INSTRUCTIONS, OWN_TOPICS, History, Stream

INPUTS = {
    "ingestion": (INSTRUCTIONS, "settlement-notifications"),
    "settlement": ("payments", "bank-notifications"),
    "reconciliation": ("settlement-notifications", "bank-statements", "control-totals"),
}


def check_log(evidence: Evidence, history: History) -> Iterator[Finding]:
    """Every rule about the topics."""
    for record in history.strangers:
        yield Finding("no stranger writes our topics", record.place, "not one of the topic's producers")
    for stream, records in history.streams.items():
        yield from _sequence(stream, records)
    yield from _keys(history)
    for database in evidence.databases:
        yield from _outbox(database, history)
        yield from _lanes(evidence, database, history)


def _name(stream: Stream) -> str:
    return f"{stream.producer} lane {stream.lane} to {stream.topic}/{stream.partition}"


def _sequence(stream: Stream, records: list[tuple[int, LogRecord]]) -> Iterator[Finding]:
    """Gapless from 1; what comes again is byte-equal to what came first."""
    first: dict[int, LogRecord | None] = {}
    for seq, record in records:
        known = first.get(seq)
        if seq in first and known is None:
            yield Finding("events are in order", _name(stream), f"seq {seq} only at {record.place}")
            first[seq] = record
            continue
        if known is not None:
            same = (known.key, known.value, _type(known)) == (record.key, record.value, _type(record))
            if not same:
                yield Finding(
                    "repeats are byte-equal",
                    _name(stream),
                    f"seq {seq} at {record.place} differs from {known.place}",
                )
            continue
        expected = len(first) + 1
        if seq != expected:
            words = f"seq {seq} at {record.place}, expected {expected}"
            yield Finding("no gap in a sequence", _name(stream), words)
            # What was passed over counts as seen: one gap is one finding.
            first.update(dict.fromkeys(range(expected, seq)))
        first[seq] = record


def _type(record: LogRecord) -> bytes | None:
    return next((value for name, value in record.headers if name == "ce_type"), None)


def _keys(history: History) -> Iterator[Finding]:
    """One key is in one partition of a topic, so that its order is its partition's."""
    # Answers are keyed by the nostro and lie in their payment's lane: that key has no order to keep.
    for topic in ("payments", "settlement-notifications"):
        where: dict[bytes, int] = {}
        for (of_topic, partition), events in history.firsts.items():
            if of_topic != topic:
                continue
            for each in events:
                if each.event is None or each.event.name in ("InstructionRefused", "SettlementContradicted"):
                    continue
                known = where.setdefault(each.record.key or b"", partition)
                if known != partition:
                    words = f"key {each.record.key!r} is also in partition {known}"
                    yield Finding("a key has one partition", each.record.place, words)


def _outbox(database: Database, history: History) -> Iterator[Finding]:
    """Nothing is emitted that was not committed; nothing committed that was not emitted."""
    service = database.service
    incarnation = next((row["incarnation"] for row in database.rows("cluster")), "")
    on_topic: dict[tuple[str, int, str, int, int], list[LogRecord]] = {}
    current: dict[tuple[str, int, str, int, int], LogRecord] = {}
    for stream, records in history.streams.items():
        if FEEDS.get(stream.base, stream.base) != service:
            continue
        for seq, record in records:
            place = (stream.base, stream.lane, stream.topic, stream.partition, seq)
            on_topic.setdefault(place, []).append(record)
            if stream.producer.endswith(f".{incarnation}"):
                current[place] = record
    feed = next(name for name, of in FEEDS.items() if of == service)
    committed = set()
    last_row: dict[int, int] = {}
    for row in sorted(database.rows("outbox"), key=lambda row: (row["lane"], row["outbox_seq"])):
        lane = row["lane"]
        expected = last_row.get(lane, row["outbox_seq"] - 1) + 1
        if row["outbox_seq"] != expected:
            words = f"row {row['outbox_seq']} follows {expected - 1}"
            yield Finding("the outbox has no hole", f"{service} lane {lane}", words)
        last_row[lane] = row["outbox_seq"]
        for event in wire.frame(row):
            base = feed if lane < 0 else service
            place = (base, lane, event.topic, event.partition, event.seq)
            subject = f"{base} lane {lane} to {event.topic}/{event.partition} seq {event.seq}"
            if place in committed:
                yield Finding("an event is committed once", subject, "two outbox rows hold it")
            committed.add(place)
            found = on_topic.get(place)
            if not found:
                kind = event.event_type.decode()
                yield Finding("what is committed is emitted", subject, f"{kind} is not on its topic")
            elif all(
                (each.key, each.value, _type(each)) != (event.key, event.body, event.event_type)
                for each in found
            ):
                words = f"{found[0].place} is not what was committed"
                yield Finding("what is emitted is what was committed", subject, words)
    for place, record in current.items():
        if place not in committed:
            subject = f"{place[0]} lane {place[1]} to {place[2]}/{place[3]} seq {place[4]}"
            yield Finding("what is emitted was committed", subject, f"{record.place} is in no outbox")


def _lanes(evidence: Evidence, database: Database, history: History) -> Iterator[Finding]:
    """Offsets, watermarks and next numbers of each lane agree with the topics; no lane is stopped."""
    service = database.service
    incarnation = next((row["incarnation"] for row in database.rows("cluster")), "")
    highest: dict[tuple[str, int, str, int], int] = {}
    handed: dict[tuple[str, int], dict[str, int]] = {}
    for stream, records in history.streams.items():
        last = max(seq for seq, _ in records)
        highest[stream.producer, stream.lane, stream.topic, stream.partition] = last
        handed.setdefault((stream.topic, stream.partition), {})[f"{stream.producer}|{stream.lane}"] = last
    lanes = {row["lane"]: row for row in database.rows("lanes")}
    missing = sorted({*range(evidence.partitions)} - {*lanes})
    for lane in missing:
        yield Finding("every lane has its row", f"{service} lane {lane}", "it has none")
    feed = next(name for name, of in FEEDS.items() if of == service)
    for lane, row in sorted(lanes.items()):
        subject = f"{service} lane {lane}"
        if row["stopped_reason"] is not None:
            yield Finding("no lane is stopped", subject, row["stopped_reason"])
        if row["published_seq"] > row["outbox_seq"]:
            words = f"published {row['published_seq']}, committed {row['outbox_seq']}"
            yield Finding("only what is committed is published", subject, words)
        producer = f"{feed if lane < 0 else service}.{incarnation}"
        for place, following in row["destinations"].items():
            topic, _, partition = place.rpartition("/")
            last = highest.get((producer, lane, topic, int(partition)), 0)
            if last != following - 1:
                words = f"the next number is {following}, the topic's last is {last}"
                yield Finding("next numbers agree with the topics", f"{subject} to {place}", words)
        for place, offset in row["acknowledged"].items():
            topic, _, partition = place.rpartition("/")
            end = history.ends.get((topic, int(partition)), 0)
            if offset >= end:
                words = f"acknowledged {offset}, the topic ends at {end}"
                yield Finding("what is acknowledged is on the topic", f"{subject} to {place}", words)
        if lane < 0:
            continue
        for topic in INPUTS[service]:
            end, offset = history.ends.get((topic, lane), 0), row["offsets"].get(topic)
            # Totals go on being published while nothing moves.
            if offset != end and topic != "control-totals":
                words = f"handled up to {offset}, the topic ends at {end}"
                yield Finding("every record is handled", f"{subject} of {topic}", words)
            if topic not in OWN_TOPICS:
                continue
            for origin, last in handed.get((topic, lane), {}).items():
                mark = row["watermarks"].get(f"{topic}|{origin}", 0)
                if mark != last:
                    words = f"the watermark is {mark}, the topic's last is {last}"
                    yield Finding("watermarks agree with the topics", f"{subject} of {topic}|{origin}", words)
