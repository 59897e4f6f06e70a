"""A poll that meets a fault: whose it is decides whether an event is parked, a lane stops, or neither."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from structlog.contextvars import get_contextvars

from goodfunds import ids
from goodfunds.clock import SystemClock
from goodfunds.errors import Fenced, InvariantBroken, Misconfigured, OutOfTurn, is_retriable
from goodfunds.lanes import Emission, Poll
from goodfunds.lanes import handling as of_handling
from goodfunds.lanes.frame import OutboxRow, number, pack
from goodfunds.lanes.handling import Handling
from goodfunds.lanes.held import HeldLanes
from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import Admitted, LaneState
from goodfunds.lanes.transact import ParkedRecord
from tests.stand_ins import Consumer, Record, Service

PAYMENT = bytes(range(16))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Handler(Service):
    """Faults on the records and due rows that are in `faults`."""

    def __init__(self, faults: Mapping[Any, Exception]) -> None:
        self._faults = faults

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        for lane in poll.lanes:
            found = [*(record.value for record in poll.records.get(lane, ())), *poll.due.get(lane, ())]
            for each in found:
                if each in self._faults:
                    raise self._faults[each]
        return {}

    def payment_of(self, record: Any) -> bytes:
        return PAYMENT


class Database:
    """Stands for Postgres: runs the handler's part and keeps what was committed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.handled: dict[int, int] = {}
        self.parked: list[ParkedRecord] = []
        self.stopped: dict[int, str] = {}
        self.fenced: set[int] = set()
        self.broken: set[int] = set()
        self.proved: list[list[int]] = []
        monkeypatch.setattr(of_handling, "transact", self.transact)

    async def transact(
        self,
        connection: Connection,
        incarnation: str,
        shares: Sequence[Admitted],
        now: datetime,
        write: Any,
        parked: Sequence[ParkedRecord] = (),
        replay_id: bytes | None = None,
    ) -> list[OutboxRow]:
        lanes = {share.state.lane for share in shares}
        if lanes & self.fenced:
            raise Fenced(frozenset(lanes & self.fenced))
        if lanes & self.broken:
            raise asyncpg.IntegrityConstraintViolationError("numbers go never back")
        if write is not None:
            await write(connection)
        self.proved.append(sorted(lanes))
        for share in shares:
            share.state.offsets = share.offsets
            self.handled[share.state.lane] = self.handled.get(share.state.lane, 0) + len(share.records)
        self.parked += parked
        return []

    async def fetchval(self, statement: str, lane: int, epoch: int, reason: str, *evidence: Any) -> int:
        self.stopped[lane] = reason
        return lane


class Idle:
    """A publisher with nothing on its way."""

    def pending(self, lane: int) -> bool:
        return False


async def handled(
    monkeypatch: pytest.MonkeyPatch,
    faults: Mapping[Any, Exception],
    records: Mapping[int, Sequence[Record]],
    due: Mapping[int, list[Any]] | None = None,
) -> Database:
    database = Database(monkeypatch)
    await handling(faults, database).handle(records, due or {})
    return database


def handling(faults: Mapping[Any, Exception], database: Database, lanes: int = 3) -> Handling:
    consumer: Any = Consumer()
    held = HeldLanes(consumer)
    for lane in range(lanes):
        held.hold(LaneState(lane, 1, 1, {"in": 0}))
    connection: Any = database
    publisher: Any = Idle()
    return Handling(Handler(faults), held, connection, publisher, "i", 4, SystemClock())


def records(*values: bytes) -> list[Record]:
    return [Record(offset, value, b"%d" % offset) for offset, value in enumerate(values)]


async def test_the_log_of_a_parked_event_names_payment_lane_and_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[dict[str, Any]] = []

    class Log:
        def error(self, _event: str, **_named: object) -> None:
            told.append(get_contextvars())

    monkeypatch.setattr(of_handling, "log", Log())
    headers = [("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())]
    bad = Record(0, b"bad", b"account", headers=headers)
    await handled(monkeypatch, {b"bad": ValueError("no")}, {1: [bad]})
    (line,) = told
    assert (line["payment"], line["lane"], line["trace"]) == (ids.text(PAYMENT), 1, TRACE)


async def test_only_the_event_that_faults_is_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    polled = {0: records(b"1", b"1"), 1: records(*[b"1"] * 9, b"bad", *[b"1"] * 7)}
    found = await handled(monkeypatch, {b"bad": ValueError("on purpose")}, polled)
    assert found.handled == {0: 2, 1: 16}
    assert [(each.lane, each.record.offset, each.poison) for each in found.parked] == [(1, 9, True)]
    assert found.stopped == {}


async def test_a_broken_invariant_stops_its_lane_and_parks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    polled = {0: records(b"1"), 1: records(b"1", b"bad", b"1")}
    found = await handled(monkeypatch, {b"bad": InvariantBroken("on purpose")}, polled)
    assert found.handled == {0: 1}
    assert found.parked == []
    assert "on purpose" in found.stopped[1]


def check_violation() -> asyncpg.CheckViolationError:
    """As Postgres raises it: with the name of the constraint, which a partition's own does not have."""
    fault = asyncpg.CheckViolationError("on purpose")
    fault.constraint_name = "amount_check"
    return fault


@pytest.mark.parametrize(
    "fault", [check_violation(), asyncpg.UniqueViolationError("on purpose"),
              asyncpg.ForeignKeyViolationError("on purpose"), asyncpg.NotNullViolationError("on purpose"),
              asyncpg.IntegrityConstraintViolationError("on purpose"), AssertionError("on purpose")],
    ids=lambda fault: type(fault).__name__,
)  # fmt: skip
async def test_what_no_table_may_hold_stops_the_lane_and_is_no_events_own_fault(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    found = await handled(monkeypatch, {b"bad": fault}, {0: records(b"1"), 1: records(b"1", b"bad", b"1")})
    assert (found.handled, found.parked, set(found.stopped)) == ({0: 1}, [], {1})


async def test_an_invariant_that_lanes_break_together_and_none_alone_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of the poll was written, and each lane's own transaction proved itself."""
    told: list[str] = []

    class Log:
        def error(self, event: str, **_named: object) -> None:
            told.append(event)

    class Together(Handler):
        async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
            assert len(poll.lanes) == 1, "two lanes at once"
            return {}

    monkeypatch.setattr(of_handling, "log", Log())
    monkeypatch.setattr(__name__ + ".Handler", Together)
    found = await handled(monkeypatch, {}, {0: records(b"1"), 1: records(b"1")})
    assert (found.handled, found.parked, found.stopped) == ({0: 1, 1: 1}, [], {})
    assert told == ["invariant broken by lanes together, by none alone"]


async def test_a_lane_whose_own_row_breaks_an_invariant_stops_when_it_is_proved_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Database(monkeypatch)
    database.broken = {1}
    found = handling({}, database)
    await found.prove([LaneState(lane, 1, 1, {"in": 0}) for lane in range(3)])
    assert database.proved == [[0], [2]]
    assert "never back" in database.stopped[1]
    assert set(database.stopped) == {1}


async def test_a_due_row_that_faults_stops_its_lane_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    polled = {0: records(b"1"), 1: records(b"1")}
    found = await handled(monkeypatch, {"late": ValueError("on purpose")}, polled, {1: ["late"]})
    assert found.handled == {0: 1}
    assert found.parked == []
    assert "on purpose" in found.stopped[1]


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.ReadOnlySQLTransactionError("a standby"),
        asyncpg.IdleInTransactionSessionTimeoutError("frozen"),
        asyncpg.InvalidCachedStatementError("migrated meanwhile"),
        asyncpg.PostgresIOError("disk"),
        asyncpg.UndefinedTableError("not migrated"),
        asyncpg.UndefinedColumnError("not migrated"),
        asyncpg.UndefinedFunctionError("not migrated"),
        asyncpg.InsufficientPrivilegeError("not granted"),
        asyncpg.IndexCorruptedError("disk"),
        Misconfigured("on purpose"),
    ],
)
async def test_no_event_is_parked_for_the_state_of_the_database(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    database = Database(monkeypatch)
    with pytest.raises(type(fault)):
        await handling({b"1": fault}, database).handle({0: records(b"1", b"1"), 1: records(b"1")}, {})
    assert database.parked == []
    assert database.stopped == {}


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.ReadOnlySQLTransactionError("a standby"),
        asyncpg.IdleInTransactionSessionTimeoutError("frozen"),
        asyncpg.InvalidCachedStatementError("migrated meanwhile"),
        asyncpg.PostgresIOError("disk"),
    ],
)
def test_a_database_that_will_be_itself_again_is_tried_again(fault: Exception) -> None:
    assert is_retriable(fault)


async def test_nothing_is_published_before_its_transaction_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    committed = False
    published: list[bool] = []

    class Emitting(Handler):
        async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
            return {0: [Emission("out", 0, b"k", "Copied", b"1", b"")]}

    class Committing(Database):
        async def transact(
            self,
            connection: Any,
            incarnation: str,
            shares: Any,
            now: datetime,
            write: Any,
            parked: Any = (),
            replay_id: bytes | None = None,
        ) -> list[OutboxRow]:
            nonlocal committed
            emissions = await write(connection)
            committed = True
            return [OutboxRow(0, 1, now, *pack(number(emissions[0], {})))]

    class Publisher:
        def publish(self, state: LaneState, rows: Sequence[OutboxRow]) -> None:
            published.append(committed)

    working = handling({}, Committing(monkeypatch))
    publisher: Any = Publisher()
    working._handler, working._publisher = Emitting({}), publisher
    await working.handle({0: records(b"1")}, {})
    assert published == [True]


async def test_fenced_lanes_are_forgotten_and_the_rest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(monkeypatch)
    database.fenced = {1}
    working = handling({}, database)
    await working.handle({0: records(b"1"), 1: records(b"1"), 2: records(b"1")}, {})
    assert database.handled == {0: 1, 2: 1}
    assert working._held.states.keys() == {0, 2}
    assert working._held.missing({0, 1, 2}) == set(), "a fenced lane is taken again only after a pause"


async def test_one_fenced_lane_does_not_keep_the_others_from_their_hand_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Database(monkeypatch)
    database.fenced = {1}
    working = handling({}, database)
    await working.prove(list(working._held.states.values()))
    assert database.proved == [[0, 2]]
    await working.prove([])
    assert database.proved == [[0, 2]]


async def test_a_fault_whose_text_postgres_would_refuse_is_parked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await handled(monkeypatch, {b"bad": ValueError("\0 \ud800")}, {0: records(b"bad")})
    assert "\0" not in found.parked[0].fault
    found.parked[0].fault.encode()


class Waiting(Handler):
    """Lane 1 has to wait until lanes 0 and 2 have each handled `enough` records."""

    def __init__(self, database: Database, enough: int) -> None:
        super().__init__({})
        self._database, self._enough = database, enough

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        short = [lane for lane in (0, 2) if self._database.handled.get(lane, 0) < self._enough]
        if 1 in poll.records and (short or len(poll.records) > 1):
            raise OutOfTurn(1, f"lanes {short} come first")
        return {}


async def test_a_lane_whose_turn_comes_after_the_others_of_its_poll_is_handled_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Database(monkeypatch)
    working = handling({}, database)
    working._handler = Waiting(database, enough=1)
    await working.handle({lane: records(b"1") for lane in range(3)}, {1: ["due"]})
    assert database.proved == [[0, 1, 2], [1]]
    assert database.handled == {0: 1, 1: 1, 2: 1}
    assert working._held.states.keys() == {0, 1, 2}


async def test_a_lane_whose_turn_has_not_come_handles_what_is_due_and_is_taken_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others go on meanwhile; nothing is parked, nothing stops, and nothing of it is written."""
    database = Database(monkeypatch)
    working = handling({}, database)
    working._handler = Waiting(database, enough=2)
    await working.handle({lane: records(b"1") for lane in range(3)}, {1: ["due"]})
    assert database.handled == {0: 1, 1: 0, 2: 1}
    assert database.proved == [[0, 1, 2], [1]], "what was acknowledged is written before it is left"
    assert (database.parked, database.stopped) == ([], {})
    assert working._held.states.keys() == {0, 2}
    assert working._held.missing({0, 1, 2}) == set(), "it is taken again only after a pause"


async def test_what_an_input_was_read_to_without_a_record_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's transaction ends with an offset that no record has: the row says that it lies behind."""
    database = Database(monkeypatch)
    working = handling({}, database)
    await working.pass_over(1, "in", 7)
    assert database.proved == [[1]]
    assert working._held.states[1].offsets == {"in": 7}
    await working.pass_over(1, "in", 7)
    assert database.proved == [[1]], "nothing is written where nothing was passed over"
