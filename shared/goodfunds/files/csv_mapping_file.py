"""Reads the YAML of a CSV mapping: bounded, no aliases or repeated keys, checked to the last field."""

from collections.abc import Hashable
from typing import Any, Final

import yaml
from pydantic import ValidationError

from goodfunds.errors import Misconfigured
from goodfunds.files.csv_mapping import Mapping

LARGEST_MAPPING: Final = 1 << 16
"""Bytes of the YAML of a mapping."""


class InvalidMapping(Misconfigured):
    """A mapping that cannot be used; the message names it, each place in it and what is wanted there."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML without aliases, which can grow without end, and without a key that stands twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        found: yaml.Node | None = super().compose_node(parent, index)
        return found

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.YAMLError(f"{str(key.value)[:40]!r} stands twice")
            seen.add(str(key.value))
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


def load(written: bytes, source: str = "the mapping") -> Mapping:
    """A mapping from its YAML; `source` is what messages call it. Raises InvalidMapping."""
    if len(written) > LARGEST_MAPPING:
        raise InvalidMapping(f"{source}: more than {LARGEST_MAPPING} bytes")
    try:
        found = yaml.load(written, _Loader)  # noqa: S506 - a SafeLoader, made narrower
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as fault:
        told = " ".join(str(fault).split()) or type(fault).__name__
        raise InvalidMapping(f"{source}: no YAML: {told[:300]}") from None
    if not isinstance(found, dict):
        raise InvalidMapping(f"{source}: a YAML mapping is wanted")
    try:
        return Mapping.model_validate(found)
    except ValidationError as fault:
        raise InvalidMapping("\n".join(f"{source}: {each}" for each in _told(fault))) from None


def _told(fault: ValidationError) -> list[str]:
    """Each thing wrong as `amount.column: what is wanted`."""
    lines = []
    for error in fault.errors(include_url=False, include_context=False)[:20]:
        place = ".".join(str(part) for part in error["loc"])
        message = error["msg"].removeprefix("Value error, ")
        lines.append(f"{place}: {message}" if place else message)
    return lines
