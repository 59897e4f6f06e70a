"""What is committed: all that the caller has finished, and nothing past what he has not."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.client.batches import MOST_OPEN, Batch, OpenBatches
from goodfunds.client.positions import Place, Position, admit_records
from goodfunds.client.received import receive_all
from goodfunds.errors import Misconfigured
from goodfunds.events.types import PaymentSettled
from tests.unit.client.events import submitted
from tests.unit.client.records import TOPIC, record

PLACE = (TOPIC, 0)


class Group:
    """Remembers what was committed."""

    def __init__(self) -> None:
        self.batches = OpenBatches()
        self.commits: list[int] = []
        self._position = Position(0)

    def next(self, count: int) -> Batch:
        """The next so many events."""
        first = self._position.offset
        sent = [record(offset, offset + 1) for offset in range(first, first + count)]
        found = admit_records(PLACE, self._position, sent)
        self._position = found.after
        return Batch(receive_all([found]), {PLACE: found}, self.batches, self._commit)

    async def _commit(self, ready: Mapping[Place, Position]) -> None:
        position = ready[PLACE]
        assert position.numbers == {("settlement.a", "0"): position.offset}
        self.commits.append(position.offset)


async def test_a_finished_batch_is_committed_behind_its_last_event() -> None:
    group = Group()
    batch = group.next(3)
    assert [received.seq for received in batch] == [1, 2, 3]
    await batch.commit()
    assert group.commits == [3]


async def test_a_batch_is_committed_as_far_as_it_is_finished() -> None:
    group = Group()
    batch = group.next(5)
    await batch.commit(through=batch.events[1])
    await batch.commit(through=batch.events[3])
    await batch.commit()
    assert group.commits == [2, 4, 5]


async def test_an_event_of_another_batch_finishes_nothing() -> None:
    group = Group()
    first, second = group.next(1), group.next(1)
    with pytest.raises(Misconfigured):
        await first.commit(through=second.events[0])
    assert group.commits == []


# The first example pays for the imports.
@given(st.permutations(range(6)))
async def test_in_whatever_order_batches_are_finished_nothing_unfinished_is_passed_by(
    order: list[int],
) -> None:
    group = Group()
    batches = [group.next(2) for _ in order]
    finished: set[int] = set()
    for number in order:
        await batches[number].commit()
        finished.add(number)
        prefix = next((place for place in range(6) if place not in finished), 6)
        assert (group.commits[-1] if group.commits else 0) == 2 * prefix
    assert group.commits[-1] == 12


async def test_whoever_reads_on_without_committing_is_told() -> None:
    group = Group()
    for _ in range(MOST_OPEN):
        group.next(1)
    with pytest.raises(Misconfigured, match="not committed"):
        group.next(1)


def test_events_of_other_types_than_wanted_are_not_even_decoded() -> None:
    unknown = record(1, 2, headers=[("ce_type", b"Novelty")])
    sent = [record(0, 1), record(2, 3, event=submitted(3))]  # type: ignore[arg-type]
    found = admit_records(PLACE, Position(0), [sent[0], record(1, 2), sent[1]])
    found.records[1] = unknown
    assert [type(each.event) for each in receive_all([found], frozenset({"PaymentSettled"}))] == [
        PaymentSettled
    ]
