"""The bank as the gateway reaches it: SFTP folders `inbox`, `archive`, `outbox`, and an HTTP enquiry."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

import httpx

from goodfunds.errors import Unavailable
from goodfunds.https import trusted
from goodfunds.sftp import SftpAddress, SftpFolders

INBOX, ARCHIVE, OUTBOX = "inbox", "archive", "outbox"
_CODE, _REASON = 35, 500
"""The longest of an enquiry's answers that are taken (ISO 20022: Max35Text, Max500Text)."""


class Rejection(NamedTuple):
    """That a bank told an enquiry: definitive, of a whole file or of one payment."""

    reason_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileStanding:
    """What a bank answers to an enquiry for a file; `rejection` of one that it refused whole."""

    found: bool
    rejection: Rejection | None = None


class Bank:
    """SFTP at an address, and HTTP at a URL. Every call raises Unavailable on a fault.

    A fault says nothing of what the bank did: whoever called asks.
    """

    def __init__(self, address: SftpAddress, http: str) -> None:
        self._folders = SftpFolders(address)
        self._http = httpx.AsyncClient(base_url=http, verify=trusted(), timeout=address.timeout)

    async def upload(self, name: str, attempt: int, content: bytes) -> None:
        """Put the content under a temporary name that the bank does not take, and compare what arrived.

        Each attempt has a name of its own: an owner that was frozen in an earlier one and wakes must not
        write into this one between its comparison and its delivery. What earlier ones left is removed.
        """
        from asyncssh import SFTPError

        path = _temporary(name, attempt)
        # There and, for the comparison, back.
        async with self._folders.calling(f"upload of {name}", 2 * len(content)) as sftp:
            for earlier in range(1, attempt):
                with suppress(SFTPError):
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
        async with self._folders.calling(f"delivery of {name}") as sftp:
            await sftp.rename(_temporary(name, attempt), f"{INBOX}/{name}.xml")

    async def enquire(self, name: str, message_id: str) -> FileStanding:
        """What the bank knows of a file: by name in its folders, and by its message id over HTTP."""
        async with self._folders.calling(f"enquiry for {name}") as sftp:
            lies_there = [await sftp.exists(f"{folder}/{name}.xml") for folder in (INBOX, ARCHIVE)]
        try:
            told = await self._told(message_id)
        except Unavailable:
            if any(lies_there):
                return FileStanding(True)
            raise
        return told if told.found else FileStanding(any(lies_there))

    async def files(self) -> list[str]:
        """Names of the files that the bank has of ours, taken or not, sorted."""
        names: set[str] = set()
        async with self._folders.calling("listing of inbox and archive") as sftp:
            # The bank moves a file from the first to the second: in this order none is missed.
            for folder in (INBOX, ARCHIVE):
                names.update(str(name) for name in await sftp.listdir(folder))
        return sorted(name.removesuffix(".xml") for name in names if name.endswith(".xml"))

    async def file(self, name: str) -> bytes:
        """The content of a file that the bank has of ours."""
        async with self._folders.calling(f"looking for {name}") as sftp:
            waits = await sftp.exists(f"{INBOX}/{name}.xml")
        return await self._folders.fetch(f"{INBOX if waits else ARCHIVE}/{name}.xml")

    async def message_of(self, instruction_id: str) -> str | None:
        """The message id of the file by which the bank knows a payment, "" where it does not say.

        None where it does not know the payment.
        """
        told = await self._asked(f"/payments/{quote(instruction_id, safe='')}")
        return None if told is None else str(told.get("message_id") or "")

    async def payment_rejection(self, instruction_id: str, message_id: str) -> Rejection | None:
        """The bank's rejection of a payment of that file; None where it has not rejected it, so far.

        An answer about another payment, or about the same one in another file, says nothing of this one.
        """
        told = await self._asked(f"/payments/{quote(instruction_id, safe='')}")
        if told is None or told.get("status") != "rejected":
            return None
        if (told.get("instruction_id"), told.get("message_id")) != (instruction_id, message_id):
            return None
        return _rejection(told)

    async def _told(self, message_id: str) -> FileStanding:
        told = await self._asked(f"/files/{quote(message_id, safe='')}")
        if told is None:
            return FileStanding(False)
        return FileStanding(True, _rejection(told) if told.get("group_status") == "RJCT" else None)

    async def _asked(self, path: str) -> dict[str, Any] | None:
        """What the bank's HTTP answers; None where it does not know of it."""
        try:
            answer = await self._http.get(path)
        except httpx.HTTPError as fault:
            raise Unavailable(f"enquiry {path}: {fault!r}") from fault
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise Unavailable(f"enquiry {path}: the bank answered {answer.status_code}")
        try:
            told = answer.json()
        except ValueError as fault:
            raise Unavailable(f"enquiry {path}: {fault!r}") from fault
        return told if isinstance(told, dict) else {}

    async def answers(self) -> list[str]:
        """Names in the outbox, sorted; what is still being written is left out."""
        async with self._folders.calling("listing of the outbox") as sftp:
            names = [str(name) for name in await sftp.listdir(OUTBOX)]
        return sorted(name for name in names if name.endswith(".xml"))

    async def download(self, name: str, into: BinaryIO) -> None:
        """Write the content of an answer to a file; after a fault a part of it may be there."""
        await self._folders.download(f"{OUTBOX}/{name}", into)

    async def close(self) -> None:
        """Hang up."""
        self._folders.close()
        await self._http.aclose()


def _temporary(name: str, attempt: int) -> str:
    return f"{INBOX}/{name}.{attempt}.tmp"


def _rejection(told: Mapping[str, Any]) -> Rejection:
    code, reason = (str(told.get(name) or "") for name in ("reason_code", "reason"))
    return Rejection(code[:_CODE], reason[:_REASON])
