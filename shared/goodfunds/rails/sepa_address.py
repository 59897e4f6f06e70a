"""Addresses in SEPA messages: which forms the rulebook admits.

EPC125-05 SEPA Credit Transfer rulebook 2025 v1.1 (AT-E004), EPC153-22 guidance on addresses. *Structured*:
own elements, town and country at least. *Hybrid*: town and country in their elements and at most two lines
of 70 characters for the rest. *Unstructured*: two lines of 70 and perhaps a country.
"""

import re
from typing import Final

from goodfunds.rails.rail import Instruction
from goodfunds.rails.reasons import INVALID_CREDITOR_COUNTRY, MISSING_CREDITOR_ADDRESS, Refusal

UNSTRUCTURED_ADMITTED: Final = True
"""Whether an unstructured address is still taken.

The rulebook's end date, 15 November 2026, was withdrawn on 9 September 2026 by the EPC's Payment Scheme
Management Board without a new one (EPC153-22 v2.2, 30 September 2026). Set to False when a date has come.
"""

_COUNTRY: Final = re.compile("[A-Z]{2}")
_LINES, _LINE = 2, 70


def creditor_address(instruction: Instruction, unstructured: bool = UNSTRUCTURED_ADMITTED) -> Refusal | None:
    """Why the creditor's address is not admitted, or None. No address at all is."""
    town, country = instruction.creditor_town, instruction.creditor_country
    lines = instruction.creditor_address_lines
    elements = (
        town or instruction.creditor_street or instruction.creditor_building or instruction.creditor_postcode
    )
    if not (elements or country or lines):
        return None
    if country and _COUNTRY.fullmatch(country) is None:
        return Refusal(INVALID_CREDITOR_COUNTRY, "the creditor's country is not a code of two letters")
    if (
        len(instruction.creditor_street) > 70
        or len(instruction.creditor_building) > 16
        or len(instruction.creditor_postcode) > 16
        or len(town) > 35
        or len(lines) > _LINES
        or any(not 0 < len(line) <= _LINE for line in lines)
    ):
        return Refusal(
            MISSING_CREDITOR_ADDRESS,
            "an address holds a street of 70, a building and a postcode of 16, a town of 35 characters, "
            "and 2 lines of 70 at most",
        )
    if (elements or not unstructured) and not (town and country):
        return Refusal(MISSING_CREDITOR_ADDRESS, "an address in its elements needs town and country")
    return None
