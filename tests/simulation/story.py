"""A story: steps from a seed, told to the world; then quiet, until everything has come to its end."""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from random import Random
from typing import Any

from services.settlement.store import SQL as SETTLEMENT_SQL
from tests.simulation import operators, performing
from tests.simulation.steps import KINDS, SEATS, Chance, Step
from tests.simulation.world import NOSTRO, NOSTRO_LANE, OPENING_MINOR, World

_QUIET_DAYS = 8
"""Bank days that a quiet house may need: a return is booked a day later, an unclaimed batch goes out anew."""
_STILL_SECONDS = 12.0


class Fallen(Exception):
    """Something that must hold does not; each line names it."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = tuple(findings)


def drawn(seed: int, count: int) -> list[Step]:
    """The steps of a seed: the first `count` of an endless story."""
    chance = Chance(Random(f"steps {seed}"))
    names = [name for name, (weight, _) in KINDS.items() for _ in range(weight)]
    return [KINDS[chance.one_of(names)][1](chance) for _ in range(count)]


async def begin(world: World) -> None:
    """Open the house: every seat taken, the nostro and the customers' accounts opened."""
    world.open_the_bank()
    for seat in SEATS:
        world.start(seat)
    await asyncio.sleep(3)
    payload = json.dumps(
        {"nostro": NOSTRO, "currency": "EUR", "balance_minor": OPENING_MINOR, "source": "bank"}
    )
    await world.ask("settlement", SETTLEMENT_SQL["request_open_nostro"], NOSTRO_LANE, "story", payload)
    world.client.open_accounts()
    await asyncio.sleep(10)


async def tell(world: World, step: Step) -> None:
    """Let a step happen; then who is dead is begun anew, and nobody may have ended by itself."""
    await performing.perform(world, step)
    revive(world)
    must_stand(world)


def revive(world: World, seats: Sequence[str] = SEATS) -> None:
    """Begin a new life in the seats of the dead, as an orchestrator does."""
    for seat in seats:
        if world.instances[seat].dead:
            world.start(seat)


async def quieten(world: World) -> None:
    """End every trouble, then let bank days pass until nothing moves any more."""
    world.tell("quiet")
    for seat in SEATS:
        instance = world.instances[seat]
        instance.strikes.clear()
        instance.thawed.set()
    world.log.calm()
    world.bank.settle_down()
    # One of each is enough for what is left; who stands by costs as much.
    for seat in SEATS:
        if seat.endswith("-b"):
            await world.stop(seat)
    revive(world, [seat for seat in SEATS if not seat.endswith("-b")])
    await _held_to(operators.come_home(world))
    await _until_still(world)
    while world.bank.books.day < world.now().date():
        # Cut-offs may have passed faster than the bank's days: its booking of what is due comes with them.
        performing.end_day(world)
        await asyncio.sleep(2)
    await _until_still(world)
    last: Any = None
    records = len(world.log.records())
    for _ in range(_QUIET_DAYS):
        performing.pass_cut_off(world)
        await _until_still(world)
        performing.end_day(world)
        await _until_still(world)
        must_stand(world)
        records, before = len(world.log.records()), records
        states = await _states(world)
        # The statement of a day on which nothing moved is told, too.
        now = records - before, states
        if now == last and "held" not in states:
            break
        last = now
    await _held_to(operators.handle_all_again(world))
    await _held_to(operators.findings(world))


async def _held_to(looking: Awaitable[Sequence[str]]) -> None:
    """Raises Fallen where something is found, or nobody answers."""
    try:
        found = await looking
    except Exception as fault:
        found = [f"operators are answered: {fault!r}"]
    if found:
        raise Fallen(found)


async def _until_still(world: World) -> None:
    """Until neither the log nor the outboxes have grown for a while, within a bound."""
    for _ in range(60):
        before = len(world.log.records())
        await asyncio.sleep(_STILL_SECONDS)
        if len(world.log.records()) == before:
            return
    raise Fallen(["the log goes on growing without anybody's doing"])


async def _states(world: World) -> dict[str, int]:
    """How many payments settlement has in each state."""
    counts = await world.ask(
        "settlement", "SELECT state, count(*) AS payments FROM public.payment_states GROUP BY state"
    )
    return {row["state"]: row["payments"] for row in counts}


def must_stand(world: World) -> None:
    """No instance may end by itself."""
    faults = world.faults()
    if faults:
        raise Fallen(faults)
