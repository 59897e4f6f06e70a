"""The bank's SFTP: customers upload to `inbox/`, read `outbox/` and `archive/`, and see nothing else."""

# ruff: noqa: ARG002 - the signatures are those of the asyncssh methods that they override

import asyncio
import hmac
import os
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import structlog

from goodfunds.clock import Clock
from services.sandbox_bank import metrics
from services.sandbox_bank.faults import Fault
from services.sandbox_bank.folders import Folders, make_private
from services.sandbox_bank.store import Store
from services.sandbox_bank.uploads import NameTaken, drop_at, take_in

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", re.ASCII)
_FOLDERS = ("inbox", "archive", "outbox")
_WRITES = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC


@dataclass(frozen=True, slots=True)
class Desk:
    """What a customer's session works with. `taken_in` is called after each finished upload."""

    store: Store
    folders: Folders
    clock: Clock
    taken_in: Callable[[], object]


class Customer(asyncssh.SFTPServer):
    """One customer's session. Paths outside the three folders do not exist for it."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", desk: Desk) -> None:
        super().__init__(channel, chroot=os.fsencode(desk.folders.root))
        self._desk = desk
        self._cuts: dict[object, int] = {}

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        folder, name = self._place(path)
        if not name:
            raise asyncssh.SFTPFailure("is a folder")
        if not pflags & _WRITES:
            return super().open(path, pflags, attrs)
        if folder != "inbox":
            raise asyncssh.SFTPPermissionDenied(f"{folder}/ is read-only")
        if name.endswith(".xml"):
            raise asyncssh.SFTPPermissionDenied("upload under another name, then rename to .xml")
        # Whatever follows the first dot is of one attempt: the file is the subject.
        subject = name.partition(".")[0]
        cut = await asyncio.to_thread(drop_at, self._desk.store, subject, self._desk.clock.now())
        opened = super().open(path, pflags, asyncssh.SFTPAttrs())
        if cut is not None:
            self._cuts[opened] = cut
        return opened

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        cut = self._cuts.get(file_obj)
        if cut is None or offset + len(data) < cut:
            return int(super().write(file_obj, offset, data))  # type: ignore[arg-type]  # MaybeAwait; ours is not
        super().write(file_obj, offset, data[: max(0, cut - offset)])
        self._hang_up(Fault.DROP_UPLOAD)
        raise asyncssh.SFTPConnectionLost("dropped on purpose")

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        old_folder, old_name = self._place(oldpath)
        new_folder, new_name = self._place(newpath)
        if (old_folder, new_folder) != ("inbox", "inbox") or not old_name or not new_name:
            raise asyncssh.SFTPPermissionDenied("only within inbox/")
        if old_name.endswith(".xml"):
            raise asyncssh.SFTPPermissionDenied("taken in already")
        source = self._desk.folders.inbox / old_name
        if not source.is_file():
            raise asyncssh.SFTPNoSuchFile(f"inbox/{old_name}")
        if not new_name.endswith(".xml"):
            target = self._desk.folders.inbox / new_name
            if target.exists():
                raise asyncssh.SFTPFailure(f"inbox/{new_name} exists")
            source.rename(target)
            return
        await self._take_in(source, new_name)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        # A bank never lets one file replace another.
        await self.rename(oldpath, newpath)

    async def _take_in(self, source: Path, name: str) -> None:
        desk = self._desk
        try:
            unanswered = await asyncio.to_thread(
                take_in, desk.store, desk.folders, source, name, desk.clock.now()
            )
        except NameTaken:
            raise asyncssh.SFTPFailure(f"inbox/{name} exists") from None
        desk.taken_in()
        if unanswered:
            self._hang_up(Fault.TIMEOUT_AFTER_UPLOAD)
            raise asyncssh.SFTPConnectionLost("unanswered on purpose")

    def _hang_up(self, fault: Fault) -> None:
        metrics.UPLOADS_CUT.labels(fault.value).inc()
        self.connection.abort()

    def remove(self, path: bytes) -> None:
        folder, name = self._place(path)
        if folder != "inbox" or not name or name.endswith(".xml"):
            raise asyncssh.SFTPPermissionDenied("only unfinished uploads can be removed")
        super().remove(path)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        if self._place(path)[1]:
            raise asyncssh.SFTPFailure("is no folder")
        async for name in super().scandir(path):
            yield name

    def stat(self, path: bytes) -> os.stat_result:
        return self.lstat(path)

    def lstat(self, path: bytes) -> os.stat_result:
        folder, name = self._place(path)
        return (self._desk.folders.root / folder / name).lstat()

    def realpath(self, path: bytes) -> bytes:
        return self.reverse_map_path(self.map_path(path))

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        # Clients that preserve times and modes ask for this; the bank keeps its own.
        return None

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        return self.fsetstat(path, attrs)

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        return self.fsetstat(path, attrs)

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> object:
        raise asyncssh.SFTPOpUnsupported("SFTP 3 only")

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._refuse()

    def rmdir(self, path: bytes) -> None:
        self._refuse()

    def readlink(self, path: bytes) -> bytes:
        self._refuse()
        return b""

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        self._refuse()

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        self._refuse()

    def statvfs(self, path: bytes) -> os.statvfs_result:
        raise asyncssh.SFTPOpUnsupported("not told")

    def _refuse(self) -> None:
        raise asyncssh.SFTPPermissionDenied("the folders are the bank's")

    def _place(self, path: bytes) -> tuple[str, str]:
        """(folder, name) of a path; both or the name empty for a folder. Raises SFTPNoSuchFile."""
        parts = os.fsdecode(os.path.normpath(b"/" + path)).lstrip("/").split("/")
        if parts == [""]:
            return "", ""
        if len(parts) > 2 or parts[0] not in _FOLDERS:
            raise asyncssh.SFTPNoSuchFile(os.fsdecode(path))
        if len(parts) == 1:
            return parts[0], ""
        if not _NAME.fullmatch(parts[1]) or (self._desk.folders.root / parts[0] / parts[1]).is_symlink():
            raise asyncssh.SFTPNoSuchFile(os.fsdecode(path))
        return parts[0], parts[1]


class Door(asyncssh.SSHServer):
    """Lets the one customer in, by password or by a key that it deposited."""

    def __init__(self, user: str, password: str, keys: list[asyncssh.SSHKey]) -> None:
        self._user = user
        self._password = password
        self._keys = keys

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        right = hmac.compare_digest(password.encode(), self._password.encode())
        return right and hmac.compare_digest(username.encode(), self._user.encode())

    def public_key_auth_supported(self) -> bool:
        return bool(self._keys)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._user and any(key == known for known in self._keys)


def host_key(folder: Path) -> asyncssh.SSHKey:
    """The bank's host key, made once; its public half lies beside it as `ssh_host_key.pub`."""
    private, public = folder / "ssh_host_key", folder / "ssh_host_key.pub"
    if not private.exists():
        key = asyncssh.generate_private_key("ssh-ed25519")
        make_private(key.export_private_key(), private)
    key = asyncssh.read_private_key(private)
    if not public.exists():
        public.write_bytes(key.export_public_key())
    return key


async def listen(
    desk: Desk, host: str, port: int, user: str, password: str, keys: Path | None
) -> asyncssh.SSHAcceptor:
    """Serve SFTP and nothing else (no shell, no forwarding) until closed."""
    known = [] if keys is None else list(asyncssh.read_public_key_list(keys))
    return await asyncssh.listen(
        host,
        port,
        server_factory=lambda: Door(user, password, known),
        server_host_keys=[host_key(desk.folders.data)],
        sftp_factory=lambda channel: Customer(channel, desk),
        allow_scp=False,
        reuse_address=True,
    )
