"""Reading on: follows the group's assignment, takes partitions over, polls, and lets in what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.errors import OffsetOutOfRangeError

from goodfunds.client.keepers import Keeper, Kept, Move
from goodfunds.client.members import Member
from goodfunds.client.positions import Admission, Place, Position, admit_records
from goodfunds.errors import Gap, Misconfigured, Unavailable
from goodfunds.lanes.consumer import out_of_range
from goodfunds.lanes.records import Record


@dataclass(slots=True)
class Held:
    """A partition that is ours: `stored` is where its keeper has it, `position` is behind what was read."""

    position: Position
    stored: Position
    epoch: int


class Reader:
    """Reads the partitions that the group gives to `member`, from where `keeper` has them."""

    def __init__(self, member: Member, keeper: Keeper, latest: bool, most: int, flag_gaps: bool) -> None:
        self.held: dict[Place, Held] = {}
        self._member = member
        self._keeper = keeper
        self._latest = latest
        self._most = most
        self._flag_gaps = flag_gaps
        self._skipped: dict[Place, Gap] = {}
        member.changed.set()

    async def read(self, wait_seconds: float) -> dict[Place, Admission]:
        """One poll: what of it is new, by partition; {} where nothing has come within the time.

        Raises Gap, InvariantBroken, UnreadablePartition, Misconfigured, Unavailable, KafkaError; what was
        read is read again then.
        """
        if self._member.changed.is_set():
            await self._follow()
        try:
            lanes = await self._member.poll(wait_seconds, self._most)
            if self._member.changed.is_set():
                # Of what was read some may belong to others now; all of it is read again.
                return {}
            records: dict[Place, list[Record]] = {}
            for lane, found in lanes.items():
                for record in found:
                    records.setdefault((record.topic, lane), []).append(record)
            admitted = {place: self._admit(place, found) for place, found in records.items()}
        except OffsetOutOfRangeError as fault:
            self._member.changed.set()
            await self._pass_over(fault)
            return {}
        except BaseException:
            self.again()
            raise
        for place, admission in admitted.items():
            self.held[place].position = admission.after
        return admitted

    def moves(self, admitted: Mapping[Place, Admission]) -> list[Move]:
        """The steps that storing what was read would be."""
        return [
            Move(place, self.held[place].epoch, self.held[place].stored, admission.after)
            for place, admission in admitted.items()
        ]

    def stored(self, admitted: Mapping[Place, Admission]) -> None:
        """Note that their keeper has the positions behind these."""
        for place, admission in admitted.items():
            if place in self.held:
                self.held[place].stored = admission.after

    def again(self) -> None:
        """Begin anew from what is stored: take over, seek, read."""
        self.held.clear()
        self._member.changed.set()

    def _admit(self, place: Place, records: Sequence[Record]) -> Admission:
        found = admit_records(place, self.held[place].position, records, self._flag_gaps)
        if place in self._skipped:
            found.gaps.insert(0, self._skipped.pop(place))
        return found

    async def _follow(self) -> None:
        """Hold what the group assigns. A partition that nobody else has moved meanwhile is read on."""
        member = self._member
        member.changed.clear()
        try:
            topics = member.topics
            self._check(topics)
            lanes = sorted(member.lanes())
            places = [(topic, lane) for lane in lanes for topic in topics]
            before, self.held = self.held, {}
            for place, kept in (await self._take(places)).items():
                known = before.get(place)
                read_on = known is not None and known.stored.offset == kept.position.offset
                position = known.position if known is not None and read_on else kept.position
                self.held[place] = Held(position, kept.position, kept.epoch)
            for lane in lanes:
                offsets = {topic: self.held[topic, lane].position.offset for topic in topics}
                if not member.seek(lane, offsets, topics):
                    for topic in topics:
                        del self.held[topic, lane]
        except BaseException:
            member.changed.set()
            raise

    async def _take(self, places: Sequence[Place]) -> dict[Place, Kept]:
        taken = await self._keeper.take(places)
        new = [place for place in places if place not in taken]
        if new:
            await self._keeper.create(await self._member.first(new, self._latest))
            taken.update(await self._keeper.take(new))
        return taken

    def _check(self, topics: Sequence[str]) -> None:
        counts = self._member.partition_counts()
        for topic in topics:
            if topic not in counts:
                raise Unavailable(f"topic {topic} does not exist (yet)")
        if len(set(counts.values())) > 1:
            raise Misconfigured(
                f"the topics of one subscription have the same number of partitions, these have {counts}: "
                f"read them by subscriptions of their own"
            )

    async def _pass_over(self, fault: OffsetOutOfRangeError) -> None:
        """Go on where a topic begins now, if gaps are to be flagged. Raises Gap."""
        for place, offset in out_of_range(fault).items():
            held = self.held.get((place.topic, place.partition))
            # Other offsets are of a fetch from before the seek.
            if held is None or held.position.offset != offset:
                continue
            gap = Gap(
                f"{place.topic}/{place.partition} does not have offset {offset}: events that were not "
                f"handled are gone, or the topic was made anew"
            )
            if not self._flag_gaps:
                raise gap
            of_place = (place.topic, place.partition)
            [first] = (await self._member.first([of_place], latest=False)).values()
            held.position = Position(first.offset, started_above=True)
            self._skipped[of_place] = gap
