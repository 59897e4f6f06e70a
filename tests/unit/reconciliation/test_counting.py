"""The second reader through rebalances and restarts: a total is gone on with, or not touched at all."""

from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from sys import getsizeof
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfunds.events.types import decode
from goodfunds.events.wire import long
from services.reconciliation.control_totals import READ, ControlTotals
from services.reconciliation.counted_polls import PollReader, events
from services.reconciliation.totals import Book, Schemas, Total, TotalKey, Unreadable, from_total_event, money
from tests.integration.reconciliation.scene import returned, submitted

SCHEMAS = Schemas(Path(__file__).parents[3] / "schemas")
TOPIC = READ[1]
RETURNED = returned(1, 100)
DAYS = (RETURNED.booking_date - date(1970, 1, 1)).days


def key(partition: int) -> TotalKey:
    return TotalKey(TOPIC, partition, "settlement.a", partition, "PaymentSubmitted", "EUR")


def poll(partition: int, seq: int) -> Any:
    """A poll of one record."""
    headers = [("producer", b"settlement.a"), ("lane", b"%d" % partition), ("seq", b"%d" % seq)]
    record = SimpleNamespace(
        topic=TOPIC, partition=partition, offset=seq, headers=headers, value=submitted(seq, 100).encode()
    )
    return SimpleNamespace(message=record, value=PollReader(SCHEMAS)([record]))


class Target:
    """The control-totals topic: what was published, and what happens while it is."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.totals: dict[TotalKey, Total] = {}
        self._meanwhile = meanwhile

    async def send(self, *, key: bytes, value: bytes, partition: int) -> Any:
        self._meanwhile()
        name, total = from_total_event(SCHEMAS.decode(value)[1])
        assert partition == name.partition
        self.totals[name] = total

        async def sent() -> None:
            pass

        return sent()


class Reader(ControlTotals):
    """A second reader that goes on from 40 events of 4,000 minor units in each partition."""

    def __init__(self, while_restoring: Callable[["Reader"], None] = lambda _: None) -> None:
        super().__init__("", SCHEMAS)
        self.restored: list[int] = []
        self._while_restoring = while_restoring

    async def _restore(self, partition: int) -> None:
        if partition not in self._ready:
            self.restored.append(partition)
            self._book.restore(key(partition), Total(40, 4_000, 40, 40))
            self._ready.add(partition)
            self._while_restoring(self)


async def test_a_partition_that_a_rebalance_takes_while_another_is_restored_is_not_counted_from_nothing() -> (
    None
):
    def rebalance_once(reader: Reader) -> None:
        if len(reader.restored) == 2:
            reader._forget({reader.restored[0]})

    reader, target = Reader(rebalance_once), Target()
    await reader._take([poll(0, 41), poll(1, 41)], target)
    assert {name.partition: total.count for name, total in target.totals.items()} == {0: 41, 1: 41}
    assert len(reader.restored) == 3


async def test_totals_that_a_rebalance_takes_while_they_are_sent_are_sent_as_they_were() -> None:
    reader = Reader()
    target = Target(lambda: reader._forget({0, 1}))
    await reader._take([poll(0, 41), poll(1, 41)], target)
    assert {name.partition: total.count for name, total in target.totals.items()} == {0: 41, 1: 41}


def test_an_event_is_counted_once_and_the_newest_published_total_is_gone_on_from() -> None:
    book = Book()
    assert [book.add(key(0), seq, seq, 100) for seq in (1, 2, 2, 1, 3)] == [True, True, False, False, True]
    assert book.totals == {key(0): Total(3, 300, 3, 3)}
    for total in (Total(2, 200, 2, 2), Total(4, 400, 4, 4), Total(1, 100, 1, 1)):
        book.restore(key(0), total)
    assert book.totals == {key(0): Total(4, 400, 4, 4)}


def _record(seq: bytes, offset: int, amount: int, producer: bytes = b"settlement.a") -> Any:
    headers = [("producer", producer), ("lane", b"0"), ("seq", seq), ("ce_type", b"PaymentSubmitted")]
    return SimpleNamespace(
        topic=TOPIC, partition=0, offset=offset, headers=headers, value=submitted(1, amount).encode()
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"settlement.a", b"settlement.b"]), st.integers(0, 30), st.integers(0, 999)
        ),
        max_size=30,
    ),
    st.integers(1, 30),
)
def test_polls_that_are_read_as_they_come_count_what_their_events_count_one_by_one(
    found: list[tuple[bytes, int, int]], size: int
) -> None:
    records = [
        _record(b"%d" % seq, offset, amount, producer) for offset, (producer, seq, amount) in enumerate(found)
    ]
    one_by_one, reader = Book(), Reader()
    for record, (producer, seq, amount) in zip(records, found, strict=True):
        name = TotalKey(TOPIC, 0, producer.decode(), 0, "PaymentSubmitted", "EUR")
        one_by_one.add(name, seq, record.offset, amount)
    for first in range(0, len(records), size):
        reader._count(TOPIC, 0, PollReader(SCHEMAS)(records[first : first + size]))
    assert reader._book.totals == one_by_one.totals


def test_of_a_poll_that_waits_three_numbers_an_event_are_kept_and_not_its_records() -> None:
    (numbers,) = PollReader(SCHEMAS)([_record(b"%d" % seq, seq, 100) for seq in range(1, 1_001)]).values()
    assert isinstance(numbers, array)
    # As many again at most, for an array grows ahead of what is put into it.
    assert getsizeof(numbers) < 2 * 1_000 * 3 * 8


@pytest.mark.parametrize("seq", [b"-1", b"%d" % 2**63, b"9" * 30, b"one"])
def test_an_event_whose_seq_is_none_is_left_out_and_the_others_count(seq: bytes) -> None:
    poll = PollReader(SCHEMAS)([_record(b"1", 0, 7), _record(seq, 1, 7), _record(b"2", 2, 7)])
    assert [list(events(numbers)) for numbers in poll.values()] == [[(1, 0, 7), (2, 2, 7)]]


def test_what_a_restart_went_on_from_is_published_anew_with_all_of_its_partition() -> None:
    book = Book()
    for partition in (0, 1):
        book.restore(key(partition), Total(40, 4_000, 40, 40))
    assert book.moved() == []
    book.touch(1)
    assert book.moved() == [key(1)]


def test_what_an_earlier_schema_wrote_is_counted_too() -> None:
    written = RETURNED.encode()
    assert written[:5] == (30).to_bytes(5, "big")
    no_booking_date = (13).to_bytes(5, "big") + written[5 : -len(long(DAYS))]
    name, fields = SCHEMAS.decode(no_booking_date)
    assert (name, money(fields)) == ("PaymentReturned", (100, "EUR"))
    assert decode(no_booking_date) == replace(RETURNED, booking_date=date(1970, 1, 1))


@pytest.mark.parametrize("number", sorted(SCHEMAS._by_id))
@settings(max_examples=20)  # of each of some thirty schemas
@given(data=st.data())
def test_the_short_way_to_the_money_ends_where_reading_all_of_it_ends(number: int, data: Any) -> None:
    name, schema = SCHEMAS._by_id[number]
    fields = data.draw(_avro(schema, {}))
    target = BytesIO()
    fastavro.schemaless_writer(target, schema, fields)
    wire = b"\0" + number.to_bytes(4, "big") + target.getvalue()
    assert SCHEMAS.money(wire) == (name, *money(SCHEMAS.decode(wire)[1]))


def test_an_event_that_breaks_off_before_its_money_is_not_readable() -> None:
    wire = submitted(1, 100).encode()
    for length in (4, 5, 20, 45):
        with pytest.raises(Unreadable):
            SCHEMAS.money(wire[:length])


def _avro(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a schema."""
    if isinstance(schema, str):
        schema = named.get(schema, {"type": schema})
    kind = schema["type"]
    if isinstance(kind, dict):
        return _avro(kind, named)
    if "name" in schema:
        named[schema["name"]] = schema
    if kind == "record":
        return st.fixed_dictionaries({each["name"]: _avro(each["type"], named) for each in schema["fields"]})
    return {
        "string": st.text(max_size=200),
        "bytes": st.binary(max_size=9),
        "fixed": st.binary(min_size=schema.get("size", 0), max_size=schema.get("size", 0)),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "boolean": st.booleans(),
        "array": st.deferred(lambda: st.lists(_avro(schema["items"], named), max_size=3)),
        "enum": st.deferred(lambda: st.sampled_from(schema["symbols"])),
    }[kind]
