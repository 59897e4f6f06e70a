"""Named statements: SQL lives in .sql files, each statement under a line `-- name: its_name`."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


def statements(folder: Path) -> Mapping[str, str]:
    """Every statement of the folder's .sql files by name. Raises ValueError on a name used twice."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.sql")):
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, body in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"{file.name}: statement {name!r} stands twice in {folder}")
            found[name] = body.strip().removesuffix(";")
    return MappingProxyType(found)
