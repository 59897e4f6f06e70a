"""The operators of a story: what they have handled again, and how what is parked comes free.

They speak to the services as HTTP does, to whichever instance answers, and go on while the story does.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from goodfunds.audit.chain import verify
from goodfunds.errors import is_retriable
from goodfunds.operating.operated import Operated
from goodfunds.replay.digest import TableDigest, state_digest
from goodfunds.replay.planning import Asked, first_state, plan
from goodfunds.replay.plans import ENDED, GIVEN_UP, Kind, Refusal, Step
from goodfunds.replay.selection import Parked, Selection
from goodfunds.replay.steps import take
from goodfunds.service import services
from tests.simulation.bugs import PlantedBug
from tests.simulation.instances import CURRENT
from tests.simulation.steps import SERVICES
from tests.simulation.world import World

T = TypeVar("T")

_FIRST, _SECOND = "first", "second"
_LIFE = timedelta(days=60)
"""Of a plan: longer than clocks jump in a story."""
_LOOK_SECONDS = 1.0
_LONGEST_SECONDS = 900.0
"""An errand's, in quiet; most of it are the pauses of those who fault."""
_PLAN = "SELECT state, heartbeat, forecast FROM public.replay_plans WHERE plan_id = $1"
_PLANS = (
    "SELECT plan_id, kind, p.state, forecast, outcome, p.fault, sum(handled + skipped) AS done, "
    "sum(total) AS total FROM public.replay_plans p JOIN public.replay_lanes USING (plan_id) "
    "GROUP BY plan_id ORDER BY planned_at, plan_id"
)
_HAPPENS = ("has ended 5 sessions", "ConnectionDoesNotExistError", "Unavailable", PlantedBug.__name__)
"""What a plan may fail by: a neighbour that went in the middle of a rehearsal, or the story's own bug."""


def send(world: World, errand: Coroutine[Any, Any, Any]) -> None:
    """Let somebody go about something while the story goes on."""
    world.people.append(asyncio.get_running_loop().create_task(errand))


async def carry_out(world: World, service: str, asked: Asked, then: str = "") -> None:
    """Plan, wait for the rehearsal, have somebody else approve, run; `then`: `pause`, `abort` or nothing."""
    planned = await _ask(world, service, partial(_plan, asked))
    if isinstance(planned, Refusal):
        world.tell(f"{service} refuses to {asked.kind}: {planned.text}")
        return
    state = await _rehearsed(world, service, planned)
    if state == "rehearsed":
        await _take(world, service, planned, "approve", _SECOND)
        await _take(world, service, planned, "run", _FIRST)
    if then == "pause":
        await asyncio.sleep(1)
        await _take(world, service, planned, "pause", _FIRST)
        await asyncio.sleep(8)
        await _take(world, service, planned, "resume", _FIRST)
    elif then == "abort":
        await asyncio.sleep(1)
        await _take(world, service, planned, "abort", _SECOND)
    while state not in ENDED and state != "rehearsing":
        await asyncio.sleep(_LOOK_SECONDS)
        [row] = await world.ask(service, _PLAN, planned)
        state = row["state"]
        if state in ("rehearsed", "approved"):
            break
    world.tell(f"{service}: {asked.kind} is {state}")


async def release(world: World, service: str) -> None:
    """Have everything that is parked handled, as it is."""
    await carry_out(world, service, asking("release", Selection(parked=Parked()), directly=True))


def asking(kind: Kind, selection: Selection, rate: int | None = None, directly: bool = False) -> Asked:
    """What the first of them asks for."""
    return Asked(_FIRST, kind, selection, "story", rate, _LIFE, directly)


async def come_home(world: World) -> list[str]:
    """In quiet: every bug is mended, every errand ends, and nothing stays parked. Raises TimeoutError."""
    world.mend()
    async with asyncio.timeout(_LONGEST_SECONDS):
        await asyncio.gather(*world.people)
        for service in SERVICES:
            while await world.ask(service, "SELECT FROM public.parked LIMIT 1"):
                await release(world, service)
    return []


async def handle_all_again(world: World) -> list[str]:
    """At the end: everything that was ever handled, once more; what has changed by it."""
    before = {service: await _digest(world, service) for service in SERVICES}
    records = len(world.log.records())
    async with asyncio.timeout(_LONGEST_SECONDS):
        await asyncio.gather(
            *(carry_out(world, service, asking("replay", Selection())) for service in SERVICES)
        )
    found = [
        f"a replay of everything changes nothing: {service} has other rows of {table}"
        for service in SERVICES
        for table, digest in (await _digest(world, service)).items()
        if digest != before[service][table]
    ]
    if len(world.log.records()) != records:
        found.append("a replay of everything changes nothing: events were told")
    return found


async def _digest(world: World, service: str) -> dict[str, TableDigest]:
    return await world.look(service, partial(state_digest, left_out=services()[service].beside_lanes))


async def findings(world: World) -> list[str]:
    """What of the plans of a story is not as it must be."""
    found, silent = [], set()
    for service in SERVICES:
        plans = await world.ask(service, _PLANS)
        found += [f"replays come to nothing: {service}'s {why}" for why in map(_wrong, plans) if why]
        silent |= {row["plan_id"] for row in plans if row["kind"] in ("replay", "selfcheck")}
        verified = await world.look(service, verify)
        if verified.broken is not None:
            found.append(f"the audit is whole: {service}'s entry {verified.broken}: {verified.why}")
    told = [record for record in world.log.records() if dict(record.headers).get("replay_id") in silent]
    found += [f"a replay tells nothing: {each.topic}/{each.partition} offset {each.offset}" for each in told]
    return found


def _wrong(row: Any) -> str:
    """What is wrong with a plan, in words; empty where nothing is."""
    kind, state, fault = row["kind"], row["state"], row["fault"] or ""
    if state in ("running", "paused", "drifted"):
        return f"{kind} is {state}: {fault}"
    if state == "failed" and not any(each in fault for each in _HAPPENS):
        return f"{kind} has failed: {fault}"
    if kind not in ("replay", "selfcheck"):
        return ""
    if state == "done" and row["done"] != row["total"]:
        return f"{kind} has come by {row['done']} of {row['total']} records"
    told, outcome = json.loads(row["forecast"] or "{}"), json.loads(row["outcome"] or "{}")
    if told.get("rows") or told.get("rewritten") or told.get("events"):
        return f"{kind} foresees {told['rows']}, {told['rewritten']} rewritten, {told['events']}"
    if outcome.get("rows_changed") or outcome.get("events_emitted"):
        return f"{kind} has done {outcome}"
    return ""


async def _rehearsed(world: World, service: str, plan_id: bytes) -> str:
    """The state once the rehearsal is over, or given up with the instance that it ran in."""
    while True:
        [row] = await world.ask(service, _PLAN, plan_id)
        if row["state"] != "rehearsing" or row["heartbeat"] < world.now() - GIVEN_UP:
            return str(row["state"])
        await asyncio.sleep(_LOOK_SECONDS)


async def _plan(asked: Asked, operated: Operated) -> bytes | Refusal:
    found = await plan(operated.desk, asked)
    if isinstance(found, bytes) and first_state(asked) == "rehearsing":
        operated.rehearsals.begin(found)
    return found


async def _take(world: World, service: str, plan_id: bytes, step: Step, by: str) -> None:
    refused = await _ask(world, service, lambda operated: take(operated.desk, plan_id, step, by))
    world.tell(f"{service}: {step}" + (f" is refused: {refused.text}" if refused else ""))


async def _ask(world: World, service: str, question: Callable[[Operated], Awaitable[T]]) -> T:
    """Ask one instance after the other until one answers."""
    while True:
        for seat in (f"{service}-a", f"{service}-b"):
            instance, operated = world.instances[seat], world.operated[seat]
            if instance.dead:
                continue
            token = CURRENT.set(instance)
            try:
                answer = asyncio.ensure_future(question(operated))
            finally:
                CURRENT.reset(token)
            instance.on_crash.append(partial(_hang_up, answer))
            await asyncio.wait({answer})
            if not answer.cancelled():
                fault = answer.exception()
                if fault is None:
                    return answer.result()
                if not is_retriable(fault):
                    raise fault
        await asyncio.sleep(_LOOK_SECONDS)


def _hang_up(answer: "asyncio.Future[Any]") -> None:
    answer.cancel()
