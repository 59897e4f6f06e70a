"""A bank of the tests' own: a real SFTP server over three folders, an enquiry over HTTP, and faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh

from goodfunds.sftp import SftpAddress


class PaperBank:
    """Keeps what it is given and answers nothing by itself. Faults strike once each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fault = ""
        self.known: set[str] = set()
        self.rejects_for = ""
        self.payments: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.ails_at = ""
        self.delivered: list[tuple[str, bytes]] = []
        self.enquiries = self.listings = 0
        self.seconds_a_write = 0.0
        self.sftp_port = self.http_port = 0
        self._closing: list[Any] = []
        for folder in ("inbox", "archive", "outbox"):
            (root / folder).mkdir(parents=True)

    async def open(self) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_public_key(str(self.root / "host_key.pub"))
        bank = self

        class Server(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("house", "secret")

        class Desk(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                self._connection = channel.get_connection()
                super().__init__(channel, chroot=str(bank.root).encode())

            async def write(self, file_obj: object, offset: int, data: bytes) -> Any:
                await asyncio.sleep(bank.seconds_a_write)
                if bank._strikes("drop upload"):
                    super().write(file_obj, offset, data[: len(data) // 2])
                    self._connection.abort()
                    raise asyncssh.SFTPConnectionLost("dropped")
                if bank._strikes("garble upload"):
                    return super().write(file_obj, offset, b"x" * len(data))
                return super().write(file_obj, offset, data)

            async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
                bank.listings += 1
                async for name in super().scandir(path):
                    yield name

            def rename(self, oldpath: bytes, newpath: bytes) -> None:
                if bank._strikes("drop before rename"):
                    self._connection.abort()
                    raise asyncssh.SFTPConnectionLost("dropped")
                name = newpath.rpartition(b"/")[2].decode()
                bank.delivered.append((name, (bank.root / oldpath.decode()).read_bytes()))
                super().rename(oldpath, newpath)
                if bank._strikes("drop after rename"):
                    self._connection.abort()
                    raise asyncssh.SFTPConnectionLost("dropped")

        sftp = await asyncssh.create_server(
            Server, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=Desk, reuse_address=True
        )
        http = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.sftp_port = sftp.sockets[0].getsockname()[1]
        self.http_port = http.sockets[0].getsockname()[1]
        self._closing = [sftp, http]

    async def close(self) -> None:
        for server in self._closing:
            server.close()

    def address(self, timeout: float = 5.0) -> SftpAddress:
        return SftpAddress(
            "127.0.0.1", self.sftp_port, "house", "secret", self.root / "host_key.pub", timeout
        )

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def put(self, name: str, content: bytes) -> None:
        """Answer with a file in the outbox."""
        (self.root / "outbox" / name).write_bytes(content)

    def take(self) -> None:
        """Move what waits in the inbox to the archive."""
        for path in (self.root / "inbox").glob("*.xml"):
            path.rename(self.root / "archive" / path.name)

    def lose(self) -> None:
        """Forget every file that was delivered."""
        for path in (self.root / "inbox").glob("*.xml"):
            path.unlink()

    def _strikes(self, fault: str) -> bool:
        if self.fault != fault:
            return False
        self.fault = ""
        return True

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        kind, _, name = request[1:].rpartition("/")
        if kind == "payments":
            self.asked.append(name)
            told: dict[str, str] | None = self.payments.get(name)
        else:
            self.enquiries += 1
            told = {} if name in self.known else None
            if self.rejects_for:
                told = {"group_status": "RJCT", "reason_code": self.rejects_for}
        status = b"200 OK" if told is not None else b"404 Not Found"
        if name == self.ails_at:
            status = b"500 Internal Server Error"
        body = json.dumps(told or {}).encode()
        writer.write(
            b"HTTP/1.1 %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (status, len(body), body)
        )
        await writer.drain()
        writer.close()
