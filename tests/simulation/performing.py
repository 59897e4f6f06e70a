"""What a step does to the world."""

import asyncio
import json
from datetime import datetime, time, timedelta
from hashlib import sha256

from aiokafka import TopicPartition

from goodfunds import ids
from goodfunds.replay.selection import Selection
from services.ingestion.store import SQL as INGESTION_SQL
from services.settlement.store import SQL as SETTLEMENT_SQL
from tests.simulation import deeds, instances, operators, steps
from tests.simulation.client import ACCOUNTS, CLIENT
from tests.simulation.deeds import DEEDS
from tests.simulation.instances import Instance
from tests.simulation.steps import LANE_SEATS, SEATS, SERVICES, TOPICS, Step
from tests.simulation.world import PARTITIONS, World

_AFTER_CUT_OFF = time(14, 5)
"""UTC; the rail's cut-off is at 15:00 in Berlin, which is 14:00 in winter and 13:00 in summer."""
_MORNING = time(7, 0)


async def perform(world: World, step: Step) -> None:
    """Do it, and let what follows at once follow."""
    world.tell(str(step))
    match step:
        case steps.Instruct(account, count, amount_minor, flaw):
            for _ in range(count):
                world.client.instruct(account, amount_minor, flaw, world.now().date())
        case steps.Repeat(which, changed):
            world.client.repeat(which, changed)
        case steps.Garble(lane):
            world.client.garble(lane)
        case steps.SendFile(account, count):
            await _hand_in(world, account, count)
        case steps.Pass(seconds):
            await asyncio.sleep(seconds)
        case steps.Strike(seat, point, side, nth, what, seconds):
            strike = instances.Strike(point, side, nth, what, seconds)
            _instance(world, seat).strikes.append(strike)
        case steps.Crash(seat):
            instances.crash(_instance(world, seat))
        case steps.Restart(seat):
            await world.stop(SEATS[seat % len(SEATS)])
        case steps.Hide(topic, lane, seconds):
            world.log.hide(TopicPartition(TOPICS[topic % len(TOPICS)], lane % PARTITIONS), seconds)
        case steps.SendLate(seat, seconds):
            world.log.send_late(SEATS[seat % len(SEATS)], seconds)
        case steps.Deafen(seat, seconds):
            world.log.deafen(world.instances[LANE_SEATS[seat % len(LANE_SEATS)]], seconds)
        case steps.BrokerAway(seconds):
            world.log.away_until = asyncio.get_running_loop().time() + seconds
        case steps.Skew(seat, seconds):
            _instance(world, seat).skew = timedelta(seconds=seconds)
        case steps.PassCutOff():
            pass_cut_off(world)
        case steps.CloseCutOff():
            await world.ask("settlement", SETTLEMENT_SQL["request_close_cut_off"], "story")
        case steps.EndDay(parts):
            end_day(world, parts)
        case steps.CorrectStatement():
            rows = await world.ask("reconciliation", "SELECT bank_statement_id FROM public.statements")
            deeds.correct(world.bank, {row["bank_statement_id"] for row in rows})
        case steps.BankDoes(what):
            DEEDS[what](world.bank)
        case steps.HandleAgain():
            service = SERVICES[step.service % len(SERVICES)]
            selection = await _selection(world, service, step)
            asked = operators.asking(step.kind, selection, step.rate)
            operators.send(world, operators.carry_out(world, service, asked, step.then))
        case steps.PlantBug(number, account, seconds):
            planted = world.bugs[SERVICES[number % len(SERVICES)]]
            key = ACCOUNTS[account % len(ACCOUNTS)].encode()
            planted.add(key)
            asyncio.get_running_loop().call_later(seconds, planted.discard, key)
        case steps.Release(number):
            operators.send(world, operators.release(world, SERVICES[number % len(SERVICES)]))
    await asyncio.sleep(0.01)


def pass_cut_off(world: World) -> None:
    """Set the clocks to just after the next cut-off of a day."""
    _jump(world, _AFTER_CUT_OFF)


def end_day(world: World, parts: int = 1) -> None:
    """End the bank's business day, and set the clocks to the morning of its next one."""
    deeds.end_day(world.bank, parts)
    morning = datetime.combine(world.bank.books.day, _MORNING, world.now().tzinfo)
    world.jumped += max(morning - world.now(), timedelta())


def _jump(world: World, to: time) -> None:
    now = world.now()
    at = datetime.combine(now.date(), to, now.tzinfo)
    world.jumped += (at if at > now else at + timedelta(days=1)) - now


def _instance(world: World, seat: int) -> Instance:
    return world.instances[SEATS[seat % len(SEATS)]]


async def _selection(world: World, service: str, step: steps.HandleAgain) -> Selection:
    """What is meant, as far as it was handled by now."""
    handler = world.operated[f"{service}-a"].handler
    lanes = (step.lane,) if step.lane < PARTITIONS else None
    since = world.now() - timedelta(seconds=step.first)
    if step.kind == "republish":
        until = since + timedelta(seconds=step.first * (step.end - step.first) / 100)
        return Selection(lanes=lanes, from_time=since, to_time=until)
    topics = [each.topic for each in handler.inputs]
    topic = topics[step.topic] if step.topic < len(topics) else None
    keys = (ACCOUNTS[step.account],) if step.account >= 0 else None
    if topic is None or lanes is None:
        return Selection(topic=topic, partitions=lanes, keys=keys, from_time=since)
    rows = await world.ask(service, "SELECT offsets FROM public.lanes WHERE lane = $1", step.lane)
    end = json.loads(rows[0]["offsets"])[topic] if rows else 0
    first = step.first * end // 100
    return Selection(
        topic=topic, partitions=lanes, keys=keys, from_offset=first,
        to_offset=max(step.end * end // 100, first + 1),
    )  # fmt: skip


async def _hand_in(world: World, account: int, count: int) -> None:
    """What the HTTP door does with a valid file."""
    now = world.now()
    message_id, content = world.client.file(account, count, now.date())
    await world.ask(
        "ingestion", INGESTION_SQL["insert_file"], ids.derived_id(0, message_id.encode()), CLIENT, message_id,
        sha256(content).digest(), "pain.001.001.09", count, json.dumps({}), content, now,
    )  # fmt: skip
