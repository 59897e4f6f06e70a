"""Rails: one module a scheme, with its calendar, cut-offs, limits, characters and reason codes.

Pure; owns no data.
"""

from collections.abc import Mapping
from types import MappingProxyType

from goodfunds.rails.rail import Finality, Instruction, Rail
from goodfunds.rails.reasons import Refusal
from goodfunds.rails.sepa_credit import SEPA_CREDIT

RAILS: Mapping[str, Rail] = MappingProxyType({each.name: each for each in (SEPA_CREDIT,)})
"""Every rail by its name."""


def rail(name: str) -> Rail | None:
    """The rail of that name, or None: an unknown rail is a refusal (AG03), not a fault."""
    return RAILS.get(name)


__all__ = ["RAILS", "Finality", "Instruction", "Rail", "Refusal", "rail"]
