"""What each message of ISO 20022 may hold: the dictionary of its types, and the schema of a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from goodfunds.files.schema import Schema
from goodfunds.files.schema_types import ElementType, TextType
from goodfunds.files.text_types import TextTypes

FILE: Final = Path(__file__).with_name("iso20022_types.txt")


@dataclass(frozen=True, slots=True)
class Definition:
    """A message: its name, its element in the Document, and the type of that.

    `name` is that of another version where the one that was asked for is not in the dictionary.
    """

    name: str
    root: str
    type: str


@dataclass(frozen=True, slots=True)
class _Dictionary:
    messages: Mapping[str, Definition]
    types: Mapping[str, str]
    texts: TextTypes


def definition(message_name: str) -> Definition | None:
    """The first of its `definitions`; None where there is none."""
    return next(iter(definitions(message_name)), None)


def definitions(message_name: str) -> tuple[Definition, ...]:
    """The message (`pain.001.001.09`), else those that it lies between: the next version, the one before.

    A version takes most of what the next one takes, which as a rule adds and renames little; not all.
    """
    known = _dictionary().messages
    if message_name in known:
        return (known[message_name],)
    kind = message_name.rpartition(".")[0]
    others = sorted(name for name in known if name.rpartition(".")[0] == kind)
    after = [name for name in others if name > message_name]
    before = [name for name in others if name < message_name]
    return tuple(known[name] for name in (*after[:1], *before[-1:]))


def type_at(message_name: str, tag_prefix: str, *path: str) -> ElementType | None:
    """The type of an element, by the names of those that it is in (`PmtInf`, `CdtTrfTxInf`).

    None for one that the message has not, and in a message that is not in the dictionary.
    """
    found = definition(message_name)
    if found is None or found.name != message_name:
        return None
    kind: ElementType | TextType | None = schema(tag_prefix).type(found.type)
    for name in path:
        kind = kind.types.get(tag_prefix + name) if isinstance(kind, ElementType) else None
    return kind if isinstance(kind, ElementType) else None


def newest(kind: str) -> int:
    """The last version of a kind of message that is known."""
    return max(int(name[-2:]) for name in _dictionary().messages if name.startswith(f"{kind}."))


def roots(kind: str) -> frozenset[str]:
    """The elements that a kind of message (`camt.053`) has in its Document, whatever its version."""
    return frozenset(
        each.root for name, each in _dictionary().messages.items() if name.startswith(f"{kind}.")
    )


def kind_of_root(root: str) -> str:
    """The kind of message (`camt.053`) that has this element in its Document; empty for an unknown one."""
    return next((name[:8] for name, each in _dictionary().messages.items() if each.root == root), "")


@lru_cache(maxsize=64)
def schema(tag_prefix: str) -> Schema:
    """The types of the dictionary for elements in a namespace, attributes included."""
    found = _dictionary()
    return Schema(found.types, found.texts, 0, tag_prefix, attributes=True)


@cache
def _dictionary() -> _Dictionary:
    messages: dict[str, Definition] = {}
    types: dict[str, str] = {}
    texts: dict[str, str] = {}
    with FILE.open(encoding="utf-8") as lines:
        for line in lines:
            name, _, written = line.rstrip("\n").partition(" ")
            if name == "message":
                message, root, kind = written.split()
                messages[message] = Definition(message, root, kind)
            elif written == "= anything":
                types[name] = "anything"
            elif written.startswith("= "):
                texts[name] = written[2:]
            elif name != "#":
                types[name] = written
    return _Dictionary(messages, types, TextTypes(texts))
