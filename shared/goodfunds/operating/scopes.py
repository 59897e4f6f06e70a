"""What a token may allow an operator, the same at every service: see, do, and approve what others planned."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

LANES_READ: Final = "lanes:read"
LANES_OPERATE: Final = "lanes:operate"
LANES_APPROVE: Final = "lanes:approve"

SCOPES: Mapping[str, str] = MappingProxyType({
    LANES_READ: "see lanes, parked events, the outbox, replays and the audit, of all clients",
    LANES_OPERATE: "plan replays, run, pause and end them, release parked events, publish events again",
    LANES_APPROVE: "approve replays and discards that somebody else has planned",
})  # fmt: skip
"""Scope → in words what it opens."""
