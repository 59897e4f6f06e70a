"""A story: steps from a seed, told to the world; then quiet, until everything has come to its end."""

import asyncio
import json
from collections.abc import Sequence
from random import Random
from typing import Any

from services.settlement.store import SQL as SETTLEMENT_SQL
from tests.simulation import performing
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


def revive(world: World) -> None:
    """Begin a new life in the seats of the dead, as an orchestrator does."""
    for seat in SEATS:
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
    last: Any = None
    for _ in range(_QUIET_DAYS):
        revive(world)
        await _until_still(world)
        performing.pass_cut_off(world)
        await _until_still(world)
        performing.end_day(world)
        await _until_still(world)
        must_stand(world)
        now = await _state(world)
        if now == last:
            return
        last = now


async def _until_still(world: World) -> None:
    """Until neither the log nor the outboxes have grown for a while, within a bound."""
    for _ in range(60):
        before = len(world.log.records())
        await asyncio.sleep(_STILL_SECONDS)
        if len(world.log.records()) == before:
            return
    raise Fallen(["the log goes on growing without anybody's doing"])


async def _state(world: World) -> Any:
    counts = await world.ask(
        "settlement", "SELECT state, count(*) FROM public.payment_states GROUP BY state ORDER BY state"
    )
    return len(world.log.records()), [tuple(row) for row in counts]


def must_stand(world: World) -> None:
    """No instance may end by itself."""
    faults = world.faults()
    if faults:
        raise Fallen(faults)
