"""The bank's outbox over SFTP: which statements lie there, and their bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import asyncssh

from goodfunds.errors import Misconfigured, Unavailable

OUTBOX = "outbox"


class Listed(NamedTuple):
    """A file in a listing; `mark` (its size and time of change) is another once its content is."""

    name: str
    mark: str


@dataclass(frozen=True, slots=True)
class BankAddress:
    """Where the bank's SFTP is. `host_key`: file with its public key; `timeout` in seconds."""

    host: str
    port: int
    user: str
    password: str
    host_key: Path | None = None
    timeout: float = 30.0


class OutboxFolder:
    """One connection, opened when needed, dropped on a fault. Every call raises Unavailable on a fault."""

    def __init__(self, address: BankAddress) -> None:
        if address.host_key is None and address.host not in ("127.0.0.1", "::1", "localhost"):
            raise Misconfigured(
                f"GOODFUNDS_BANK_HOST_KEY must name the public host key of {address.host}: "
                "without one anybody could deliver statements"
            )
        self._address = address
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    async def statements(self) -> list[Listed]:
        """The camt.053 files in the outbox, sorted; what is still being written is left out."""
        async with self._calling("listing of the outbox") as sftp:
            listed = [
                Listed(str(each.filename), f"{each.attrs.size} {each.attrs.mtime}")
                for each in await sftp.readdir(OUTBOX)
            ]
        return sorted(
            each for each in listed if each.name.startswith("camt053") and each.name.endswith(".xml")
        )

    async def fetch(self, name: str) -> bytes:
        """The content of a file."""
        async with self._calling(f"download of {name}") as sftp, sftp.open(f"{OUTBOX}/{name}", "rb") as file:
            content = await file.read()
        return content if isinstance(content, bytes) else content.encode()

    async def close(self) -> None:
        """Hang up."""
        self._drop()

    @asynccontextmanager
    async def _calling(self, what: str) -> AsyncIterator[asyncssh.SFTPClient]:
        try:
            async with asyncio.timeout(self._address.timeout):
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
                address.host,
                address.port,
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
