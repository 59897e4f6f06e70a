"""Time as an input: a clock that is handed in, always UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until someone sets `at`."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Pause:
    """From `since` for so long, by a clock that may be set back, which ends it: it never lasts longer."""

    since: datetime
    length: timedelta = timedelta()

    def lasts(self, now: datetime) -> bool:
        """Whether it is not over yet."""
        return self.since <= now < self.since + self.length


def micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware instant, exactly."""
    elapsed = instant - EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def millis(instant: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC of an aware instant, rounded down."""
    return micros(instant) // 1000
