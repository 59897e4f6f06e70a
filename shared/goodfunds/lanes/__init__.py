"""Lanes and feeds: consume, decide in one transaction, write an outbox, publish, take over.

Owns the tables `cluster`, `lanes`, `outbox` and `parked` of every service's database. Only the owner of a
lane writes them, and the epoch on the lane's row is the fence that makes this so.
"""

from goodfunds.lanes.feed import Feed, Source
from goodfunds.lanes.guard import create_lanes
from goodfunds.lanes.loop import LaneLoop, LaneSettings
from goodfunds.lanes.partition import lane_of, murmur2
from goodfunds.lanes.records import Emission, Handler, Input, Poll, Sequences

__all__ = [
    "Emission",
    "Feed",
    "Handler",
    "Input",
    "LaneLoop",
    "LaneSettings",
    "Poll",
    "Sequences",
    "Source",
    "create_lanes",
    "lane_of",
    "murmur2",
]
