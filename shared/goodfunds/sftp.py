"""A bank's folders over SFTP: one connection, opened when needed, dropped on any fault.

asyncssh is imported where a bank is called: it takes 20 MB, and most processes know no more than the address.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from goodfunds.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    import asyncssh

_SLOWEST = 100_000
"""Bytes a second of the slowest line to a bank: a large file is given that much more time than a call."""
_FIRST_CIPHER = "^aes256-gcm@openssh.com"
"""Before the library's own order. Measured: 10 MB cost both ends 27 ms, by chacha20-poly1305 43."""


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """Where a bank's SFTP is. `host_key`: file with its public host key; `timeout` in seconds, of each call.

    What a call carries is given time besides.
    """

    host: str
    port: int
    user: str
    password: str
    host_key: Path | None = None
    timeout: float = 30.0


class SftpFolders:
    """The folders. Every call raises Unavailable on a fault, which says nothing of what the bank did."""

    def __init__(self, address: SftpAddress) -> None:
        if address.host_key is None and address.host not in ("127.0.0.1", "::1", "localhost"):
            raise Misconfigured(
                f"GOODFUNDS_BANK_HOST_KEY must name the public host key of {address.host}: "
                "without one anybody could speak for the bank"
            )
        self._address = address
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    @asynccontextmanager
    async def calling(self, what: str, size: int = 0) -> "AsyncIterator[asyncssh.SFTPClient]":
        """A call in which `size` bytes travel; `what` names it in a fault."""
        import asyncssh

        try:
            async with asyncio.timeout(self._address.timeout + size / _SLOWEST):
                yield await self._connected()
        except (asyncssh.Error, OSError, TimeoutError) as fault:
            self.close()
            raise Unavailable(f"{what}: {fault!r}") from fault
        except BaseException:
            self.close()
            raise

    async def fetch(self, path: str) -> bytes:
        """The content of a file."""
        into = BytesIO()
        await self.download(path, into)
        return into.getvalue()

    async def download(self, path: str, into: BinaryIO) -> None:
        """Write the content of a file, of which memory holds what is on its way."""
        async with self.calling(f"size of {path}") as sftp:
            size = (await sftp.stat(path)).size or 0
        async with self.calling(f"download of {path}", size) as sftp, sftp.open(path, "rb") as file:
            # Asked for many blocks at once, the bank may send them in any order.
            async for offset, block in await file.read_parallel():
                into.seek(offset)
                into.write(block)

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        if self._connection is not None:
            self._connection.abort()
        self._connection = self._sftp = None

    async def _connected(self) -> "asyncssh.SFTPClient":
        import asyncssh

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
                encryption_algs=_FIRST_CIPHER,
            )
            self._sftp = await self._connection.start_sftp_client()
        return self._sftp
