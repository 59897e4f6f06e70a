"""A stack of its own for a module, as a person has it: commands in processes, tokens of people."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from goodfunds.local.stack import find
from goodfunds.service import services

LONGEST = 240.0
"""Seconds for one command: the demo takes about twenty; the rest is for a machine that others use too."""
OPERATOR = ("lanes:read", "lanes:operate", "lanes:approve")


@dataclass(frozen=True)
class House:
    """A stack that has done the main job once, and what the demo printed of it."""

    folder: Path
    outcome: Mapping[str, Any]

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return command(self.folder, arguments, environment)

    def asked(self, *arguments: str, **environment: str) -> Any:
        return json.loads(_done(self.run(*arguments, **environment)).splitlines()[-1])

    def database(self, service: str) -> str:
        return f"{find(self.folder).postgres.rstrip('/')}/{services()[service].database}"


@dataclass(frozen=True)
class Person:
    """Whoever acts with a token of their own."""

    house: House
    token: str

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.house.run(*arguments, GOODFUNDS_TOKEN=self.token)

    def asked(self, *arguments: str) -> Any:
        return self.house.asked(*arguments, GOODFUNDS_TOKEN=self.token)


def person(house: House, name: str) -> Person:
    """Someone who may plan and approve."""
    scopes = [word for scope in OPERATOR for word in ("--scope", scope)]
    made = house.asked("tokens", "create", "--client", name, *scopes, "--days", "1", "--json")
    return Person(house, made["token"])


def command(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """`goodfunds`, as a person starts it."""
    goodfunds = str(Path(sys.executable).with_name("goodfunds"))
    return subprocess.run(
        [goodfunds, "--folder", str(folder), *arguments],
        capture_output=True, text=True, timeout=LONGEST, check=False,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip


@contextmanager
def stack_of_a_demo(folder: Path, payments: int, *options: str) -> Iterator[House]:
    """The demo on a stack that stays, wiped at the end."""
    try:
        demo = ["demo", "--keep", "--json", "--payments", str(payments), *options]
        yield House(folder, json.loads(_done(command(folder, demo)).splitlines()[-1]))
    finally:
        command(folder, ["down", "--wipe"])


async def until(what: str, found: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Wait until that is found; fails with what was found instead."""
    deadline = monotonic() + LONGEST
    while (last := await found()) != wanted:
        assert monotonic() < deadline, f"{what}: {last}, not {wanted}"
        await asyncio.sleep(0.1)


def _done(answer: "subprocess.CompletedProcess[str]") -> str:
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout
