"""BAI2 type codes: which are status, credit or debit.

Cash Management Balance Reporting Specifications version 2, appendix A: 001-099 account status, 100 total
credits, 101-399 credits, 400 total debits, 401-699 debits, 700-799 loans (single codes), 890 no money,
900-919 status, 920-959 credits and 960-999 debits of the bank's own. BAI's later answers to questions begin
the bank's own credits at 930; a transaction of 920 to 929 is a credit by both, since it can be no status.
"""

import re
from typing import Final

TOTAL_CREDITS: Final = "100"
TOTAL_DEBITS: Final = "400"
OPENING_LEDGER: Final = "010"
CLOSING_LEDGER: Final = "015"
NON_MONETARY: Final = "890"

_LOAN_CREDITS: Final = frozenset(("706", "708", *map(str, range(720, 729))))
_LOAN_DEBITS: Final = frozenset(("760",))
_GRAMMAR: Final = re.compile(r"[0-9]{3}", re.ASCII)


def is_type_code(text: str) -> bool:
    """Three digits, the first block beginning at 001."""
    return bool(_GRAMMAR.fullmatch(text)) and text != "000"


def direction(type_code: str) -> str:
    """CRDT or DBIT of a three-digit type code; empty for status, no money and codes nobody has defined."""
    number = int(type_code)
    if 100 <= number <= 399 or 920 <= number <= 959 or type_code in _LOAN_CREDITS:
        return "CRDT"
    if 400 <= number <= 699 or 960 <= number <= 999 or type_code in _LOAN_DEBITS:
        return "DBIT"
    return ""
