"""A service, as its operators' HTTP sees it."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from goodfunds.clock import Clock
from goodfunds.lanes import Handler, LaneSettings


@dataclass(frozen=True, slots=True)
class Operated:
    """Its database, what its lanes handle records by, and how they work."""

    pool: "asyncpg.Pool[Any]"
    clock: Clock
    handler: Handler
    settings: LaneSettings
