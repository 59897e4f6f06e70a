"""What caused the records of a poll: those of a replay are handled apart, and what they cause names it."""

from collections.abc import Collection, Mapping, Sequence

from goodfunds.lanes.headers import replay_of
from goodfunds.lanes.records import Record

Records = Mapping[int, Sequence[Record]]


def by_cause(records: Records, client_writable: Collection[str]) -> list[tuple[bytes | None, Records]]:
    """(replay_id or None, records) in the order of each lane; one part, where nothing is of a replay.

    What clients write counts as their own: they may set any header.
    """
    if not any(_cause(each, client_writable) for found in records.values() for each in found):
        return [(None, records)]
    parts: list[tuple[bytes | None, Records]] = []
    for lane, found in records.items():
        run: list[Record] = []
        cause: bytes | None = None
        for record in found:
            own = _cause(record, client_writable)
            if run and own != cause:
                parts.append((cause, {lane: run}))
                run = []
            cause = own
            run.append(record)
        if run:
            parts.append((cause, {lane: run}))
    return parts


def _cause(record: Record, client_writable: Collection[str]) -> bytes | None:
    return None if record.topic in client_writable else replay_of(record)
