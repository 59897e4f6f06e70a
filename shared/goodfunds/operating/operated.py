"""A service, as its operators' HTTP sees it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import asyncpg

from goodfunds.clock import Clock
from goodfunds.lanes import Handler, LaneSettings
from goodfunds.replay.horizon import Horizon, KafkaHorizon
from goodfunds.replay.planning import Desk
from goodfunds.replay.rehearsals import Rehearsals
from goodfunds.replay.rehearsing import Live
from goodfunds.replay.running import Replays
from goodfunds.replay.versions import code_folders, code_version


@dataclass(frozen=True, slots=True)
class Operated:
    """Its database, what its lanes handle records by, and how they work.

    `desk`: where plans of what is to be done again are made; `rehearsals`: what tries them first;
    `beside_lanes`: tables that no lane writes.
    """

    pool: "asyncpg.Pool[Any]"
    clock: Clock
    handler: Handler
    settings: LaneSettings
    desk: Desk
    rehearsals: Rehearsals
    beside_lanes: Collection[str]


def operated_by(
    pool: "asyncpg.Pool[Any]",
    clock: Clock,
    handler: Handler,
    settings: LaneSettings,
    live: Live = lambda: 0,
    beside_lanes: Collection[str] = (),
    horizon: Horizon | None = None,
    code: str | None = None,
) -> Operated:
    """A service with all that its operators ask. `live`: what its lanes here have committed.

    `horizon`, `code`: of what its topics hold and what decides, if not Kafka's word and what is installed.
    """
    there = KafkaHorizon(settings.bootstrap) if horizon is None else horizon
    decides = code_version(code_folders(handler)) if code is None else code
    desk = Desk(pool, clock, there, handler, decides)
    return Operated(pool, clock, handler, settings, desk, Rehearsals(desk, settings, live), beside_lanes)


def replays_of(handler: Handler) -> Replays:
    """What the owner of a service's lanes does beside them, for those who plan it by `operated_by`."""
    return Replays(code_version(code_folders(handler)))
