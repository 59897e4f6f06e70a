"""The house under chaos: servers, links and processes, two of each lane service; ended ones come back."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from goodfunds.events.cluster import create_topics
from goodfunds.https import trusted
from goodfunds.local import house as local_house
from goodfunds.local import postgres, processes
from goodfunds.local.processes import Running
from goodfunds.local.state import Stack
from goodfunds.service import migrate_service, services
from tests.chaos.cluster import BROKERS, Cluster
from tests.chaos.proxy import Link

PARTITIONS = 12
BANK = "sandbox-bank"
TWICE = ("ingestion", "settlement", "reconciliation")
"""Run twice, so that the group gives the lanes of one that is gone to the other."""
_READY_SECONDS = 90.0
_RESTART_SECONDS = 1.0


@dataclass(slots=True)
class Instance:
    """One process. `asked`: that its end was wanted, so that it is no surprise."""

    name: str
    process: str
    http_port: int
    control: Path
    log: Path
    environment: Mapping[str, str]
    running: Running | None = None
    frozen: bool = False
    asked: bool = False
    held_down: bool = False


class House:
    """All of it. `surprises`: processes that ended without being killed, with the end of their logs."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.links: dict[str, Link] = {}
        self.instances: dict[str, Instance] = {}
        self.surprises: list[tuple[str, str]] = []
        self._seed = seed
        self._supervising: asyncio.Task[None] | None = None
        self._postgres_down = False

    async def start(self) -> None:
        """Servers, topics, databases, then the processes. Raises RuntimeError with a log."""
        self.server = postgres.create(self.folder / "postgres")
        self._postgres = postgres.start(self.server)
        await self._start_brokers()
        bootstrap = ",".join(f"127.0.0.1:{self.links[f'kafka-{n}'].port}" for n in range(1, BROKERS + 1))
        self.stack = Stack(self.folder, bootstrap, self.server.url, PARTITIONS)
        await postgres.create_databases(self.server.url, [each.database for each in services().values()])
        for service in services().values():
            await migrate_service(service, self.server.url)
        await create_topics(bootstrap, PARTITIONS, BROKERS, 2)
        await self._start_processes()
        self._supervising = asyncio.create_task(self._supervise())
        await self.until_ready()

    async def _start_brokers(self) -> None:
        ports = [processes.free_port() for _ in range(BROKERS)]
        for number, port in enumerate(ports, 1):
            link = self.links[f"kafka-{number}"] = Link(f"kafka-{number}", port)
            await link.open()
        advertised = [self.links[f"kafka-{n}"].port for n in range(1, BROKERS + 1)]
        self.cluster = Cluster(self.folder, ports, advertised)
        await asyncio.to_thread(self.cluster.format)
        for broker in self.cluster.brokers:
            self.cluster.start(broker)
        for broker in self.cluster.brokers:
            await asyncio.to_thread(self.cluster.wait, broker)

    async def _start_processes(self) -> None:
        self.stack.bank_sftp_port = processes.free_port()
        sftp = self.links["sftp"] = Link("sftp", self.stack.bank_sftp_port)
        await sftp.open()
        for process in local_house.PROCESSES:
            for number in (1, 2) if process in TWICE else (1,):
                name = f"{process}-{number}" if process in TWICE else process
                port = processes.free_port()
                self.stack.http.setdefault(process, port)
                link = self.links[f"postgres of {name}"] = Link(f"postgres of {name}", self.server.port)
                await link.open()
                control = self.folder / "control" / f"{name}.json"
                control.parent.mkdir(exist_ok=True)
                self.instances[name] = Instance(
                    name, process, port, control, self.folder / "logs" / f"{name}.log", {}
                )
        # First, for the others are told its host key.
        self._launch(self.instances[BANK])
        await self._ready(self.instances[BANK])
        for instance in self.instances.values():
            if instance.name != BANK:
                self._launch(instance)

    def _launch(self, instance: Instance) -> None:
        told = local_house.environment(self.stack, instance.process)
        link = self.links[f"postgres of {instance.name}"]
        told |= {
            "GOODFUNDS_HTTP_PORT": str(instance.http_port),
            "GOODFUNDS_POSTGRES": replace(self.server, port=link.port).url,
            "GOODFUNDS_REPLICATED": "true",
            "GOODFUNDS_BANK_TIMEOUT": "5",
            "GOODFUNDS_LATE_WAIT": "10",
            "GOODFUNDS_BANK_SEED": str(self._seed),
        }
        if instance.name != BANK:
            told["GOODFUNDS_BANK_SFTP"] = f"127.0.0.1:{self.links['sftp'].port}"
        command = [sys.executable, "-m", "tests.chaos.instance", str(instance.control)]
        told["PYTHONPATH"] = str(Path(__file__).parents[2])
        instance.running = processes.start(
            [*command, *local_house.PROCESSES[instance.process]], instance.log, told, folder=self.folder
        )
        instance.asked = instance.frozen = False

    async def _supervise(self) -> None:
        """What has ended comes back after a second, as an orchestrator would have it."""
        while True:
            for instance in self.instances.values():
                running = instance.running
                if running is None or running.alive() or instance.held_down:
                    continue
                processes.stop(running)
                if not instance.asked:
                    self.surprises.append((instance.name, processes.tail(instance.log, 4)))
                instance.running = None
                asyncio.get_running_loop().call_later(_RESTART_SECONDS, self._launch, instance)
            await asyncio.sleep(0.1)

    async def until_ready(self) -> None:
        """Wait until every process says that it is ready. Raises RuntimeError."""
        for instance in self.instances.values():
            await self._ready(instance)

    async def _ready(self, instance: Instance) -> None:
        deadline = monotonic() + _READY_SECONDS
        reasons: object = None
        async with httpx.AsyncClient(verify=trusted(), timeout=2) as http:
            while monotonic() < deadline:
                try:
                    answer = await http.get(f"http://127.0.0.1:{instance.http_port}/readyz")
                    if answer.status_code == 200:
                        return
                    reasons = answer.text
                except httpx.HTTPError as fault:
                    reasons = repr(fault)
                await asyncio.sleep(0.2)
        raise RuntimeError(f"{instance.name} is not ready: {reasons}\n{processes.tail(instance.log)}")

    def kill(self, instance: Instance) -> bool:
        """kill -9; whether it ran."""
        running = instance.running
        if running is None or not running.alive():
            return False
        instance.asked = True
        os.kill(running.pid, signal.SIGKILL)
        return True

    def freeze(self, instance: Instance) -> bool:
        """SIGSTOP; whether it ran."""
        running = instance.running
        if running is None or not running.alive():
            return False
        instance.frozen = True
        os.kill(running.pid, signal.SIGSTOP)
        return True

    def thaw(self, instance: Instance) -> None:
        """SIGCONT, where it is still the one that was stopped."""
        if instance.frozen and instance.running is not None and instance.running.alive():
            os.kill(instance.running.pid, signal.SIGCONT)
        instance.frozen = False

    def tell(self, instance: Instance, **told: Any) -> None:
        """Write its control file; nothing told is the file gone."""
        if not told:
            instance.control.unlink(missing_ok=True)
            return
        new = instance.control.with_suffix(".new")
        new.write_text(json.dumps(told))
        new.replace(instance.control)

    async def kill_postgres(self, down_seconds: float) -> None:
        """An immediate shutdown (SIGQUIT): no checkpoint, backends gone; then started again."""
        await asyncio.to_thread(processes.stop, self._postgres, 20.0, signal.SIGQUIT)
        # Its lock file is left behind, as after a crash.
        await asyncio.sleep(down_seconds)
        self._postgres = await asyncio.to_thread(postgres.start, self.server)
        # It listens before it has recovered.
        await (await postgres.connect(self.server)).close()

    async def end(self) -> None:
        """End everything, each by its own pid."""
        if self._supervising is not None:
            self._supervising.cancel()
        for instance in self.instances.values():
            instance.held_down = True
            if instance.running is not None:
                self.thaw(instance)
                if instance.running.alive():
                    os.kill(instance.running.pid, signal.SIGKILL)
                processes.stop(instance.running)
        if hasattr(self, "cluster"):
            await asyncio.to_thread(self.cluster.stop)
        if hasattr(self, "_postgres"):
            await asyncio.to_thread(postgres.stop, self._postgres)
        for link in self.links.values():
            await link.close()
