"""The hold of settlement's gateway after a restore, as small steps, and every order of them searched.

One lane, its database with the gateway's rows, the topics `payments` and `bank-notifications`, and a bank.
Beside services/settlement/gateway/hold.py, found.py and handlers.py. The lane protocol is searched apart
(`checker.py`): here a transaction is one step, and what is told is there.
"""

from collections import deque
from collections.abc import Iterator
from time import monotonic
from typing import NamedTuple

from tests.model.checker import STUCK, Result

PAYMENTS = 2

NO_HOLD = "after a restore what is sealed is sent at once"
TOO_EARLY = "the folders are read while something may still arrive"
LANES_DO_NOT_WAIT = "lanes handle payments before the folders are read"
NOT_IN_TURN = "answers are handled again before the payments that they are about"
BEFORE_CAUGHT_UP = "the hold ends before the lane has handled its topics again"
NEWCOMERS = "a batch that is at the bank takes new payments"
BY_THE_CALENDAR = "a payment that comes again joins the batch that is open now"
KNOWN_NOT_LOOKED_FOR = "a file that the backup was about to send is not looked for"
RULES = (
    NO_HOLD, TOO_EARLY, LANES_DO_NOT_WAIT, NOT_IN_TURN, BEFORE_CAUGHT_UP, NEWCOMERS, BY_THE_CALENDAR,
    KNOWN_NOT_LOOKED_FOR,
)  # fmt: skip

OPEN, SEALED, CLAIMED, DELIVERING, SUBMITTED, REFUSED = range(6)
FREE, ANNOUNCED, READ = range(3)
SUBMISSION, REFUSAL = "submitted", "refused"


class Batch(NamedTuple):
    """A batch by its sequence, with its members: what a file carries of it is fixed once it is sealed."""

    number: int
    phase: int
    members: frozenset[int]
    moved: frozenset[int] = frozenset()
    heard: bool = False


class Database(NamedTuple):
    """What a backup holds. `found`: (batch, its payments) of files at the bank that it did not know."""

    payments_offset: int = 0
    notices_offset: int = 0
    batches: tuple[Batch, ...] = ()
    hold: int = FREE
    ends: tuple[int, int] = (0, 0)
    found: frozenset[tuple[int, frozenset[int]]] = frozenset()


class State(NamedTuple):
    """`flight`: a file whose rename is under way; `alive`: whoever sent it waits for the answer."""

    database: Database
    payments: int
    notices: tuple[tuple[str, int], ...]
    bank: tuple[tuple[int, frozenset[int], bool], ...]
    flight: tuple[int, frozenset[int]] | None
    alive: bool
    backup: Database | None
    restores: int
    refusals: int
    crashes: int


class Step(NamedTuple):
    """What happens, in words; whether progress may count on it; the state after it."""

    text: str
    good: bool
    state: State


def start(crashes: int, refusals: int, restores: int = 1) -> State:
    """Nothing has happened; so many faults may."""
    return State(Database(), 0, (), (), None, False, None, restores, refusals, crashes)


def steps(state: State, broken: frozenset[str]) -> Iterator[Step]:
    """Every step that can be taken."""
    yield from _world(state)
    yield from _lane(state, broken)
    yield from _gateway(state, broken)
    yield from _held(state, broken)


def _world(state: State) -> Iterator[Step]:
    if state.payments < PAYMENTS:
        yield Step(f"payment {state.payments} is accepted", True, state._replace(payments=state.payments + 1))
    if state.flight is not None:
        number, members = state.flight
        arrived = state._replace(flight=None, alive=False, bank=(*state.bank, (number, members, False)))
        if state.alive:
            done = _with(arrived, _phase(state.database, number, SUBMITTED))
            yield Step(
                f"file {number} arrives, and its sender hears of it", True, _told(done, SUBMISSION, number)
            )
            if state.crashes:
                gone = state._replace(alive=False, crashes=state.crashes - 1)
                yield Step("the sender ends, or stands still in the rename", False, gone)
        else:
            yield Step(f"file {number} arrives, and nobody hears of it", True, arrived)
            yield Step(f"file {number} never arrives", True, state._replace(flight=None))
    for place, (number, members, refused) in enumerate(state.bank):
        if state.refusals and not refused and place == len(state.bank) - 1:
            bank = (*state.bank[:place], (number, members, True))
            yield Step(f"the bank refuses file {number}", False, state._replace(
                bank=bank, refusals=state.refusals - 1
            ))  # fmt: skip
    if state.backup is None:
        yield Step("a backup is taken", False, state._replace(backup=state.database))
    elif state.restores and state.database != state.backup:
        # Announced at once: until then nobody works on it.
        older = state.backup._replace(hold=ANNOUNCED, ends=(state.payments, len(state.notices)))
        back = state._replace(database=older, alive=False, restores=state.restores - 1)
        yield Step("the backup comes back, and it is announced", False, back)


def _lane(state: State, broken: frozenset[str]) -> Iterator[Step]:
    database = state.database
    if database.hold == ANNOUNCED and LANES_DO_NOT_WAIT not in broken:
        return
    offset = database.payments_offset
    if offset < state.payments:
        joined = _join(database, offset, broken)
        yield Step(f"the lane takes payment {offset} in", True, _with(
            state, joined._replace(payments_offset=offset + 1)
        ))  # fmt: skip
    turn = offset >= database.ends[0] or NOT_IN_TURN in broken
    if database.notices_offset < len(state.notices) and turn:
        kind, number = state.notices[database.notices_offset]
        done = _heard(database, kind, number, broken)._replace(notices_offset=database.notices_offset + 1)
        yield Step(f"the lane hears that batch {number} is {kind}", True, _with(state, done))
    carried = dict(database.found)
    for batch in database.batches:
        if batch.phase == OPEN and batch.number not in carried and batch.members:
            done = _phase(database, batch.number, SEALED)
            yield Step(f"batch {batch.number} is sealed", True, _with(state, done))


def _gateway(state: State, broken: frozenset[str]) -> Iterator[Step]:
    database = state.database
    known = {number: refused for number, _, refused in state.bank}
    if database.hold == FREE or NO_HOLD in broken:
        for batch in database.batches:
            if batch.phase == SEALED:
                after = _with(state, _phase(database, batch.number, CLAIMED))
                yield Step(f"file {batch.number} is claimed", True, after)
            elif batch.phase == CLAIMED and state.flight is None:
                sent = _with(state, _phase(database, batch.number, DELIVERING))
                flight = batch.number, batch.members
                yield Step(f"file {batch.number} is sent", True, sent._replace(flight=flight, alive=True))
    for batch in database.batches:
        number = batch.number
        # "Not found" counts once nothing can be on its way.
        if (
            batch.phase == DELIVERING
            and not state.alive
            and state.flight is None
            and database.hold != ANNOUNCED
        ):
            if number in known:
                after = _with(state, _phase(database, number, SUBMITTED))
                yield Step(f"file {number} is found by asking", True, _told(after, SUBMISSION, number))
            elif database.hold == FREE:
                after = _with(state, _phase(database, number, CLAIMED))
                yield Step(f"file {number} is not at the bank: it is sent again", True, after)
        if batch.phase == SUBMITTED and known.get(number):
            after = _with(state, _phase(database, number, REFUSED))
            yield Step(
                f"the gateway reads that file {number} is refused", True, _told(after, REFUSAL, number)
            )


def _held(state: State, broken: frozenset[str]) -> Iterator[Step]:
    database = state.database
    if database.hold == ANNOUNCED and (state.flight is None or TOO_EARLY in broken):
        yield Step("the folders are read", True, _read(state, broken))
    if database.hold != READ:
        return
    left = False
    for number, members in database.found:
        batch = _of(database, number)
        if batch.phase < SUBMITTED:
            left = True
            if batch.members == members:
                adopted = _with(state, _phase(database, number, SUBMITTED))
                yield Step(f"found file {number} is adopted", True, _told(adopted, SUBMISSION, number))
    caught_up = database.payments_offset >= database.ends[0] and database.notices_offset >= database.ends[1]
    if (caught_up and not left) or BEFORE_CAUGHT_UP in broken:
        yield Step("the hold ends", True, _with(state, database._replace(hold=FREE)))


def _read(state: State, broken: frozenset[str]) -> State:
    database, new = state.database, set()
    files = {batch.number for batch in database.batches if batch.phase >= CLAIMED}
    for number, members, _ in state.bank:
        if number not in files:
            new.add((number, members))
        elif _of(database, number).phase < SUBMITTED and KNOWN_NOT_LOOKED_FOR not in broken:
            database = _phase(database, number, SUBMITTED)
            state = _told(state, SUBMISSION, number)
    return _with(state, database._replace(hold=READ, found=frozenset(new)))


def _with(state: State, database: Database) -> State:
    return state._replace(database=database)


def _told(state: State, kind: str, number: int) -> State:
    return state._replace(notices=(*state.notices, (kind, number)))


def _of(database: Database, number: int) -> Batch:
    return next(
        (each for each in database.batches if each.number == number), Batch(number, OPEN, frozenset())
    )


def _put(database: Database, batch: Batch) -> Database:
    others = [each for each in database.batches if each.number != batch.number]
    return database._replace(batches=tuple(sorted([*others, batch])))


def _phase(database: Database, number: int, phase: int) -> Database:
    return _put(database, _of(database, number)._replace(phase=phase))


def _join(database: Database, payment: int, broken: frozenset[str], left: int = 0) -> Database:
    """The first found batch after the one it leaves, else the open one or a new one: batching.OpenBatches."""
    carried = {} if NEWCOMERS in broken else dict(database.found)
    among = sorted(number for number, members in database.found if payment in members and number > left)
    if among and BY_THE_CALENDAR not in broken:
        number = among[0]
    else:
        last = max([0, *carried, *(each.number for each in database.batches)])
        is_open = last and last not in carried and _of(database, last).phase == OPEN
        number = last if is_open else last + 1
    batch = _of(database, number)
    return _put(database, batch._replace(members=batch.members | {payment}))


def _heard(database: Database, kind: str, number: int, broken: frozenset[str]) -> Database:
    """handlers: submitted or refused once; the members of a refused batch join a later one."""
    batch = _of(database, number)
    closed = batch.phase != OPEN or number in dict(database.found)
    if not batch.members or not closed or batch.heard or kind == SUBMISSION:
        return database
    done = _put(database, batch._replace(heard=True, moved=batch.members))
    for payment in sorted(batch.members):
        done = _join(done, payment, broken, number)
    return done


def _violation(state: State) -> str | None:
    for payment in range(PAYMENTS):
        stands = [number for number, members, refused in state.bank if payment in members and not refused]
        if len(stands) > 1:
            return f"payment {payment} is at the bank twice, in files {stands[0]} and {stands[1]}"
    return None


def _complete(state: State) -> bool:
    """Every payment is at the bank once, in the batch where our books have it."""
    standing = {
        payment: number for number, members, refused in state.bank if not refused for payment in members
    }
    books = {
        payment: batch.number
        for batch in state.database.batches
        if batch.phase == SUBMITTED
        for payment in batch.members - batch.moved
    }
    every = set(range(PAYMENTS))
    return (
        state.database.hold == FREE
        and state.flight is None
        and standing.keys() == every
        and books == standing
    )


def search(first: State, broken: frozenset[str] = frozenset()) -> Result:
    """Everything that can happen, and from each state a way to completion."""
    began, transitions = monotonic(), 0
    came: dict[State, tuple[State, str] | None] = {first: None}
    backwards: dict[State, list[State]] = {}
    complete, queue = [], deque([first])
    while queue:
        state = queue.popleft()
        found = _violation(state)
        if found is not None:
            return Result(len(came), transitions, found, _way(came, state), monotonic() - began)
        if _complete(state):
            complete.append(state)
        for step in steps(state, broken):
            transitions += 1
            if step.good:
                backwards.setdefault(step.state, []).append(state)
            if step.state not in came:
                came[step.state] = state, step.text
                queue.append(step.state)
    done, back = set(complete), deque(complete)
    while back:
        for before in backwards.get(back.popleft(), ()):
            if before not in done:
                done.add(before)
                back.append(before)
    stuck = next((state for state in came if state not in done), None)
    if stuck is not None:
        return Result(len(came), transitions, STUCK, _way(came, stuck), monotonic() - began)
    return Result(len(came), transitions, None, (), monotonic() - began)


def _way(came: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    texts = []
    while (before := came[state]) is not None:
        state, text = before
        texts.append(text)
    return tuple(reversed(texts))
