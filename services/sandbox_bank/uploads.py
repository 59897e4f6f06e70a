"""The upload desk: takes a finished upload in, on the books before its sender hears so."""

import os
import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from services.sandbox_bank.books import SQL, Books, stamp
from services.sandbox_bank.faults import Fault
from services.sandbox_bank.folders import Folders, move_durably
from services.sandbox_bank.model import PlantedFault
from services.sandbox_bank.orders import printable
from services.sandbox_bank.store import Store

_MESSAGE_ID = re.compile(rb"<(?:[\w.-]+:)?MsgId\s*>\s*([^<]{1,35}?)\s*</")
_HEAD_BYTES = 65_536
_LONGEST_FIRST_WRITE = 512


class NameTaken(FileExistsError):
    """A file of this name waits in the inbox already."""


def take_in(store: Store, folders: Folders, source: Path, name: str, now: datetime) -> bool:
    """Move an upload to `inbox/{name}` and register it, durably. True: its sender shall not hear of it.

    Raises NameTaken, and OSError where the upload is gone.
    """
    with source.open("rb") as file:
        os.fsync(file.fileno())
    with store.writing(now) as books:
        target = folders.inbox / name
        if target.exists():
            raise NameTaken(name)
        move_durably(source, target)
        _register(books, target)
        return _strikes_once(books, Fault.TIMEOUT_AFTER_UPLOAD, name, "taken, unanswered")


def register_strays(store: Store, folders: Folders, now: datetime) -> int:
    """Register finished uploads that no rename told of (the bank was stopped in the middle); how many."""
    registered = 0
    with store.writing(now) as books:
        known = {row[1] for row in books.connection.execute(SQL["files_under_way"])}
        for path in sorted(folders.inbox.glob("*.xml")):
            if path.name not in known:
                _register(books, path)
                registered += 1
    return registered


def drop_at(store: Store, name: str, now: datetime) -> int | None:
    """The byte at which the upload of `name` is cut off, or None; each name is struck once at most."""
    if all(kind != Fault.DROP_UPLOAD for kind, _, _ in store.all("fault_settings")):
        return None
    with store.writing(now) as books:
        byte = 1 + books.draw.variant(Fault.DROP_UPLOAD, name, _LONGEST_FIRST_WRITE)
        struck = _strikes_once(books, Fault.DROP_UPLOAD, name, f"cut at byte {byte}")
    return byte if struck else None


def _strikes_once(books: Books, fault: Fault, name: str, detail: str) -> bool:
    if books.connection.execute(SQL["fault_planted"], (fault, name)).fetchone():
        return False
    if not books.draw.strikes(fault, name):
        return False
    books.plant([PlantedFault(fault, name, detail)])
    return True


def _register(books: Books, path: Path) -> None:
    digest = sha256()
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        digest.update(head)
        while block := file.read(1 << 20):
            digest.update(block)
        size = file.tell()
    # A first look at the identification, so that an enquiry finds the file before it has been read.
    found = _MESSAGE_ID.search(head)
    message_id = printable(found[1].decode("utf-8", "replace")) if found else ""
    archive_name = path.name
    if books.connection.execute(SQL["archive_name_taken"], (archive_name,)).fetchone():
        number = books.connection.execute(SQL["next_file"]).fetchone()[0]
        archive_name = f"{path.stem}.{number}{path.suffix}"
    books.connection.execute(
        SQL["receive_file"],
        (path.name, archive_name, digest.hexdigest(), size, message_id, stamp(books.now)),
    )
