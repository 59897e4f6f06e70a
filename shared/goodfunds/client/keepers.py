"""Who keeps a subscription's positions: the consumer group in Kafka, or the caller's own database."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from goodfunds.client.members import Member
from goodfunds.client.positions import Place, Position, read_position
from goodfunds.client.statements import SQL, Connection, Pool


class Kept(NamedTuple):
    """A stored position; `epoch` counts the takeovers of a database's row."""

    position: Position
    epoch: int = 0


class Move(NamedTuple):
    """A step of a partition: from what its keeper has to what it shall have."""

    place: Place
    epoch: int
    stored: Position
    after: Position


class Keeper(Protocol):
    """Keeps positions of one group."""

    async def take(self, places: Sequence[Place]) -> dict[Place, Kept]:
        """Take partitions over and read where they stand; those never seen are left out."""

    async def create(self, first: Mapping[Place, Position]) -> None:
        """Store first positions where there are none."""


class GroupKeeper:
    """Kafka keeps them: offsets with the numbers beside them, for at-least-once."""

    def __init__(self, member: Member) -> None:
        self._member = member

    async def take(self, places: Sequence[Place]) -> dict[Place, Kept]:
        """Read them; the group itself sees to it that a partition has one owner. Raises Unavailable."""
        return {place: Kept(position) for place, position in (await self._member.committed(places)).items()}

    async def create(self, first: Mapping[Place, Position]) -> None:
        """Commit them: whoever begins at the end must not begin at a later end again. Raises Unavailable."""
        await self._member.commit(first)


class DatabaseKeeper:
    """The caller's Postgres keeps them, in the transaction of their effects, for exactly-once."""

    def __init__(self, pool: Pool, group: str, longest_idle: float) -> None:
        self.pool = pool
        self._group = group
        self._longest_idle = longest_idle

    async def take(self, places: Sequence[Place]) -> dict[Place, Kept]:
        """Take them over: whoever had them before is fenced. Waits for his open transaction to end."""
        taken = {}
        async with self.pool.acquire() as connection:
            for topic, partition in places:
                row = await connection.fetchrow(SQL["take_over"], self._group, topic, partition)
                if row is not None:
                    position = read_position(row["next_offset"], row["noted"])
                    taken[topic, partition] = Kept(position, row["epoch"])
        return taken

    async def create(self, first: Mapping[Place, Position]) -> None:
        """Make their rows; of two that do the first wins."""
        async with self.pool.acquire() as connection:
            await connection.execute(
                SQL["create"],
                self._group,
                [topic for topic, _ in first],
                [number for _, number in first],
                [position.offset for position in first.values()],
                [position.noted() for position in first.values()],
            )

    async def move(self, connection: Connection, moves: Sequence[Move]) -> set[Place]:
        """Move positions within the caller's transaction, first of all; those that are not ours any more.

        The rows are locked from here to the end of the transaction: nobody takes over meanwhile. Where one
        is not ours, the transaction has to be rolled back.
        """
        if not moves:
            return set()
        await connection.execute(SQL["bound"], f"{self._longest_idle * 1000:.0f}ms")
        rows = await connection.fetch(
            SQL["move"],
            self._group,
            [move.place[0] for move in moves],
            [move.place[1] for move in moves],
            [move.epoch for move in moves],
            [move.stored.offset for move in moves],
            [move.after.offset for move in moves],
            [move.after.noted() for move in moves],
        )
        return {move.place for move in moves} - {(row["topic"], row["partition"]) for row in rows}
