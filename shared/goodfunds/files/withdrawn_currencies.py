"""Minor units of currencies that ISO 4217 has withdrawn: statements of their time are still read.

ISO 4217 list three, whose entries have no minor units any more; those that were in force, as JDK's
java.util.Currency kept them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from goodfunds.money import CURRENCIES, UnknownCurrency

WITHDRAWN: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(("BEF", "ESP", "GRD", "ITL", "LUF", "PTE", "TRL"), 0),
        **dict.fromkeys(("ATS", "BGN", "CYP", "DEM", "EEK", "FIM", "FRF", "HRK", "IEP", "LTL"), 2),
        **dict.fromkeys(("LVL", "MTL", "NLG", "ROL", "SIT", "SKK"), 2),
    }
)


def places_of(currency: str) -> int:
    """Decimal places of the minor unit, of a withdrawn currency too. Raises UnknownCurrency."""
    places = CURRENCIES.get(currency, WITHDRAWN.get(currency))
    if places is None:
        raise UnknownCurrency(f"{currency[:10]!r} is no ISO 4217 currency with a minor unit")
    return places
