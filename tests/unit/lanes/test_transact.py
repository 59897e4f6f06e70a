"""A transaction that ends badly: what its owner is told, and what its owner then remembers."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from goodfunds.errors import Fenced, InvariantBroken, OutcomeUnknown
from goodfunds.lanes.fence import unchanged
from goodfunds.lanes.records import Emission
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.transact import transact

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Transaction:
    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    async def start(self) -> None:
        pass

    async def commit(self) -> None:
        self._connection.committing.set()
        await self._connection.on_commit()

    async def rollback(self) -> None:
        if self._connection.rollback_fault is not None:
            raise self._connection.rollback_fault


class Connection:
    """Owns every lane it is asked for, except those of `lost`."""

    def __init__(self) -> None:
        self.committing = asyncio.Event()
        self.rollback_fault: Exception | None = None
        self.commit_fault: BaseException | None = None
        self.commit_waits = False
        self.terminated = False
        self.lost: set[int] = set()

    def transaction(self) -> Transaction:
        return Transaction(self)

    async def fetch(self, statement: str, lanes: list[int], *rest: Any) -> list[dict[str, int]]:
        return [{"lane": lane} for lane in lanes if lane not in self.lost]

    async def execute(self, statement: str, lanes: list[int], *rest: Any) -> str:
        return f"UPDATE {len(lanes)}"

    async def copy_records_to_table(self, *arguments: Any, **named: Any) -> None:
        pass

    async def on_commit(self) -> None:
        if self.commit_waits:
            await asyncio.Event().wait()
        if self.commit_fault is not None:
            raise self.commit_fault

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        self.terminated = True


def lane(number: int = 0) -> LaneState:
    return LaneState(number, 1, 7, {"payments": 5})


async def emit(connection: Any) -> Mapping[int, Sequence[Emission]]:
    return {0: [Emission("out", 0, b"k", "Copied", b"1", b"")]}


async def test_a_commit_that_is_cancelled_stays_cancelled_and_moves_no_memory() -> None:
    """Were it turned into a fault that is tried again, a part told to end would go on."""
    connection, state = Connection(), lane()
    connection.commit_waits = True
    running = asyncio.ensure_future(transact(connection, "i", [unchanged(state)], NOW, emit))  # type: ignore[arg-type]
    await connection.committing.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (state.version, state.outbox_seq, state.next_seq) == (7, 0, {})


@pytest.mark.parametrize("fault", [OSError("lost"), TimeoutError(), ValueError("whatever it is")])
async def test_any_fault_at_commit_leaves_the_outcome_unknown_and_moves_no_memory(fault: Exception) -> None:
    connection, state = Connection(), lane()
    connection.commit_fault = fault
    with pytest.raises(OutcomeUnknown):
        await transact(connection, "i", [unchanged(state)], NOW, emit)  # type: ignore[arg-type]
    assert (state.version, state.outbox_seq, state.next_seq) == (7, 0, {})


async def test_a_rollback_that_fails_hides_neither_the_fault_nor_a_cancellation() -> None:
    connection, state = Connection(), lane()
    connection.rollback_fault = OSError("the connection is gone")

    async def broken(connection: Any) -> Mapping[int, Sequence[Emission]]:
        raise InvariantBroken("on purpose")

    with pytest.raises(InvariantBroken):
        await transact(connection, "i", [unchanged(state)], NOW, broken)  # type: ignore[arg-type]
    assert connection.terminated

    async def waiting(connection: Any) -> Mapping[int, Sequence[Emission]]:
        connection.committing.set()
        await asyncio.Event().wait()
        return {}

    connection.committing.clear()
    running = asyncio.ensure_future(transact(connection, "i", [unchanged(state)], NOW, waiting))  # type: ignore[arg-type]
    await connection.committing.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_one_lane_that_is_not_ours_rolls_all_of_them_back() -> None:
    connection = Connection()
    connection.lost = {1}
    states = [lane(0), lane(1)]
    with pytest.raises(Fenced) as fenced:
        await transact(connection, "i", [unchanged(each) for each in states], NOW, emit)  # type: ignore[arg-type]
    assert fenced.value.lanes == {1}
    assert [state.version for state in states] == [7, 7]


async def test_events_of_a_lane_outside_the_transaction_break_the_invariant() -> None:
    async def stranger(connection: Any) -> Mapping[int, Sequence[Emission]]:
        return {3: [Emission("out", 0, b"k", "Copied", b"1", b"")]}

    with pytest.raises(InvariantBroken, match=r"\[3\]"):
        await transact(Connection(), "i", [unchanged(lane())], NOW, stranger)  # type: ignore[arg-type]
