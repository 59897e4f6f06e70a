"""Minor units of currencies that ISO 4217 has withdrawn: statements of their time are still read.

ISO 4217 list three, whose entries have no minor units any more; those that were in force, as JDK's
java.util.Currency kept them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from goodfunds.money import CURRENCIES, UnknownCurrency

_WITHOUT: Final = "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE TPE TRL"
_OF_HUNDREDTHS: Final = """
    AFA ANG ATS AYM AZM BGL BGN CSD CUC CYP DEM EEK FIM FRF GHC GWP HRK IEP LTL LVL MRO MTL MZM NLG ROL RUR
    SDD SIT SKK SLL SRG STD TMM USS VEB VEF YUM ZMK ZWD ZWL ZWN ZWR
"""

WITHDRAWN: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_WITHOUT.split(), 0) | dict.fromkeys(_OF_HUNDREDTHS.split(), 2)
)


def places_of(currency: str) -> int:
    """Decimal places of the minor unit, of a withdrawn currency too. Raises UnknownCurrency."""
    places = CURRENCIES.get(currency, WITHDRAWN.get(currency))
    if places is None:
        raise UnknownCurrency(f"{currency[:10]!r} is no ISO 4217 currency with a minor unit")
    return places
