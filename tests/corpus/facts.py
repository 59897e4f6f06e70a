"""Facts of a corpus (a line of its `expected.jsonl`), compared one by one with an inspection."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from goodfunds.files.detection import UNKNOWN
from goodfunds.files.inspection import Inspection

_NOBODY_KNOWS = (None, "unknown")


@dataclass(frozen=True, slots=True)
class Compared:
    """A fact, as the corpus says and as it was found. `oracle`: somebody knows. `read`: its format is."""

    name: str
    said: object
    found: object
    oracle: bool = True
    read: bool = True

    def __str__(self) -> str:
        return f"{self.name} is {self.said!r} there, {self.found!r} was found"


def compare(fact: Mapping[str, Any], found: Inspection) -> Iterator[Compared]:
    """Each fact of a file, compared."""
    extra = fact.get("extra") or {}
    yield _format(str(fact.get("format")), found)
    yield _known("valid", fact.get("valid"), found.valid, found.valid is not None)
    read = found.readable or (found.valid is not None and found.format != UNKNOWN)
    # A payment that is not valid is refused, whether or not it could be read.
    if not str(fact.get("format")).startswith("pain."):
        yield _known("readable", extra.get("readable"), found.readable, read)
    alone = found.statements[0] if len(found.statements) == 1 else None
    yield _known("entries", fact.get("entries"), found.entries, read)
    for name, of in (("sum_minor", fact), ("booked_sum_minor", extra)):
        yield _known(name, of.get(name), _sum(fact.get("currency"), found), read)
    yield _known("opening", fact.get("opening"), alone and alone.opening_minor, read)
    yield _known("closing", fact.get("closing"), alone and alone.closing_minor, read)
    if alone is not None and alone.opening_minor is not None and alone.closing_minor is not None:
        adds_up = alone.opening_minor + alone.sum_minor == alone.closing_minor
        yield _known("balanced", extra.get("balanced"), adds_up, read)
    parts = extra.get("parts") or []
    if parts:
        yield _known("statements", len(parts), len(found.statements), read)
    for number, (part, statement) in enumerate(zip(parts, found.statements, strict=False), 1):
        for name in ("account", "entries", "sum_minor"):
            yield _known(f"{name} of statement {number}", part.get(name), getattr(statement, name), read)
        for name in ("opening", "closing"):
            seen = getattr(statement, f"{name}_minor")
            yield _known(f"{name} of statement {number}", part.get(name), seen, read)


def _known(name: str, said: object, seen: object, read: bool) -> Compared:
    return Compared(name, said, seen, oracle=said not in _NOBODY_KNOWS, read=read)


def _format(said: str, found: Inspection) -> Compared:
    """`pain.001` is any version of it; what is nothing that is known may be called what it should be."""
    seen = said if found.format.startswith(f"{said}.") else found.format
    return Compared("format", said, seen, oracle=said != "iso-other", read=found.format != UNKNOWN)


def _sum(currency: object, found: Inspection) -> int | None:
    """The sum in the one currency that is named; that of nothing is 0 in any."""
    if isinstance(currency, str):
        return found.sums.get(currency, 0)
    return sum(found.sums.values()) if len(found.sums) < 2 else None
