"""Telling a story from beginning to end: fresh databases, its steps, quiet, and the audit of what came."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from itertools import count
from os import getpid
from typing import Any

from goodfunds.local import postgres as embedded
from tests.auditor.audit import audit
from tests.auditor.evidence import Evidence, LogRecord
from tests.auditor.reading import read_database
from tests.simulation import databases, story
from tests.simulation.bank.evidence import bank_books
from tests.simulation.steps import Step
from tests.simulation.virtual_time import Stuck, VirtualTimeLoop
from tests.simulation.world import DAWN, PARTITIONS, World

_STORIES = count(1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a story came to: its lines, what is wrong, and how much happened in it."""

    told: tuple[str, ...]
    findings: tuple[str, ...]
    payments: int
    records: int
    virtual_seconds: float


class Stage:
    """A server on which stories are told, one after another, each in databases of its own."""

    def __init__(self, server: embedded.Server) -> None:
        self.server = server
        asyncio.run(databases.make_templates(server, DAWN.date()))

    def tell(self, seed: int, steps: Sequence[Step]) -> Outcome:
        """Tell a story. The seed decides what the steps leave to chance; the same two give the same story."""
        performance = Performance(self, seed)
        for step in steps:
            if not performance.do(step):
                break
        return performance.finish()


class Performance:
    """A story that is being told, step by step."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._server = stage.server
        self._name = f"story_{getpid()}_{next(_STORIES)}"
        dsns = asyncio.run(databases.create(self._server, self._name, DAWN, PARTITIONS))
        self._world = World(seed, dsns)
        self._runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self._simulated = self._world.simulated()
        self._simulated.__enter__()
        self._findings: list[str] = []
        self._run(story.begin(self._world))

    def do(self, step: Step) -> bool:
        """Let a step happen. False once the story has fallen."""
        return not self._findings and self._run(story.tell(self._world, step))

    def finish(self) -> Outcome:
        """Let everything come to its end, audit it, and remove what the story was told on."""
        world = self._world
        try:
            if not self._findings:
                self._run(story.quieten(world))
            seconds = self._runner.run(_end(world))
            self._runner.close()
        finally:
            self._simulated.__exit__(None, None, None)
        try:
            if not self._findings:
                self._findings = asyncio.run(_audited(world))
        finally:
            asyncio.run(databases.drop(self._server, self._name))
        return Outcome(
            tuple(world.told),
            tuple(self._findings),
            len(world.client.given),
            len(world.log.records()),
            round(seconds, 3),
        )

    def _run(self, act: Coroutine[Any, Any, None]) -> bool:
        try:
            self._runner.run(act)
        except story.Fallen as fallen:
            self._findings = list(fallen.findings)
        except Stuck as stuck:
            self._findings = [f"nobody can go on: {stuck}"]
        return not self._findings


async def _end(world: World) -> float:
    seconds = asyncio.get_running_loop().time()
    await world.end()
    return seconds


async def _audited(world: World) -> list[str]:
    ingestion, settlement, reconciliation = [
        await read_database(world.dsns[service], service)
        for service in ("ingestion", "settlement", "reconciliation")
    ]
    books = bank_books(world.bank)
    evidence = Evidence(
        partitions=PARTITIONS,
        given=world.client.given,
        accounts=world.client.accounts,
        fundings=world.client.fundings,
        log=[
            LogRecord(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
            for r in world.log.records()
        ],
        ingestion=ingestion,
        settlement=settlement,
        reconciliation=reconciliation,
        transfers=books.transfers,
        files=books.files,
        bank_accounts=books.accounts,
        faults=books.faults,
    )
    return [str(finding) for finding in audit(evidence).findings]
