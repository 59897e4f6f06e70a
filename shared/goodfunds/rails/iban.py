"""IBANs: structure by country, check digits, and which countries SEPA reaches.

ISO 13616 with the IBAN registry as schwifty carries it; check digits by ISO 7064 MOD 97-10.
"""

import re
from collections.abc import Mapping
from itertools import product
from string import ascii_uppercase
from types import MappingProxyType
from typing import Final

from schwifty import registry
from schwifty.exceptions import InvalidCountryCode

_EEA: Final = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IE IT LV LI LT LU MT NL NO PL PT RO SK SI ES SE"
# Guernsey, Jersey and the Isle of Man bank under GB.
_OUTSIDE_THE_EEA: Final = "AL AD MD MC ME MK SM RS CH GB GI VA"

SEPA_COUNTRIES: Final = frozenset(f"{_EEA} {_OUTSIDE_THE_EEA}".split())
"""IBAN country codes of the SEPA schemes.

EPC409-09, EPC List of SEPA Scheme Countries, v8.0 of 24 December 2025.
"""

_CLASSES: Final = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}
_PART: Final = re.compile(r"([0-9]+)!([nac])")
# Check digits are 98 minus a remainder of 0 to 96; 00, 01 and 99 would pass the sum as 97, 98 and 02 do.
_CHECK_DIGITS: Final = "(?!00|01|99)[0-9]{2}"
_VALUES: Final = {ord(letter): str(value) for value, letter in enumerate(ascii_uppercase, 10)}


def _structures() -> Mapping[str, re.Pattern[str]]:
    known = {}
    for country in map("".join, product(ascii_uppercase, repeat=2)):
        try:
            spec = registry.get_iban_spec(country)
        except InvalidCountryCode:
            continue
        # Aspirational codes circulate, but the registry does not hold them.
        if not spec.aspirational:
            account = "".join(
                f"{_CLASSES[kind]}{{{length}}}" for length, kind in _PART.findall(spec.bban_spec)
            )
            known[country] = re.compile(country + _CHECK_DIGITS + account)
    return MappingProxyType(known)


STRUCTURES: Final = _structures()
"""Country code → the form of its IBANs, from the registry's bank account structure."""


def is_valid(iban: str) -> bool:
    """True for an IBAN in electronic form: upper case, no spaces, its country's structure, check digits."""
    structure = STRUCTURES.get(iban[:2])
    return structure is not None and structure.fullmatch(iban) is not None and has_check_digits(iban)


def has_check_digits(characters: str) -> bool:
    """True where digits 3 and 4 are the check digits of the rest, by MOD 97-10 (IBANs, RF references).

    `characters` are A to Z and 0 to 9, five at least.
    """
    return int((characters[4:] + characters[:4]).translate(_VALUES)) % 97 == 1


def is_sepa(iban: str) -> bool:
    """True where a SEPA scheme reaches the IBAN's country; says nothing of the IBAN's validity."""
    return iban[:2] in SEPA_COUNTRIES
