"""Two banks to hold against each other: the simulated one, and the real one behind SFTP and HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from goodfunds.files import camt053, camt054, pain002
from goodfunds.files.records import GroupStatus, PaymentInformationStatus
from goodfunds.files.reports import Entry, Statement, StatementEnd
from goodfunds.sftp import SftpAddress
from services.reconciliation.outbox_folder import OutboxFolder
from services.settlement.gateway.bank import Bank
from tests.integration.sandbox_bank.customer import FUNDS, MONDAY, OURS, Customer, clock, customer
from tests.simulation.bank.bank import SimulatedBank, next_day
from tests.simulation.bank.books import Booking, Terms
from tests.simulation.bank.doors import GatewayDoor, StatementDoor
from tests.simulation.bank.outbox import CAMT054, PAIN002, Fate


class Side(Protocol):
    """A bank with our account, on the Monday, and how to make it act."""

    door: Any
    folder: Any

    async def judge(self) -> None:
        """Whatever was delivered is judged and answered."""

    async def end_day(self) -> None:
        """What is late comes, the day is stated, the next one is open."""

    async def wrong(self, fault: str) -> None:
        """Order a fault by the sandbox bank's name of it, once."""


class Simulated:
    """The simulated side; its gates are open."""

    def __init__(self, booking: str) -> None:
        self.bank = SimulatedBank(MONDAY, clock(), Terms(booking=Booking(booking)))
        self.bank.open_account(OURS, "EUR", FUNDS)
        self.door, self.folder = GatewayDoor(self.bank, _open), StatementDoor(self.bank, _open)

    async def judge(self) -> None:
        self.bank.judge()

    async def end_day(self) -> None:
        self.bank.outbox.release()
        self.bank.end_day()

    async def wrong(self, fault: str) -> None:
        bank = self.bank
        orders: dict[str, Callable[[], None]] = {
            "reject": lambda: bank.reject(code="AG01"),
            "return": lambda: bank.return_later(code="AC04"),
            "contradict_before": lambda: bank.contradict_later(told_first=True),
            "contradict_after": lambda: bank.contradict_later(told_first=False),
            "echo_end_to_end_only": bank.echo_only,
            "lost pain.002": lambda: bank.meet_next(PAIN002, Fate.LOST),
            "lost camt.054": lambda: bank.meet_next(CAMT054, Fate.LOST),
            "doubled camt.054": lambda: bank.meet_next(CAMT054, Fate.DOUBLED),
            "late camt.054": lambda: bank.meet_next(CAMT054, Fate.LATE),
            "short_statement": bank.leave_out_line,
            "wrong_amount_line": bank.misstate_line,
        }
        orders[fault]()


async def _open(gate: str) -> None:
    """Nobody is stopped here."""


class Real:
    """The real side: the house's own client, and the sandbox bank as another company runs it."""

    def __init__(self, us: Customer) -> None:
        address = SftpAddress("127.0.0.1", us.open.sftp_port, "house", "secret")
        self.us = us
        self.door = Bank(address, f"http://127.0.0.1:{us.open.http_port}")
        self.folder = OutboxFolder(address)
        self._day = MONDAY

    async def judge(self) -> None:
        await self.us.idle()

    async def end_day(self) -> None:
        self._day = next_day(self._day)
        await self.us.advance(self._day)

    async def wrong(self, fault: str) -> None:
        once: dict[str, Any] = {"count": 1}
        faults = {
            "reject": {"reject": once | {"reason": "AG01"}},
            "return": {"return": once | {"reason": "AC04"}},
            "contradict_before": {"contradictory_answer": once | {"order": "before"}},
            "contradict_after": {"contradictory_answer": once | {"order": "after"}},
            "lost pain.002": {"lost_answer": once | {"answers": ["pain.002"]}},
            "lost camt.054": {"lost_answer": once | {"answers": ["camt.054"]}},
            "doubled camt.054": {"doubled_answer": once | {"answers": ["camt.054"]}},
            "late camt.054": {"late_answer": once | {"answers": ["camt.054"]}},
        }
        await self.us.put("/faults", {"faults": faults.get(fault, {fault: once})})


@asynccontextmanager
async def opened(side: str, data: Path, booking: str = "individual") -> AsyncIterator[Side]:
    """One of the two, its doors open."""
    if side == "simulated":
        yield Simulated(booking)
        return
    async with customer(data, bank_booking=booking) as us:
        real = Real(us)
        yield real
        await real.door.close()
        await real.folder.close()


async def answers(side: Side, kind: str = "") -> list[bytes]:
    """The answers in the outbox, in the order in which the bank owed them."""
    names = [name for name in await side.door.answers() if name.startswith(kind)]
    return [await content_of(side, name) for name in sorted(names, key=lambda name: name[-12:])]


async def content_of(side: Side, name: str) -> bytes:
    """The content of an answer."""
    content = BytesIO()
    await side.door.download(name, content)
    return content.getvalue()


async def facts(side: Side) -> list[Any]:
    """What the house's readers take from each answer: all but names, times and the bank's references."""
    return [_read(content) for content in await answers(side)]


def _read(content: bytes) -> Any:
    if b"pain.002" in content:
        return status_facts(content)
    return account_facts(content, camt053.read if b"camt.053" in content else camt054.read)


def status_facts(content: bytes) -> Any:
    """A pain.002: the group's status, those of its PmtInfs, and those of transactions."""
    informations, transactions = [], []
    group = None
    for each in pain002.read(BytesIO(content)):
        if isinstance(each, GroupStatus):
            group = (each.original_message_id, each.status, each.reason_code)
        elif isinstance(each, PaymentInformationStatus):
            informations.append((each.payment_information_id, each.status))
        else:
            place = (each.payment_information_id, each.instruction_id, each.end_to_end_id)
            transactions.append((*place, each.status, each.reason_code))
    return "pain.002", group, sorted(informations), transactions


def account_facts(content: bytes, read: Any) -> Any:
    """A camt.053 or camt.054: account, number, balances and entries; no warnings."""
    found: list[Any] = ["camt"]
    for each in read(BytesIO(content)):
        if isinstance(each, Statement):
            found.append((each.account, each.currency, each.from_date, each.to_date))
            if each.balances:
                found.append((each.sequence, [(b.kind, b.amount_minor, b.on) for b in each.balances]))
        elif isinstance(each, Entry):
            found.append(_entry(each))
        elif isinstance(each, StatementEnd):
            found.append(("end", each.entries, each.booked_minor, [str(each.code) for each in each.warnings]))
    return found


def _entry(entry: Entry) -> Any:
    assert entry.bank_reference
    return (
        entry.signed_minor, entry.currency, entry.status, entry.reversal, entry.booking_date,
        entry.value_date,
        [
            (each.message_id, each.payment_information_id, each.number_of_transactions, each.amount_minor)
            for each in entry.batches
        ],
        [
            (
                each.instruction_id, each.end_to_end_id, each.payment_information_id, each.message_id,
                each.amount_minor, each.credit_debit, each.is_return, each.return_code, each.debtor_account,
                each.creditor_account, each.creditor_name, each.remittance_unstructured,
                each.bank_reference == entry.bank_reference,
            )
            for each in entry.transactions
        ],
    )  # fmt: skip
