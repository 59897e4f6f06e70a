"""What a service says of its tables: which a rebuild makes anew, what of them is compared, which stay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from goodfunds.lanes.records import Handler


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A table that the topics make. Every column is compared but those of `uncompared`: column → why not.

    `instead`: name → SQL of what is compared in their place. `only`: SQL, the rows that are compared.
    `swapped`: whether the rows made anew take the place of the live ones; `why` where not all is compared
    or where they do not.
    """

    table: str
    uncompared: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    only: str = "true"
    swapped: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """How a service is rebuilt. `kept`: table → why it stays as it is; `empty`: table → what rows in it mean.

    A rebuild is refused while a table of `empty` has rows. What lanes and operators keep for themselves
    (`is_machinery` of the migrations) stays as well, whoever's service it is.
    """

    handler: Callable[[], Handler]
    tables: tuple[Rebuilt, ...]
    kept: Mapping[str, str]
    empty: Mapping[str, str] = field(default_factory=dict)

    @property
    def swapped(self) -> list[str]:
        """The tables whose rows are replaced."""
        return [each.table for each in self.tables if each.swapped]
