"""The whole stack in one folder: servers, databases, topics and the eight processes, up and down again."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import psutil

from goodfunds.errors import Misconfigured
from goodfunds.events.cluster import create_topics
from goodfunds.local import house, postgres, processes
from goodfunds.local.house import HOUSE, NOSTRO, NOSTRO_BIC, PROCESSES, environment, unready
from goodfunds.local.processes import Running
from goodfunds.local.providers import PROVIDERS, checked_kafka, choose, named
from goodfunds.local.state import FOLDER, SERVERS, Say, Stack, read
from goodfunds.local.turn import LOCKS, turn
from goodfunds.service import migrate_service, services

__all__ = [
    "FOLDER", "HOUSE", "NOSTRO", "NOSTRO_BIC", "PROCESSES", "Say", "Stack", "check_alive", "checked_kafka",
    "dead", "down", "environment", "find", "memory_mb", "read", "unready", "up", "wipe",
]  # fmt: skip


def find(folder: Path, whole: bool = True) -> Stack:
    """The running stack, or the one that GOODFUNDS_KAFKA and GOODFUNDS_POSTGRES point at.

    `whole`: all that was started has to run; else any of it. Raises Misconfigured where there is none, or
    where these variables name no servers.
    """
    stack = read(folder)
    gone = dead(stack) if stack else []
    if stack is not None and not whole and len(gone) < len(stack.running) + len(stack.containers):
        return stack
    if stack is not None and (stack.running or stack.containers) and not gone:
        return stack
    bootstrap, server = named("kafka"), named("postgres")
    if bootstrap and server:
        return stack or Stack(folder, bootstrap, server, _partitions())
    what = f"not all of it runs ({', '.join(gone)})" if gone else "no stack is up"
    raise Misconfigured(f"{what}: start it with `goodfunds up`")


def _partitions() -> int:
    told = os.environ.get("GOODFUNDS_PARTITIONS", "12")
    if not (told.isascii() and told.isdigit() and 1 <= int(told[:5]) <= 9_999):
        raise Misconfigured(f"GOODFUNDS_PARTITIONS is {told[:40]!r}, and no number from 1 to 9,999")
    return int(told)


def dead(stack: Stack) -> list[str]:
    """What was started and does not run."""
    ended = [name for name, running in stack.running.items() if not running.alive()]
    return ended + [name for name in stack.containers if not PROVIDERS["docker"].alive(stack, name)]


def up(
    folder: Path, partitions: int = 12, only_infrastructure: bool = False, say: Say = print,
    extra: Mapping[str, Mapping[str, str]] | None = None, provider: str | None = None,
    temporary: bool = False,
) -> Stack:  # fmt: skip
    """Start what does not run yet; a second call finds everything running. Raises RuntimeError with a log.

    `extra`: more environment by the process' name. `provider`: embedded or docker; by default what the stack
    was made with. What GOODFUNDS_KAFKA and GOODFUNDS_POSTGRES name is used instead of a server of our own.
    """
    with turn(folder, say):
        folder = folder.resolve()
        stack = _read_or_new(folder, partitions, temporary)
        stack.providers.update({server: choose(stack, server, provider) for server in SERVERS})
        stack.temporary = stack.temporary and temporary
        stack.save()
        moved = _start_servers(stack, say)
        asyncio.run(_prepare(stack, say))
        if not only_infrastructure:
            house.start(stack, say, extra or {}, wait_for_all=moved)
        return stack


def _read_or_new(folder: Path, partitions: int, temporary: bool) -> Stack:
    stack = read(folder)
    if stack is None:
        if {each.name for each in folder.iterdir()} - LOCKS:
            raise Misconfigured(f"{folder} holds something that is no stack: name another --folder")
        return Stack(folder, "", "", partitions, temporary=temporary)
    if stack.partitions != partitions and stack.kafka:
        raise Misconfigured(
            f"this stack was made with {stack.partitions} partitions; the count is for life: "
            f"`goodfunds down --wipe` removes it with all its data"
        )
    stack.partitions = partitions
    return stack


def _start_servers(stack: Stack, say: Say) -> bool:
    """Whether one was started: what runs already needs a while to find it again."""
    told, started = (stack.kafka, stack.postgres), False
    for server in SERVERS:
        provider = PROVIDERS[stack.providers[server]]
        if not provider.alive(stack, server):
            address = provider.start(stack, server, say)
            stack.kafka, stack.postgres = (
                (address, stack.postgres) if server == "kafka" else (stack.kafka, address)
            )
            stack.save()
            started = True
    if told != (stack.kafka, stack.postgres):
        # Processes that still run know the old addresses.
        house.stop(stack, say)
    return started


async def _prepare(stack: Stack, say: Say) -> None:
    await postgres.create_databases(stack.postgres, [each.database for each in services().values()])
    for service in services().values():
        applied = await migrate_service(service, stack.postgres)
        if applied:
            say(f"migrated {service.database} ({len(applied)} scripts)")
    made = await create_topics(stack.kafka, stack.partitions)
    if made:
        say(f"created {len(made)} topics of {stack.partitions} partitions")


def down(stack: Stack, say: Say = print) -> None:
    """Stop the processes, then the servers, each by its own pid or container; their data stays."""
    with turn(stack.folder, say):
        _stop(stack, say)


def _stop(stack: Stack, say: Say) -> None:
    house.stop(stack, say)
    for server in reversed(SERVERS):
        # A folder of an earlier build names no provider: its servers are embedded.
        provider = PROVIDERS[stack.providers.get(server, "embedded")]
        if provider.alive(stack, server):
            say(f"stopping {server}")
        provider.stop(stack, server)
        stack.save()


def wipe(folder: Path, say: Say = print) -> None:
    """Stop the stack of a folder, if it runs, and remove it with all its data.

    Raises Misconfigured where the folder holds no stack: then what lies there is not ours to remove.
    """
    if not folder.exists():
        return
    with turn(folder, say):
        stack = read(folder.resolve())
        if stack is not None:
            _stop(stack, say)
            for server, provider in stack.providers.items():
                PROVIDERS[provider].wipe(stack, server)
        elif {each.name for each in folder.iterdir()} - LOCKS:
            raise Misconfigured(f"{folder} holds no stack, so nothing of it is removed")
        shutil.rmtree(folder)


def check_alive(stack: Stack) -> None:
    """Raises RuntimeError with the end of its log where a process of the stack has died."""
    for name, running in stack.running.items():
        if not running.alive():
            raise RuntimeError(f"{name} ended:\n{processes.tail(stack.log(name))}")


def memory_mb(running: Running) -> float:
    """Resident memory of a process, MB."""
    try:
        return float(psutil.Process(running.pid).memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0
