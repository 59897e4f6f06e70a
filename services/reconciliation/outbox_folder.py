"""The bank's outbox over SFTP: which statements lie there, and their bytes."""

from typing import BinaryIO, NamedTuple

from goodfunds.sftp import SftpAddress, SftpFolders

OUTBOX = "outbox"


class Listed(NamedTuple):
    """A file in a listing; `mark` (its size and time of change) is another once its content is."""

    name: str
    mark: str


class OutboxFolder:
    """The statements in the outbox. Every call raises Unavailable on a fault."""

    def __init__(self, address: SftpAddress) -> None:
        self._folders = SftpFolders(address)

    async def statements(self) -> list[Listed]:
        """The camt.053 files in the outbox, sorted; what is still being written is left out."""
        async with self._folders.calling("listing of the outbox") as sftp:
            listed = [
                Listed(str(each.filename), f"{each.attrs.size} {each.attrs.mtime}")
                for each in await sftp.readdir(OUTBOX)
            ]
        return sorted(
            each for each in listed if each.name.startswith("camt053") and each.name.endswith(".xml")
        )

    async def fetch(self, name: str, into: BinaryIO) -> None:
        """Write the content of a file."""
        await self._folders.download(f"{OUTBOX}/{name}", into)

    async def close(self) -> None:
        """Hang up."""
        self._folders.close()
