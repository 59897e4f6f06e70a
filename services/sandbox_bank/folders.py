"""The bank's folders, and how a file reaches one of them for good."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """`root` is what customers see by SFTP; the rest of `data` is the bank's own."""

    data: Path

    @property
    def root(self) -> Path:
        return self.data / "root"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def desk(self) -> Path:
        """Where answers are written before they appear in the outbox."""
        return self.data / "desk"

    @property
    def books(self) -> Path:
        return self.data / "books.sqlite"

    def make(self) -> None:
        """Create what is missing."""
        for folder in (self.data, self.root, self.inbox, self.archive, self.outbox, self.desk):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)


def move_durably(source: Path, target: Path) -> None:
    """Rename within the bank's file system so that a loss of power cannot take it back."""
    source.replace(target)
    for folder in {source.parent, target.parent}:
        _sync_folder(folder)


def write_durably(content: bytes, draft: Path, target: Path) -> None:
    """Write under `draft`, then let it appear, whole, as `target`."""
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move_durably(draft, target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(content: bytes, target: Path) -> None:
    """Write a secret that only its owner may read, whole or not at all."""
    draft = target.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move_durably(draft, target)
