"""A service, as its operators' HTTP sees it."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from goodfunds.clock import Clock
from goodfunds.lanes import Handler, LaneSettings
from goodfunds.replay.horizon import Horizon, KafkaHorizon
from goodfunds.replay.planning import Desk
from goodfunds.replay.rehearsing import Live, Rehearsals
from goodfunds.replay.versions import code_folders, code_version


@dataclass(frozen=True, slots=True)
class Operated:
    """Its database, what its lanes handle records by, and how they work.

    `desk`: where plans of what is to be done again are made; `rehearsals`: what tries them first.
    """

    pool: "asyncpg.Pool[Any]"
    clock: Clock
    handler: Handler
    settings: LaneSettings
    desk: Desk
    rehearsals: Rehearsals


def operated_by(
    pool: "asyncpg.Pool[Any]",
    clock: Clock,
    handler: Handler,
    settings: LaneSettings,
    live: Live = lambda: 0,
    horizon: Horizon | None = None,
) -> Operated:
    """A service with all that its operators ask. `live`: what its lanes here have committed; `horizon`: of
    what its topics hold, if not Kafka's own word."""
    there = KafkaHorizon(settings.bootstrap) if horizon is None else horizon
    desk = Desk(pool, clock, there, handler, code_version(code_folders(handler)))
    return Operated(pool, clock, handler, settings, desk, Rehearsals(desk, settings, live))
