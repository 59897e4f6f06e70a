"""The load: instructions on the topic and in files, as many clients give them; and what was given."""

import asyncio
import contextlib
import random
from collections.abc import Coroutine, Sequence
from datetime import date
from hashlib import sha256
from itertools import count
from time import monotonic
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction
from goodfunds.https import trusted
from goodfunds.lanes import lane_of
from goodfunds.local.demo_file import demo_file, iban
from tests.auditor.evidence import Given, GivenAccount, GivenFunding
from tests.auditor.pain001 import given_by_file
from tests.chaos.house import PARTITIONS, House
from tests.tokens import token_of

CLIENT, FILES_CLIENT = "chaos", "chaos-files"
ACCOUNTS = 120
POOR = 6
"""So many of the accounts are funded for a few payments only, and run out of money."""
_FILE_PAYMENTS = 40
_FILE_EVERY_SECONDS = 4.0
_TICK = 0.1
_DUPLICATED, _CONFLICTING, _MISPLACED = 0.02, 0.005, 0.01


class Load:
    """Gives instructions at a rate, remembers each, and tries again with the same key what got no answer."""

    def __init__(self, house: House, seed: int) -> None:
        self.given: list[Given] = []
        self.accounts: list[GivenAccount] = []
        self.fundings: list[GivenFunding] = []
        self.acknowledged = 0
        self.rate = 0.0
        self._house = house
        self._random = random.Random(seed)
        self._numbers = count(1)
        self._sending: set[asyncio.Task[None]] = set()
        self._producer: AIOKafkaProducer | None = None
        self._files = 0
        self._token = ""
        self._names = [iban("DE", f"50010517{number + 1:010d}") for number in range(ACCOUNTS)]
        self._creditor = iban("DE", "500105170000000001")

    async def open_accounts(self) -> None:
        """Open and fund every account, through the topic, and the debtors of the files to come."""
        self._token = await token_of(self._house.server.dsn("ingestion"), FILES_CLIENT, "payments:write")
        opened = await self._connected()
        rich = 10**12
        debtors = {each.debtor_account for each in given_by_file(self._file(0), FILES_CLIENT)}
        for number, name in enumerate([*self._names, *sorted(debtors - {*self._names})]):
            minor = 5_000 if number < POOR else rich
            wishes = (
                AccountOpenRequested(CLIENT, f"open-{name}", name, "EUR", "Ada Almeida"),
                AccountFundRequested(minor, CLIENT, f"fund-{name}", name, "EUR", "chaos"),
            )
            self.accounts.append(GivenAccount(CLIENT, f"open-{name}", name, "EUR"))
            self.fundings.append(GivenFunding(CLIENT, f"fund-{name}", name, minor, "EUR"))
            for wish in wishes:
                await opened.send_and_wait(
                    PAYMENT_INSTRUCTIONS, wish.encode(), name.encode(), lane_of(name, PARTITIONS)
                )

    async def run(self, stop: asyncio.Event) -> None:
        """Give instructions at `rate` a second until `stop`."""
        owed, file_at, last = 0.0, monotonic(), monotonic()
        while not stop.is_set():
            now = monotonic()
            # What could not be given in time is not made up for: clients do not hurry after an outage.
            owed = min(owed + (now - last) * self.rate, self.rate)
            last = now
            while owed >= 1:
                owed -= 1
                self._start(self.give_one())
            if now >= file_at and self.rate:
                file_at = now + _FILE_EVERY_SECONDS
                self._start(self._give_file())
            await asyncio.sleep(_TICK)

    async def burst(self, payments: int) -> None:
        """Give so many at once."""
        await asyncio.gather(*(self.give_one(plain=True) for _ in range(payments)))

    async def finish(self, seconds: float) -> int:
        """Wait for what is still being tried; how many got no answer in the end."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=seconds)
        left = len(self._sending)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._producer is not None:
            await self._producer.stop()
        return left

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def give_one(self, plain: bool = False) -> None:
        """One instruction; now and then given twice, in conflict with itself, or on a wrong partition."""
        number, chance = next(self._numbers), 1.0 if plain else self._random.random()
        account = self._random.choice(self._names[POOR:] if plain else self._names)
        wanted = self._instruction(number, account, self._random.randint(1, 99_999))
        lane = lane_of(account, PARTITIONS)
        if chance < _MISPLACED:
            lane = (lane + 1) % PARTITIONS
        copies = [wanted]
        if _MISPLACED <= chance < _MISPLACED + _CONFLICTING:
            copies.append(self._instruction(number, account, wanted.amount_minor + 1))
        elif _MISPLACED + _CONFLICTING <= chance < _MISPLACED + _CONFLICTING + _DUPLICATED:
            copies.append(wanted)
        for copy in copies:
            place = len(self.given)
            self.given.append(_given(copy, lane, acknowledged=False))
            await self._until_answered(copy, lane)
            self.given[place] = _given(copy, lane, acknowledged=True)
        self.acknowledged += 1

    async def _until_answered(self, instruction: PaymentInstruction, lane: int) -> None:
        value, key = instruction.encode(), instruction.debtor_account.encode()
        while True:
            try:
                producer = await self._connected()
                await producer.send_and_wait(PAYMENT_INSTRUCTIONS, value, key, lane)
                return
            except (KafkaError, OSError, AssertionError):
                # The same key may be given again: that is what it is for.
                await asyncio.sleep(0.5)

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            made = AIOKafkaProducer(
                bootstrap_servers=self._house.stack.kafka, acks="all", enable_idempotence=True, linger_ms=5,
                request_timeout_ms=10_000,
            )  # fmt: skip
            await made.start()
            self._producer = made
        return self._producer

    def _instruction(self, number: int, account: str, minor: int) -> PaymentInstruction:
        return PaymentInstruction(
            minor, date.today(), "EUR", "sepa-credit", CLIENT, f"key-{number}", f"E2E-{number}", "",  # noqa: DTZ011 - a local day will do
            account, "Ada Almeida", self._creditor, "Bruno Bauer", "", "SLEV", f"Invoice {number}", "", "",
            "", "", "", "", (),
        )  # fmt: skip

    def _file(self, number: int) -> bytes:
        return demo_file(_FILE_PAYMENTS, 20, date.today(), seed=number, name=f"F{number}")  # noqa: DTZ011

    async def _give_file(self) -> None:
        """A file over HTTP, to either instance, until one answers for it."""
        self._files += 1
        content = self._file(self._files)
        wanted = given_by_file(content, FILES_CLIENT)
        start = len(self.given)
        self.given += _all(wanted, acknowledged=False)
        doors = [each for each in self._house.instances.values() if each.process == "ingestion"]
        async with httpx.AsyncClient(verify=trusted(), timeout=10) as http:
            while True:
                door = self._random.choice(doors)
                with contextlib.suppress(httpx.HTTPError):
                    answer = await http.post(
                        f"http://127.0.0.1:{door.http_port}/v1/payment-files",
                        content=content, headers={"Authorization": f"Bearer {self._token}"},
                    )  # fmt: skip
                    if answer.status_code in (200, 202):
                        break
                await asyncio.sleep(0.5)
        self.given[start : start + len(wanted)] = _all(wanted, acknowledged=True)
        self.acknowledged += len(wanted)


def _given(instruction: PaymentInstruction, lane: int, acknowledged: bool) -> Given:
    return Given(
        instruction.client, instruction.idempotency_key, instruction.debtor_account,
        instruction.creditor_account, instruction.amount_minor, instruction.currency,
        instruction.requested_execution_date, instruction.end_to_end_id,
        sha256(instruction.encode()[5:]).digest(), (PAYMENT_INSTRUCTIONS, lane), acknowledged,
    )  # fmt: skip


def _all(given: Sequence[Given], acknowledged: bool) -> list[Given]:
    return [
        Given(
            each.client, each.idempotency_key, each.debtor_account, each.creditor_account, each.amount_minor,
            each.currency, each.requested_date, each.end_to_end_id, acknowledged=acknowledged,
        )
        for each in given
    ]  # fmt: skip
