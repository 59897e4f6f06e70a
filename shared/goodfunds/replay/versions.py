"""Versions: digests of the installed code and of the tables, by which a plan knows that neither changed."""

import inspect
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import goodfunds
from goodfunds.lanes import Handler

_CODE = ("*.py", "*.sql")


def code_folders(handler: Handler) -> tuple[Path, ...]:
    """Where the code lies that decides what a handler's records come to: the library and the service."""
    return Path(goodfunds.__file__).parent, Path(inspect.getfile(type(handler))).parent


def code_version(folders: Iterable[Path]) -> str:
    """A digest of the modules and statements in folders, by name and content. Raises OSError."""
    whole = sha256()
    for folder in folders:
        found = {path.relative_to(folder).as_posix(): path for each in _CODE for path in folder.rglob(each)}
        for name in sorted(found):
            content = sha256(found[name].read_bytes()).digest()
            whole.update(f"{folder.name}/{name}\0".encode() + content)
    return whole.hexdigest()


def schema_version(rows: Iterable[Any]) -> str:
    """A digest of the migrations that were applied, from their rows."""
    told = sorted(f"{row['source']}/{row['file']} {row['digest']}\n" for row in rows)
    return sha256("".join(told).encode()).hexdigest()
