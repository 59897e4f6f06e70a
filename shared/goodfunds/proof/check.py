"""A rule of the proof and what it found, and how amounts are said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from goodfunds.money import readable_amount


@dataclass(frozen=True, slots=True)
class Check:
    """A rule and whether it holds. `minor`: what breaks it, by currency; `lines` say where."""

    name: str
    holds: bool
    detail: str
    minor: Mapping[str, int] = field(default_factory=dict)
    lines: Sequence[str] = ()


def amounts(minor: Mapping[str, int]) -> str:
    """Minor units by currency, in order of the currency."""
    return ", ".join(readable_amount(each, currency) for currency, each in sorted(minor.items())) or "0"
