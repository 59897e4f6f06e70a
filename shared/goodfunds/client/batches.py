"""Batches of events, and the rule by which they are committed: only what the caller has finished."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from goodfunds.client.positions import Admission, Place, Position, admit_records
from goodfunds.client.received import Received
from goodfunds.errors import Gap, Misconfigured

Commit = Callable[[Mapping[Place, Position]], Awaitable[None]]
MOST_OPEN = 16
"""Batches that a caller may have read and not committed."""


@dataclass(slots=True, eq=False)
class OpenBatch:
    """A batch that was handed over; `done`: how far its partitions may be committed."""

    done: dict[Place, Position] = field(default_factory=dict)
    finished: bool = False


class OpenBatches:
    """What was handed over and is not committed, in order."""

    def __init__(self) -> None:
        self._open: deque[OpenBatch] = deque()

    def add(self) -> OpenBatch:
        """A further batch is handed over. Raises Misconfigured where too many are not finished."""
        if len(self._open) >= MOST_OPEN:
            raise Misconfigured(
                f"{MOST_OPEN} batches were read and not committed: `await batch.commit()` what is finished "
                f"before reading on"
            )
        batch = OpenBatch()
        self._open.append(batch)
        return batch

    def ready(self) -> dict[Place, Position]:
        """What may be committed now: all that is done before the first batch that is not finished."""
        ready: dict[Place, Position] = {}
        while self._open:
            ready.update(self._open[0].done)
            if not self._open[0].finished:
                break
            self._open.popleft()
        return ready


class Batch:
    """Events in order: those of a partition by offset, partitions one after the other.

    `gaps`: where events are missing before some of this batch, if the subscription flags that.
    """

    def __init__(
        self,
        events: Sequence[Received],
        admitted: Mapping[Place, Admission],
        batches: OpenBatches,
        commit: Commit,
    ) -> None:
        self.events = tuple(events)
        self.gaps: tuple[Gap, ...] = tuple(gap for each in admitted.values() for gap in each.gaps)
        self._admitted = admitted
        self._batches = batches
        self._open = batches.add()
        self._commit = commit

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Received]:
        return iter(self.events)

    async def commit(self, through: Received | None = None) -> None:
        """Tell the group that this batch is finished; with `through`, that it is up to that event.

        Batches may be finished in any order; what is committed ends before the first that is not finished,
        so that nothing unfinished is ever passed by. Events of partitions that the group has given to
        another member meanwhile stay uncommitted: they come again, there. Raises Unavailable, KafkaError.
        """
        if through is None:
            self._open.done = {place: each.after for place, each in self._admitted.items()}
            self._open.finished = True
        else:
            self._open.done = self._up_to(through)
        ready = self._batches.ready()
        if ready:
            await self._commit(ready)

    def _up_to(self, through: Received) -> dict[Place, Position]:
        if through not in self.events:
            raise Misconfigured(f"{through.topic}/{through.partition} {through.offset} is not of this batch")
        done: dict[Place, Position] = {}
        for place, each in self._admitted.items():
            if place == through.place:
                finished = [record for record in each.records if record.offset <= through.offset]
                done[place] = admit_records(place, each.before, finished, flag_gaps=True).after
                break
            done[place] = each.after
        return done
