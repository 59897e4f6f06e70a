"""A customer of the bank: makes payment files, uploads them by SFTP, asks over HTTP, reads what came."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import asyncssh
import httpx

from goodfunds.clock import Clock, FixedClock
from goodfunds.https import trusted
from goodfunds.money import format_amount
from services.sandbox_bank.app import OpenBank, open_bank
from services.sandbox_bank.settings import Settings

OURS = "DE89370400440532013000"
CREDITORS = ("FR1420041010050500013M02606", "NL91ABNA0417164300", "AT611904300234573201")
MONDAY = date(2026, 3, 2)
TUESDAY, WEDNESDAY, THURSDAY = date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5)
FUNDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Pay:
    """A payment to ask for; creditor by number."""

    number: int
    amount_minor: int = 100
    on: date = MONDAY
    information: str = "0001-BATCH"
    creditor: str = ""

    @property
    def instruction_id(self) -> str:
        return f"0001-PAYMENT{self.number:06d}"

    @property
    def end_to_end_id(self) -> str:
        return f"E2E-{self.number}"


def payment_file(message_id: str, payments: Sequence[Pay], debtor: str = OURS) -> bytes:
    """A pain.001.001.09 of these payments, a PmtInf for each (information, date), sums right."""
    groups: dict[tuple[str, date], list[Pay]] = {}
    for payment in payments:
        groups.setdefault((payment.information, payment.on), []).append(payment)
    total = format_amount(sum(payment.amount_minor for payment in payments), "EUR")
    blocks = "".join(
        _block(information, on, members, debtor) for (information, on), members in groups.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
        f"<GrpHdr><MsgId>{escape(message_id)}</MsgId><CreDtTm>2026-03-02T08:00:00Z</CreDtTm>"
        f"<NbOfTxs>{len(payments)}</NbOfTxs><CtrlSum>{total}</CtrlSum><InitgPty><Nm>House</Nm></InitgPty></GrpHdr>"
        f"{blocks}</CstmrCdtTrfInitn></Document>"
    ).encode()


def _block(information: str, on: date, members: Sequence[Pay], debtor: str) -> str:
    total = format_amount(sum(payment.amount_minor for payment in members), "EUR")
    transactions = "".join(
        f"<CdtTrfTxInf><PmtId><InstrId>{each.instruction_id}</InstrId><EndToEndId>{each.end_to_end_id}</EndToEndId>"
        f'</PmtId><Amt><InstdAmt Ccy="EUR">{format_amount(each.amount_minor, "EUR")}</InstdAmt></Amt>'
        "<CdtrAgt><FinInstnId><BICFI>BNPAFRPPXXX</BICFI></FinInstnId></CdtrAgt><Cdtr><Nm>Creditor</Nm></Cdtr>"
        f"<CdtrAcct><Id><IBAN>{each.creditor or CREDITORS[each.number % 3]}</IBAN></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>Invoice {each.number}</Ustrd></RmtInf></CdtTrfTxInf>"
        for each in members
    )
    return (
        f"<PmtInf><PmtInfId>{information}</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>{len(members)}</NbOfTxs>"
        f"<CtrlSum>{total}</CtrlSum><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>"
        f"<ReqdExctnDt><Dt>{on.isoformat()}</Dt></ReqdExctnDt><Dbtr><Nm>House</Nm></Dbtr>"
        f"<DbtrAcct><Id><IBAN>{debtor}</IBAN></Id></DbtrAcct>"
        "<DbtrAgt><FinInstnId><BICFI>SANDDEFFXXX</BICFI></FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>"
        f"{transactions}</PmtInf>"
    )


def bank_settings(data: Path, **changes: Any) -> Settings:
    """Settings of a bank whose first business day is the Monday, on free ports, that hardly ever sweeps."""
    fields: dict[str, Any] = {
        "data": data,
        "bank_sftp_user": "house",
        "bank_sftp_password": "secret",
        "bank_business_day": MONDAY,
        "bank_sweep_seconds": 60.0,
    }
    return Settings(**(fields | changes))


def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 20.0) -> None:
    """Wait for a condition, asked again and again until a deadline."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"never happened: {what}"
        await asyncio.sleep(0.01)


@dataclass(slots=True)
class Customer:
    """An open bank, an SFTP session and an HTTP client."""

    open: OpenBank
    http: httpx.AsyncClient
    sftp: asyncssh.SFTPClient

    async def upload(self, name: str, content: bytes) -> None:
        """Upload under a temporary name, then rename: from here on the bank has it."""
        await self.upload_draft(f"{name}.tmp", content)
        await self.sftp.rename(f"inbox/{name}.tmp", f"inbox/{name}.xml")

    async def upload_draft(self, name: str, content: bytes) -> None:
        """Upload under a temporary name; the bank takes nothing yet."""
        async with self.sftp.open(f"inbox/{name}", "wb") as file:
            await file.write(content)

    async def submit(self, message_id: str, payments: Sequence[Pay], name: str = "") -> None:
        """Upload a file of payments and wait until the bank has judged, answered and archived it."""
        await self.upload(name or message_id, payment_file(message_id, payments))
        await self.idle()

    async def idle(self) -> None:
        """Wait until the bank has nothing left to judge or to send."""

        store = self.open.bank.store

        async def nothing_left() -> bool:
            return not store.all("files_under_way") and not store.all("answers_due", ("9",))

        await until(nothing_left, "the bank is idle")

    async def answers(self, kind: str = "") -> list[str]:
        names = [str(name) for name in await self.sftp.listdir("outbox") if str(name).endswith(".xml")]
        return sorted((name for name in names if name.startswith(kind)), key=lambda name: name[-12:])

    async def read(self, name: str) -> bytes:
        async with self.sftp.open(f"outbox/{name}", "rb") as file:
            content = await file.read()
        assert isinstance(content, bytes)
        return content

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    async def put(self, path: str, body: object) -> Any:
        answer = await self.http.put(path, json=body)
        assert answer.status_code in (200, 201), (path, answer.status_code, answer.text)
        return answer.json()

    async def advance(self, to: date) -> list[str]:
        """End days; the names of the statements written."""
        answer = await self.http.post("/business-day/advance", json={"to": to.isoformat()})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["statements"])

    async def books(self) -> dict[str, list[dict[str, Any]]]:
        """The bank's books as an auditor gets them."""
        answer = await self.http.get("/books")
        found: dict[str, list[dict[str, Any]]] = {
            book: []
            for book in (
                "bank",
                "accounts",
                "files",
                "payments",
                "transfers",
                "answers",
                "told",
                "damaged_lines",
                "faults",
            )
        }
        for line in answer.iter_lines():
            row = _json(line)
            found[row.pop("book")].append(row)
        return found


def _json(line: str) -> dict[str, Any]:
    return dict(httpx.Response(200, content=line).json())


def session(opened: OpenBank, **options: Any) -> Any:
    """An SSH connection to the bank, whose host key is known."""
    key = asyncssh.read_public_key(opened.bank.folders.data / "ssh_host_key.pub")
    usual: dict[str, Any] = {
        "username": "house",
        "password": "secret",
        "known_hosts": ([key], [], []),
        "client_keys": None,
        "config": None,
        "agent_path": None,
    }
    return asyncssh.connect("127.0.0.1", opened.sftp_port, **(usual | options))


@asynccontextmanager
async def customer(
    data: Path, funds: int = FUNDS, at: Clock | None = None, **changes: Any
) -> AsyncIterator[Customer]:
    """A bank with our account open, and us as its customer."""
    async with open_bank(bank_settings(data, **changes), at or clock()) as opened:
        base = f"http://127.0.0.1:{opened.http_port}"
        async with (
            httpx.AsyncClient(verify=trusted(), base_url=base, timeout=30) as http,
            session(opened) as connection,
            connection.start_sftp_client() as sftp,
        ):
            found = Customer(opened, http, sftp)
            await found.put(f"/accounts/{OURS}", {"currency": "EUR", "balance_minor": funds, "name": "House"})
            yield found
