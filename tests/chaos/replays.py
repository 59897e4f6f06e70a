"""Replays while faults go on: operators plan them over HTTP, another approves, owners of lanes run them."""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from goodfunds.https import trusted
from goodfunds.operating.scopes import SCOPES
from tests.chaos.house import TWICE, House
from tests.tokens import bearer, token_of

_OPERATORS: Final = ("operator", "approver")
_EVERY_SECONDS = 4.0
_LOOK_SECONDS = 0.5
_LONGEST_SECONDS = 90.0
_BACK_SECONDS = (5, 60)
_ENDED: Final = frozenset({"done", "failed", "drifted", "aborted"})


@dataclass(slots=True)
class Replayed:
    """How often each end was met, what the runs handled and changed, and why some did not get to be done.

    `changed`: rows that rehearsals foresaw or runs changed, `told`: events, both 0 of healthy handlers.
    """

    ends: Counter[str] = field(default_factory=Counter)
    records: int = 0
    changed: int = 0
    told: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, plan: dict[str, Any]) -> None:
        """Count one that is over, or was given up."""
        foreseen, outcome = plan["forecast"] or {}, plan["outcome"] or {}
        state = plan["state"]
        self.ends[state if state in _ENDED else "given up"] += 1
        if plan["fault"]:
            self.reasons[plan["fault"].splitlines()[0][:160]] += 1
        self.records += outcome.get("handled", 0)
        self.changed += outcome.get("rows_changed", 0) + foreseen.get("rewritten", 0)
        self.changed += sum(sum(each.values()) for each in foreseen.get("rows", {}).values())
        self.told += outcome.get("events_emitted", 0)

    @property
    def clean(self) -> bool:
        """Whether nothing was changed by any."""
        return not self.changed and not self.told and not self.ends["drifted"]


class Replays:
    """One after another, each of some lanes' last seconds, asked of whichever instance answers."""

    def __init__(self, house: House, seed: int) -> None:
        self.replayed = Replayed()
        self._house = house
        self._random = random.Random(seed)
        self._tokens: dict[str, tuple[str, ...]] = {}

    async def enter(self) -> None:
        """Give the operators their tokens at every service; before there are faults."""
        for service in TWICE:
            dsn = self._house.server.dsn(service)
            self._tokens[service] = tuple([await token_of(dsn, name, *SCOPES) for name in _OPERATORS])

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; what is under way then is ended or given up in time."""
        while not stop.is_set():
            await self._one(self._random.choice(TWICE))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY_SECONDS)

    async def _one(self, service: str) -> None:
        loop, now = asyncio.get_running_loop(), datetime.now(UTC)
        wanted = {
            "kind": "replay", "reason": "chaos",
            "lanes": sorted(self._random.sample(range(12), self._random.choice((1, 3, 12)))),
            "from_time": (now - timedelta(seconds=self._random.randint(*_BACK_SECONDS))).isoformat(),
        }  # fmt: skip
        planned = await self._ask(service, "POST", "", wanted)
        if planned.status_code != 202:
            self.replayed.ends["refused"] += 1
            self.replayed.reasons[str(planned.json().get("code"))] += 1
            return
        place, plan = "/" + planned.json()["plan_id"], planned.json()
        deadline = loop.time() + _LONGEST_SECONDS
        while loop.time() < deadline and plan["state"] not in _ENDED and not plan["given_up"]:
            if plan["state"] == "rehearsed":
                await self._ask(service, "POST", f"{place}/approve", by=1)
            elif plan["state"] == "approved":
                await self._ask(service, "POST", f"{place}/run")
            await asyncio.sleep(_LOOK_SECONDS)
            plan = (await self._ask(service, "GET", place)).json()
        if plan["state"] not in _ENDED:
            await self._ask(service, "POST", f"{place}/abort")
        self.replayed.count(plan)

    async def _ask(
        self, service: str, method: str, path: str, body: dict[str, Any] | None = None, by: int = 0
    ) -> httpx.Response:
        """Ask until an instance answers for itself and its neighbours."""
        doors = [each for each in self._house.instances.values() if each.process == service]
        async with httpx.AsyncClient(
            verify=trusted(), timeout=10, headers=bearer(self._tokens[service][by])
        ) as http:
            while True:
                door = self._random.choice(doors)
                with contextlib.suppress(httpx.HTTPError):
                    answer = await http.request(
                        method, f"http://127.0.0.1:{door.http_port}/v1/replays{path}", json=body
                    )
                    if answer.status_code < 500:
                        return answer
                await asyncio.sleep(_LOOK_SECONDS)
