"""The faults: what can go wrong, on a schedule that a seed gives, each done and undone."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import asyncpg

from goodfunds.local import postgres
from goodfunds.service import services
from tests.chaos.house import BANK, TWICE, House, Instance
from tests.chaos.instance import POINTS
from tests.chaos.proxy import State

SESSION_SECONDS = 10.0
"""After so long the group gives a silent member's lanes to another."""
_FEED = "settlement-gateway"
_AWAY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to commit `pause` seconds after the one before. `target` and `seconds` by its kind."""

    kind: str
    target: str
    seconds: float
    pause: float


Commit = Callable[[House, Fault], Awaitable[str]]
"""Does it, waits, undoes it; what was done in words, empty where there was nothing to do it to."""


def schedule(seed: int, instances: Sequence[str]) -> Iterator[Fault]:
    """Faults without end, all kinds in turn in a new order each round. The same seed gives the same."""
    source = random.Random(seed)
    ours = sorted(each for each in instances if each != BANK)
    with_lanes_or_feed = sorted(each for each in instances if each.rpartition("-")[0] in TWICE)
    brokers = ["1", "2", "3"]
    while True:
        deck = sorted(KINDS)
        source.shuffle(deck)
        for kind in deck:
            target = ""
            if kind in ("kill_service", "skew_clock"):
                target = source.choice(ours)
            elif kind in ("freeze", "stall_postgres"):
                target = source.choice([*with_lanes_or_feed, _FEED])
            elif kind in ("cut_postgres", "slow_postgres"):
                target = source.choice([*ours, "all"] if kind == "cut_postgres" else ours)
            elif kind == "kill_at_point":
                point = source.choice(POINTS)
                bank = point.endswith(("upload", "delivery"))
                target = f"{point} of {_FEED if bank else source.choice(with_lanes_or_feed)}"
            elif kind in ("kill_broker", "cut_kafka", "slow_kafka"):
                target = source.choice(brokers)
            elif kind == "disk_full":
                target = source.choice(sorted(services()))
            seconds = round(source.uniform(*KINDS[kind][1]), 1)
            yield Fault(kind, target, seconds, round(source.uniform(2.0, 5.0), 1))


async def _kill_service(house: House, fault: Fault) -> str:
    return await _killed(house, fault.target)


async def _kill_bank(house: House, fault: Fault) -> str:
    return await _killed(house, BANK)


async def _killed(house: House, name: str) -> str:
    """It is over once another life of it has begun."""
    instance = house.instances[name]
    before = instance.running
    if not house.kill(instance):
        return ""
    await _within(30, lambda: instance.running not in (None, before))
    return name


async def _kill_at_point(house: House, fault: Fault) -> str:
    """It dies where it next comes by, and comes back; if it does not in time, it is left alone."""
    point, _, name = fault.target.partition(" of ")
    instance = house.instances[name]
    before = instance.running
    if before is None:
        return ""
    instance.asked = True
    house.tell(instance, die_at=point)
    died = await _within(fault.seconds, lambda: not instance.control.exists())
    if not died:
        house.tell(instance)
        instance.asked = False
        return ""
    await _within(30, lambda: instance.running not in (None, before))
    return fault.target


async def _freeze(house: House, fault: Fault) -> str:
    instance = house.instances[fault.target]
    if not house.freeze(instance):
        return ""
    await asyncio.sleep(fault.seconds)
    house.thaw(instance)
    return f"{fault.target} for {fault.seconds} s"


async def _kill_broker(house: House, fault: Fault) -> str:
    broker = house.cluster.brokers[int(fault.target) - 1]
    await asyncio.to_thread(house.cluster.kill, broker)
    await asyncio.sleep(fault.seconds)
    house.cluster.start(broker)
    await asyncio.to_thread(house.cluster.wait, broker)
    return f"broker {fault.target}, away {fault.seconds} s"


async def _kill_postgres(house: House, fault: Fault) -> str:
    await house.kill_postgres(fault.seconds)
    return f"away {fault.seconds} s"


def _link(state: State, of: str) -> Commit:
    """Break the links of that kind to the target, and mend them."""

    async def commit(house: House, fault: Fault) -> str:
        if fault.target == "all":
            links = [each for name, each in house.links.items() if name.startswith(of)]
        else:
            links = [house.links[of + fault.target]]
        for link in links:
            link.become(state)
        await asyncio.sleep(fault.seconds)
        for link in links:
            link.become("whole")
        return f"{fault.target or of} for {fault.seconds} s"

    return commit


async def _disk_full(house: House, fault: Fault) -> str:
    """Simulated: every insert into the outbox raises disk_full (53100) for a while."""
    await _lay(house, fault.target, _FULL)
    await asyncio.sleep(fault.seconds)
    await _lay(house, fault.target, _ROOM)
    return f"{fault.target}'s outbox for {fault.seconds} s"


async def _lay(house: House, service: str, statements: str) -> None:
    """Run statements in a service's database, however long that may be away for another fault."""
    deadline = monotonic() + _AWAY_SECONDS
    while True:
        try:
            connection = await postgres.connect(house.server, services()[service].database)
            try:
                await connection.execute(statements)
                return
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


async def lay_disks(house: House) -> None:
    """Lay what fills a disk later, so that filling it then takes no lock on the outbox."""
    for service in services():
        await _lay(house, service, _INSTALL)


async def _skew_clock(house: House, fault: Fault) -> str:
    """The process's clock jumps: ahead or behind by a minute to a quarter of an hour, then back."""
    skew = round(random.Random(f"{fault}").uniform(60, 900)) * (1 if fault.seconds * 10 % 2 else -1)
    instance: Instance = house.instances[fault.target]
    house.tell(instance, skew=skew)
    await asyncio.sleep(fault.seconds)
    house.tell(instance)
    return f"{fault.target} by {skew:+} s for {fault.seconds} s"


async def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    for _ in range(int(seconds * 10)):
        if holds():
            return True
        await asyncio.sleep(0.1)
    return holds()


_INSTALL = """
CREATE OR REPLACE FUNCTION chaos_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER chaos_disk BEFORE INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION chaos_disk();
"""
_FULL = """
CREATE OR REPLACE FUNCTION chaos_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
"""
_ROOM = _INSTALL.partition(";\n")[0] + ";"

KINDS: dict[str, tuple[Commit, tuple[float, float]]] = {
    "kill_service": (_kill_service, (0, 0)),
    "kill_bank": (_kill_bank, (0, 0)),
    "kill_at_point": (_kill_at_point, (12, 15)),
    "freeze": (_freeze, (SESSION_SECONDS + 2, SESSION_SECONDS + 5)),
    "kill_broker": (_kill_broker, (2, 8)),
    "kill_postgres": (_kill_postgres, (0.5, 4)),
    "cut_postgres": (_link("cut", "postgres of "), (2, 8)),
    "cut_kafka": (_link("cut", "kafka-"), (2, 8)),
    "cut_sftp": (_link("cut", "sftp"), (2, 8)),
    "stall_postgres": (_link("stalled", "postgres of "), (SESSION_SECONDS + 2, SESSION_SECONDS + 5)),
    "slow_postgres": (_link("slow", "postgres of "), (4, 10)),
    "slow_kafka": (_link("slow", "kafka-"), (4, 10)),
    "slow_sftp": (_link("slow", "sftp"), (4, 10)),
    "disk_full": (_disk_full, (2, 6)),
    "skew_clock": (_skew_clock, (5, 12)),
}
"""Kind → how it is done, and for how many seconds at least and at most."""
