"""The floor writes what it was given, in proportion to what it has read, and each of it once."""

import pickle

from tests.bench.floor_hops import PROCESSES, TOPICS, Hop, source
from tests.bench.floor_worker import Material, Worker

_HOP = Hop("payments", ("expected",), ("told",))


def _material(total: int) -> Material:
    material = Material(_HOP, total)
    material.rows["expected"] = (["number"], list(range(total)))
    material.records["told", 3] = [(None, b"%d" % number, []) for number in range(2 * total)]
    return material


def test_rows_and_records_follow_what_was_read() -> None:
    material = _material(10)
    rows: list[int] = []
    values: list[bytes] = []
    for read in (0, 3, 3, 7, 10):
        material.read = read
        rows += [row for _, _, due in material.rows_due() for row in due]
        values += [value for _, _, due in material.records_due() for _, value, _ in due]
        assert len(rows) == read
        assert len(values) == 2 * read
    assert rows == list(range(10))
    assert values == [b"%d" % number for number in range(20)]


def test_a_hop_without_records_ends_at_once() -> None:
    material = _material(0)
    assert material.read == material.total
    assert list(material.rows_due()) == []
    assert list(material.records_due()) == []


def test_every_topic_that_a_hop_reads_is_written_by_one() -> None:
    written = {topic for process in PROCESSES.values() for hop in process.hops for topic in hop.writes}
    read = {hop.reads for process in PROCESSES.values() for hop in process.hops if hop.reads}
    assert read - written == {"payment-instructions"}
    assert set(TOPICS) == read | written


def test_lanes_and_feeds_share_no_row_of_an_outbox() -> None:
    assert source("outbox", feed=True) == "outbox WHERE lane < 0"
    assert source("outbox", feed=False) == "outbox WHERE lane >= 0"
    assert source("payments", feed=True) == "payments"


def test_what_a_process_is_told_reaches_it_as_it_is() -> None:
    worker = Worker("w", (_HOP,), False, "a", "b", "c", {"payments": {0: (1, 2)}}, {"expected": (1, 2)}, 0.5)
    assert pickle.loads(pickle.dumps(worker)) == worker
