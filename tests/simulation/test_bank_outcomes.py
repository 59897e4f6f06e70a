"""What the house makes of each fault of the simulated bank: one thing, whatever is heard first.

The real gateway, settlement, statement reader and reconciliation on real Postgres, stepped by hand.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any, cast

import pytest

from goodfunds.clock import FixedClock
from goodfunds.events import types
from goodfunds.lanes import Emission, lane_of
from goodfunds.postgres import create_pool
from goodfunds.rails import RAILS
from goodfunds.service import migrations_of
from services.reconciliation import SERVICE as RECONCILIATION
from services.reconciliation.statement_reader import StatementReader
from services.settlement import SERVICE as SETTLEMENT
from services.settlement.gateway.bank import Bank
from services.settlement.gateway.messages import House
from services.settlement.gateway.source import Gateway
from tests.conftest import Migrations, Postgres
from tests.integration.reconciliation import scene as reconciliation
from tests.integration.reconciliation.scene import Fed, Scene, scene_in
from tests.integration.settlement.desk import (
    DAY,
    EVENING,
    NOSTRO,
    NOSTRO_LANE,
    PARTITIONS,
    Desk,
    Numbers,
    instruction,
    opened,
)
from tests.simulation.bank import Booking, GatewayDoor, SimulatedBank, StatementDoor, Terms
from tests.simulation.bank.outbox import CAMT053, CAMT054, KINDS, PAIN002, Fate

PAYMENTS, AMOUNT, FUNDS = 9, 100_00, 1_000_000
SOME_TIME = timedelta(minutes=45)
"""Longer than the gateway's silence, and than its pause before what it could not read."""


async def open_gate(gate: str) -> None:
    """Nobody is stopped here."""


@dataclass
class Stage:
    """The bank, and what of the house hears it."""

    desk: Desk
    scene: Scene
    bank: SimulatedBank
    clock: FixedClock
    gateway: Gateway
    reader: StatementReader
    numbers: Numbers = field(default_factory=Numbers)

    async def run(self) -> None:
        """Step the gateway and the reader until neither has anything to do."""
        while await self._gateway() or await self._reader():
            pass

    async def wait(self, times: int) -> None:
        """Time passes: what was not answered is asked for."""
        for _ in range(times):
            self.clock.at += SOME_TIME
            await self.run()

    async def day(self) -> None:
        """The bank's day ends, and the house hears of it."""
        self.bank.end_day()
        await self.run()

    async def quiet(self) -> None:
        """Everything late comes, two more days pass, and nothing is left to ask for."""
        self.bank.settle_down()
        for _ in range(2):
            self.bank.judge()
            await self.day()
        await self.wait(4)

    async def states(self) -> dict[str, int]:
        counted: dict[str, int] = {}
        for state in (await self.desk.states()).values():
            counted[state] = counted.get(state, 0) + 1
        return counted

    async def _gateway(self) -> bool:
        work = await self.gateway.look()
        if work is None:
            return False
        async with self.desk.connection.transaction():
            emitted = await self.gateway.record(self.desk.connection, work, self.clock.now(), self.numbers)
        await self._tell(emitted)
        return True

    async def _tell(self, emitted: Any) -> None:
        for each in emitted:
            record = self.desk.record(each.topic, each.partition, each.body)
            for event in await self.desk.poll({each.partition: [record]}, self.clock.now()):
                lane = lane_of(event.account or NOSTRO, PARTITIONS)
                await self.scene.feed(Fed(lane, "settlement-notifications", event, lane))

    async def _reader(self) -> bool:
        work = await self.reader.look()
        if work is None:
            return False
        async with self.scene.connection.transaction():
            emitted = await self.reader.record(self.scene.connection, work, self.clock.now(), self.numbers)
        await self.scene.feed(*map(_fed, emitted))
        return True


def _fed(emission: Emission) -> Fed:
    return Fed(emission.partition, emission.topic, types.decode(emission.body), -1)


@pytest.fixture
def migrations() -> Migrations:
    return migrations_of(SETTLEMENT)


@pytest.fixture
async def books(postgres: Postgres) -> AsyncIterator[str]:
    """The DSN of a fresh database of reconciliation's."""
    async with postgres.database(migrations_of(RECONCILIATION)) as dsn:
        yield dsn


@pytest.fixture
async def stage(
    request: pytest.FixtureRequest, database: str, books: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    monkeypatch.setattr(reconciliation, "PARTITIONS", PARTITIONS)
    monkeypatch.setattr(reconciliation, "NOSTRO_LANE", NOSTRO_LANE)
    desk, scene = Desk(await opened(database)), await scene_in(books)
    pools = await create_pool(database), await create_pool(books)
    clock = FixedClock(EVENING)
    bank = SimulatedBank(DAY, clock, getattr(request, "param", Terms()))
    bank.open_account(NOSTRO, "EUR", FUNDS)
    door, folder = cast(Bank, GatewayDoor(bank, open_gate)), StatementDoor(bank, open_gate)
    house = House("The House", NOSTRO, "COBADEFFXXX")
    gateway = Gateway(pools[0], door, RAILS, house, PARTITIONS, NOSTRO_LANE, clock)
    stage = Stage(desk, scene, bank, clock, gateway, StatementReader(pools[1], folder, PARTITIONS))
    await desk.accept(
        *(
            instruction(
                idempotency_key=str(n),
                debtor_account=f"customer-{n % 3}",
                end_to_end_id=f"E2E-{n}",
                amount_minor=AMOUNT + n,
            )
            for n in range(PAYMENTS)
        )
    )
    await desk.close()
    yield stage
    for pool in pools:
        await pool.close()
    await desk.connection.close()
    await scene.connection.close()


Breaks = Counter[tuple[str, int]]


async def hear(stage: Stage, *late: str, parts: int = 1) -> None:
    """The file is judged, the day is ended, an hour passes, and then comes what is late."""
    if late:
        stage.bank.outbox.hold(*late)
    await stage.run()
    assert stage.bank.judge() == 1
    await stage.run()
    stage.bank.end_day(parts, parts)
    await stage.run()
    await stage.wait(1)
    await stage.quiet()


async def nostro_difference(stage: Stage) -> int:
    """What our books hold more than the bank's."""
    moved = stage.bank.books.accounts[NOSTRO].balance_minor - FUNDS
    return -await stage.desk.balance(f"nostro:{NOSTRO}") - moved


def contradicted(minor: int) -> list[Breaks]:
    return [Counter({("settled_after_rejection", -minor): 1}), Counter({("rejected_after_settlement", 0): 1})]


@pytest.mark.parametrize("late", [(), (CAMT054,), (CAMT053,), (PAIN002, CAMT054)], ids=str)
@pytest.mark.parametrize(
    "stage", [Terms(), Terms(booking=Booking.WITH_DETAILS, same_references=False)], ids=["", "other terms"],
    indirect=True,
)  # fmt: skip
async def test_each_fault_of_a_payment_leads_to_its_own_breaks_whatever_is_late(
    stage: Stage, late: tuple[str, ...]
) -> None:
    bank = stage.bank
    await stage.run()
    ids = {each.end_to_end_id: each.instruction_id for each in bank.waiting_orders()}
    of = [ids[f"E2E-{n}"] for n in range(PAYMENTS)]
    bank.reject(of[0])
    bank.return_later(of[1])
    bank.echo_only(of[2])
    bank.contradict_later(True, of[3])
    bank.contradict_later(False, of[4])
    individual = not bank.terms.booking.startswith("batch")
    if individual:
        bank.leave_out_line(of[5])
        bank.misstate_line(of[6])
    await hear(stage, *late)
    assert bank.contradict_booked(of[7])
    await stage.quiet()
    minor = [AMOUNT + n for n in range(PAYMENTS)]
    short: Breaks = Counter({("missing_line", minor[5]): 1})
    wrong = [
        Counter({("amount_differs", -minor[6] - 1): 1, ("settled_amount_differs", 0): 1}),
        Counter({("settled_amount_differs", -minor[6] - 1): 1}),
    ]
    # The statement's lines lack the one and have a unit too many of the other.
    damaged: Breaks = short + Counter({("missing_line", minor[6]): 1, ("sum_differs", 1 - minor[5]): 1})
    found = Counter(await stage.scene.open_breaks())
    expected = [
        sum(each, damaged if individual else Counter())
        for each in product(
            contradicted(minor[3]), contradicted(minor[4]), wrong if individual else [Counter()],
            [Counter({("rejected_after_settlement", 0): 1})],
        )
    ]  # fmt: skip
    assert found in expected, found
    states = await stage.states()
    denied = sum(count for (reason, _), count in found.items() if reason == "settled_after_rejection")
    assert states == {"rejected": 1 + denied, "returned": 1, "settled": PAYMENTS - 2 - denied}
    lied = found["settled_amount_differs", -minor[6] - 1] * (minor[6] + 1)
    assert await nostro_difference(stage) == -lied


@pytest.mark.parametrize("fate", [Fate.DOUBLED, Fate.DOUBLED_BYTES, Fate.HALF_WRITTEN, Fate.LATE])
async def test_answers_that_are_doubled_late_or_half_written_change_nothing(stage: Stage, fate: Fate) -> None:
    for kind in KINDS:
        stage.bank.meet_next(kind, fate, 2)
    stage.bank.reject()
    stage.bank.return_later()
    await hear(stage)
    assert await stage.states() == {"rejected": 1, "returned": 1, "settled": PAYMENTS - 2}
    assert await stage.scene.open_breaks() == []
    assert await nostro_difference(stage) == 0


async def test_answers_that_are_lost_are_made_good_by_asking_and_by_the_statement(stage: Stage) -> None:
    stage.bank.reject()
    stage.bank.contradict_later(told_first=True)
    stage.bank.return_later()
    stage.bank.meet_next(PAIN002, Fate.LOST)
    stage.bank.meet_next(CAMT054, Fate.LOST, 2)
    await hear(stage)
    assert await stage.states() == {"rejected": 1, "returned": 1, "settled": PAYMENTS - 2}
    assert await stage.scene.open_breaks() == []
    assert await nostro_difference(stage) == 0


@pytest.mark.parametrize(
    "stage", [Terms(booking=Booking.WITHOUT_DETAILS, same_references=same) for same in (True, False)],
    indirect=True, ids=["same references", "other references"],
)  # fmt: skip
@pytest.mark.parametrize("late", [(), (PAIN002, CAMT054)], ids=str)
async def test_batches_without_details_are_settled_and_matched_by_their_sums(
    stage: Stage, late: tuple[str, ...]
) -> None:
    await stage.run()
    stage.bank.reject()
    stage.bank.return_later()
    await hear(stage, *late)
    assert await stage.states() == {"rejected": 1, "returned": 1, "settled": PAYMENTS - 2}
    assert await stage.scene.open_breaks() == []
    assert await nostro_difference(stage) == 0


async def test_a_day_in_parts_of_which_the_last_comes_first_leaves_no_break(stage: Stage) -> None:
    stage.bank.outbox.hold(CAMT053)
    await stage.run()
    stage.bank.judge()
    stage.bank.end_day(parts=3, files=3)
    stage.bank.end_day()
    while stage.bank.outbox.release(CAMT053, 1, last_first=True):
        await stage.run()
    await stage.quiet()
    assert await stage.states() == {"settled": PAYMENTS}
    assert await stage.scene.open_breaks() == []


async def test_a_correction_is_a_break_of_its_own_and_moves_nothing(stage: Stage) -> None:
    stage.bank.leave_out_line()
    await hear(stage)
    before = await stage.scene.open_breaks()
    assert [reason for reason, _ in before] == ["missing_line", "sum_differs"]
    assert stage.bank.correct_statement(NOSTRO, 1)
    await stage.quiet()
    assert Counter(await stage.scene.open_breaks()) - Counter(before) == {("statement_corrected", 0): 1}
    assert await stage.states() == {"settled": PAYMENTS}
    assert await nostro_difference(stage) == 0


@pytest.mark.parametrize("told", [True, False])
async def test_a_file_that_came_too_late_goes_out_again_and_one_refused_for_good_does_not(
    stage: Stage, told: bool
) -> None:
    if not told:
        stage.bank.meet_next(PAIN002, Fate.LOST)
    stage.bank.refuse_file("TM01")
    await hear(stage)
    assert await stage.states() == {"held": PAYMENTS}
    stage.clock.at = EVENING + timedelta(days=1)
    await stage.desk.close(stage.clock.at)
    stage.bank.refuse_file("AC06")
    await hear(stage)
    assert await stage.states() == {"rejected": PAYMENTS}
    assert await stage.scene.open_breaks() == []
    assert stage.bank.books.transfers == []
