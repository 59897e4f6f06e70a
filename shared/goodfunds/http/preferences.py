"""`Prefer: wait=N` (RFC 7240): how long a client would rather wait for an answer than ask again."""

import re
from typing import Final

_WAIT: Final = re.compile(r'(?:^|,)\s*wait\s*=\s*"?([0-9]{1,6})"?\s*(?:[;,]|$)', re.ASCII | re.IGNORECASE)


def wait_seconds(prefer: str | None, most: int) -> int:
    """The seconds of `wait`, `most` at most; 0 where it is not asked for, or not as the standard has it."""
    found = _WAIT.search(prefer or "")
    return min(int(found[1]), most) if found else 0
