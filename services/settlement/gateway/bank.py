"""The bank as the gateway reaches it: SFTP folders `inbox`, `archive`, `outbox`, and an HTTP enquiry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncssh
import httpx

from goodfunds.errors import Misconfigured, Unavailable

INBOX, ARCHIVE, OUTBOX = "inbox", "archive", "outbox"
_CODE, _REASON = 35, 500
"""The longest of an enquiry's answers that are taken (ISO 20022: Max35Text, Max500Text)."""
_SLOWEST = 100_000
"""Bytes a second of the slowest line to a bank: a large file is given that much more time than a call."""


@dataclass(frozen=True, slots=True)
class BankAddress:
    """Where a bank is. `host_key`: file with its public host key; `timeout` in seconds, of each call.

    What a call carries is given time besides.
    """

    sftp_host: str
    sftp_port: int
    user: str
    password: str
    http: str
    host_key: Path | None = None
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class FileStanding:
    """What a bank answers to an enquiry for a file; `reason_code` and `reason` of one `rejected` whole."""

    found: bool
    rejected: bool = False
    reason_code: str = ""
    reason: str = ""


class Bank:
    """One connection, opened when needed and dropped on any fault. Every call raises Unavailable on a fault.

    A fault says nothing of what the bank did: whoever called asks.
    """

    def __init__(self, address: BankAddress) -> None:
        if address.host_key is None and address.sftp_host not in ("127.0.0.1", "::1", "localhost"):
            raise Misconfigured(
                f"GOODFUNDS_BANK_HOST_KEY must name the public host key of {address.sftp_host}: "
                "without one anybody could answer for the bank"
            )
        self._address = address
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None
        self._http = httpx.AsyncClient(base_url=address.http, timeout=address.timeout)

    async def upload(self, name: str, attempt: int, content: bytes) -> None:
        """Put the content under a temporary name that the bank does not take, and compare what arrived.

        Each attempt has a name of its own: an owner that was frozen in an earlier one and wakes must not
        write into this one between its comparison and its delivery. What earlier ones left is removed.
        """
        path = _temporary(name, attempt)
        # There and, for the comparison, back.
        async with self._calling(f"upload of {name}", 2 * len(content)) as sftp:
            for earlier in range(1, attempt):
                with suppress(asyncssh.SFTPError):
                    await sftp.remove(_temporary(name, earlier))
            async with sftp.open(path, "wb") as file:
                await file.write(content)
            async with sftp.open(path, "rb") as file:
                arrived: Any = await file.read()
            if arrived != content:
                raise Unavailable(
                    f"upload of {name}: {len(arrived)} bytes arrived, not the {len(content)} sent"
                )

    async def deliver(self, name: str, attempt: int) -> None:
        """Rename the upload to its final name: from here on the bank may take it."""
        async with self._calling(f"delivery of {name}") as sftp:
            await sftp.rename(_temporary(name, attempt), f"{INBOX}/{name}.xml")

    async def enquire(self, name: str, message_id: str) -> FileStanding:
        """What the bank knows of a file: by name in its folders, and by its message id over HTTP."""
        async with self._calling(f"enquiry for {name}") as sftp:
            lies_there = [await sftp.exists(f"{folder}/{name}.xml") for folder in (INBOX, ARCHIVE)]
        try:
            told = await self._told(message_id)
        except Unavailable:
            if any(lies_there):
                return FileStanding(True)
            raise
        return told if told.found else FileStanding(any(lies_there))

    async def _told(self, message_id: str) -> FileStanding:
        try:
            answer = await self._http.get(f"/files/{quote(message_id, safe='')}")
        except httpx.HTTPError as fault:
            raise Unavailable(f"enquiry for {message_id}: {fault!r}") from fault
        if answer.status_code == 404:
            return FileStanding(False)
        if answer.status_code != 200:
            raise Unavailable(f"enquiry for {message_id}: the bank answered {answer.status_code}")
        try:
            told = answer.json()
        except ValueError as fault:
            raise Unavailable(f"enquiry for {message_id}: {fault!r}") from fault
        if not isinstance(told, dict) or told.get("group_status") != "RJCT":
            return FileStanding(True)
        code, reason = (str(told.get(name) or "") for name in ("reason_code", "reason"))
        return FileStanding(True, True, code[:_CODE], reason[:_REASON])

    async def answers(self) -> list[str]:
        """Names in the outbox, sorted; what is still being written is left out."""
        async with self._calling("listing of the outbox") as sftp:
            names = [str(name) for name in await sftp.listdir(OUTBOX)]
        return sorted(name for name in names if name.endswith(".xml"))

    async def fetch(self, name: str) -> bytes:
        """The content of an answer."""
        path = f"{OUTBOX}/{name}"
        async with self._calling(f"size of {name}") as sftp:
            size = (await sftp.stat(path)).size or 0
        async with self._calling(f"download of {name}", size) as sftp, sftp.open(path, "rb") as file:
            content = await file.read()
        return content if isinstance(content, bytes) else content.encode()

    async def close(self) -> None:
        """Hang up."""
        self._drop()
        await self._http.aclose()

    @asynccontextmanager
    async def _calling(self, what: str, size: int = 0) -> AsyncIterator[asyncssh.SFTPClient]:
        try:
            async with asyncio.timeout(self._address.timeout + size / _SLOWEST):
                yield await self._connected()
        except (asyncssh.Error, OSError, TimeoutError) as fault:
            self._drop()
            raise Unavailable(f"{what}: {fault!r}") from fault
        except BaseException:
            self._drop()
            raise

    async def _connected(self) -> asyncssh.SFTPClient:
        if self._sftp is None:
            address = self._address
            trusted: Any = None
            if address.host_key is not None:
                trusted = ([asyncssh.read_public_key(address.host_key)], [], [])
            self._connection = await asyncssh.connect(
                address.sftp_host,
                address.sftp_port,
                username=address.user,
                password=address.password,
                known_hosts=trusted,
                client_keys=None,
                config=None,
                agent_path=None,
            )
            self._sftp = await self._connection.start_sftp_client()
        return self._sftp

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()
        self._connection = self._sftp = None


def _temporary(name: str, attempt: int) -> str:
    return f"{INBOX}/{name}.{attempt}.tmp"
