"""The whole stack in one folder: servers, databases, topics and the eight processes, up and down again."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic, sleep

import httpx
import psutil

from goodfunds.errors import Misconfigured
from goodfunds.local import kafka, postgres, processes
from goodfunds.local.processes import Running
from goodfunds.service import migrate_service, services

FOLDER = Path(".goodfunds")
_STATE = "stack.json"
_READY_SECONDS = 60.0
NOSTRO = "DE89370400440532013000"
"""Our account at the sandbox bank (the IBAN registry's own example for Germany)."""
NOSTRO_BIC = "COBADEFFXXX"
HOUSE = "goodfunds house"
_BANK_USER, _BANK_PASSWORD = "goodfunds", "sandbox"

PROCESSES: Mapping[str, tuple[str, ...]] = {
    "sandbox-bank": ("services.sandbox_bank",),
    "ingestion": ("services.ingestion",),
    "ingestion-intake": ("services.ingestion", "intake"),
    "settlement": ("services.settlement",),
    "settlement-gateway": ("services.settlement", "gateway"),
    "reconciliation": ("services.reconciliation",),
    "reconciliation-statements": ("services.reconciliation", "statements"),
    "control-totals": ("services.reconciliation", "control-totals"),
}
"""The eight processes in the order they are started: name → module and its argument."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Stack:
    """What runs and where, as the state file has it. `http` and `running`: by the process' name."""

    folder: Path
    kafka: str
    postgres: str
    partitions: int
    bank_sftp_port: int = 0
    http: dict[str, int] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """The HTTP address of a process."""
        return f"http://127.0.0.1:{self.http[name]}"

    def save(self) -> None:
        """Write the state file, whole or not at all."""
        new = self.folder / f"{_STATE}.new"
        state = {**asdict(self), "folder": str(self.folder)}
        new.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        os.replace(new, self.folder / _STATE)


def read(folder: Path) -> Stack | None:
    """The stack that the state file tells of, running or not."""
    try:
        found = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    running = {name: Running(**each) for name, each in found.pop("running").items()}
    return Stack(**{**found, "folder": folder, "running": running})


def find(folder: Path) -> Stack:
    """The running stack, or the one that GOODFUNDS_KAFKA and GOODFUNDS_POSTGRES point at.

    Raises Misconfigured where there is none.
    """
    stack = read(folder)
    if stack is not None and stack.running and all(each.alive() for each in stack.running.values()):
        return stack
    bootstrap, server = os.environ.get("GOODFUNDS_KAFKA"), os.environ.get("GOODFUNDS_POSTGRES")
    if bootstrap and server:
        partitions = int(os.environ.get("GOODFUNDS_PARTITIONS", "12"))
        return stack or Stack(folder, bootstrap, server, partitions)
    dead = [name for name, each in (stack.running if stack else {}).items() if not each.alive()]
    what = f"not all of it runs ({', '.join(dead)})" if dead else "no stack is up"
    raise Misconfigured(f"{what}: start it with `goodfunds up`")


def up(
    folder: Path, partitions: int = 12, only_infrastructure: bool = False, say: Say = print,
    extra: Mapping[str, Mapping[str, str]] | None = None,
) -> Stack:  # fmt: skip
    """Start what does not run yet; a second call finds everything running. Raises RuntimeError with a log.

    `extra`: more environment by the process' name. What GOODFUNDS_KAFKA and GOODFUNDS_POSTGRES name is used
    instead of a server of our own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stack = read(folder.resolve()) or Stack(folder.resolve(), "", "", partitions)
    if stack.partitions != partitions and stack.kafka:
        raise Misconfigured(
            f"this stack was made with {stack.partitions} partitions; the count is for life: "
            f"`goodfunds down --wipe` removes it with all its data"
        )
    _start_servers(stack, say)
    asyncio.run(_prepare(stack, say))
    if not only_infrastructure:
        _start_processes(stack, say, extra or {})
    return stack


def _start_servers(stack: Stack, say: Say) -> None:
    stack.kafka = os.environ.get("GOODFUNDS_KAFKA", stack.kafka)
    stack.postgres = os.environ.get("GOODFUNDS_POSTGRES", stack.postgres)
    if "GOODFUNDS_POSTGRES" not in os.environ and not _alive(stack, "postgres"):
        say("starting Postgres 18…")
        server = postgres.create(stack.folder / "postgres")
        stack.running["postgres"] = postgres.start(server)
        stack.postgres = server.url
        stack.save()
        asyncio.run(postgres.create_databases(server, [each.database for each in services().values()]))
    if "GOODFUNDS_KAFKA" not in os.environ and not _alive(stack, "kafka"):
        java = kafka.java_command(say)
        say(f"starting Kafka {kafka.VERSION}…")
        broker = kafka.create(stack.folder / "kafka", java)
        stack.running["kafka"] = kafka.start(broker, java)
        stack.kafka = broker.bootstrap
        stack.save()


async def _prepare(stack: Stack, say: Say) -> None:
    for service in services().values():
        applied = await migrate_service(service, stack.postgres)
        if applied:
            say(f"migrated {service.database}: {', '.join(applied)}")
    made = await kafka.create_topics(stack.kafka, stack.partitions)
    if made:
        say(f"created {len(made)} topics of {stack.partitions} partitions")


def _start_processes(stack: Stack, say: Say, extra: Mapping[str, Mapping[str, str]]) -> None:
    stack.bank_sftp_port = stack.bank_sftp_port or processes.free_port()
    for name in PROCESSES:
        stack.http.setdefault(name, processes.free_port())
    missing = [name for name in PROCESSES if not _alive(stack, name)]
    if missing:
        say(f"starting {len(missing)} processes…")
    for name in missing:
        command = [sys.executable, "-m", *PROCESSES[name]]
        stack.running[name] = processes.start(
            command, log(stack, name), {**environment(stack, name), **extra.get(name, {})}
        )
        stack.save()
        if name == "sandbox-bank":
            _wait_until_ready(stack, [name])
    _wait_until_ready(stack, missing)


def log(stack: Stack, name: str) -> Path:
    """Where a process prints."""
    return stack.folder / "logs" / f"{name}.log"


def environment(stack: Stack, name: str) -> dict[str, str]:
    """What a process of the stack is told."""
    host_key = stack.folder / "sandbox-bank" / "ssh_host_key.pub"
    told = {
        "GOODFUNDS_KAFKA": stack.kafka,
        "GOODFUNDS_POSTGRES": stack.postgres,
        "GOODFUNDS_PARTITIONS": str(stack.partitions),
        "GOODFUNDS_HTTP_PORT": str(stack.http[name]),
        "GOODFUNDS_DATA": str(stack.folder),
        "GOODFUNDS_BANK_SFTP": f"127.0.0.1:{stack.bank_sftp_port}",
        "GOODFUNDS_BANK_SFTP_USER": _BANK_USER,
        "GOODFUNDS_BANK_SFTP_PASSWORD": _BANK_PASSWORD,
        "GOODFUNDS_BANK_HTTP": stack.url("sandbox-bank"),
        "GOODFUNDS_NOSTRO": NOSTRO,
        "GOODFUNDS_NOSTRO_BIC": NOSTRO_BIC,
        "GOODFUNDS_HOUSE_NAME": HOUSE,
    }
    if name != "sandbox-bank" and host_key.exists():
        told["GOODFUNDS_BANK_HOST_KEY"] = str(host_key)
    return told


def _wait_until_ready(stack: Stack, names: list[str]) -> None:
    deadline = monotonic() + _READY_SECONDS
    for name in names:
        while True:
            if not _alive(stack, name):
                raise RuntimeError(f"{name} ended:\n{processes.tail(log(stack, name))}")
            reasons = unready(stack, name)
            if not reasons:
                break
            if monotonic() > deadline:
                last = processes.tail(log(stack, name))
                raise RuntimeError(f"{name} is not ready: {'; '.join(reasons)}\n{last}")
            sleep(0.05)


def unready(stack: Stack, name: str) -> list[str]:
    """Why a process says that it is not ready; empty when it is."""
    try:
        answer = httpx.get(f"{stack.url(name)}/readyz", timeout=2.0)
    except httpx.HTTPError as fault:
        return [f"{type(fault).__name__} at its HTTP port"]
    return [] if answer.status_code == 200 else list(answer.json().get("reasons", ["not ready"]))


def down(stack: Stack, say: Say = print) -> None:
    """Stop the processes, then the servers, each by its own pid; their data stays."""
    for name in [*reversed([each for each in stack.running if each in PROCESSES]), "kafka", "postgres"]:
        running = stack.running.pop(name, None)
        if running is None or not running.alive():
            continue
        say(f"stopping {name}")
        if name == "postgres":
            postgres.stop(running)
        else:
            processes.stop(running)
        stack.save()
    stack.save()


def check_alive(stack: Stack) -> None:
    """Raises RuntimeError with the end of its log where a process of the stack has died."""
    for name, running in stack.running.items():
        if not running.alive():
            raise RuntimeError(f"{name} ended:\n{processes.tail(log(stack, name))}")


def memory_mb(running: Running) -> float:
    """Resident memory of a process, MB."""
    try:
        return float(psutil.Process(running.pid).memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def _alive(stack: Stack, name: str) -> bool:
    running = stack.running.get(name)
    return running is not None and running.alive()
