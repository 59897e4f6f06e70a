"""What people ask of replays over HTTP: the bodies of requests, and what they come to."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from goodfunds import ids
from goodfunds.clock import EPOCH
from goodfunds.observability.http import Problem
from goodfunds.replay.planning import Asked
from goodfunds.replay.plans import LIFE
from goodfunds.replay.selection import Parked, Selection, misfits

_UUID7: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_NO_NUL: Final = r"^[^\x00]*$"
_MOST_KEYS: Final = 500
_MOST_PAYMENTS: Final = 1_000
_MOST_PLACES: Final = 500

Topic: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=249, pattern=_NO_NUL)]
Key: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_NUL)]
Payment: TypeAlias = Annotated[str, StringConstraints(pattern=_UUID7)]
Fault: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_NO_NUL)]
Words: TypeAlias = Annotated[str, StringConstraints(max_length=1_000, pattern=_NO_NUL)]
Number: TypeAlias = Annotated[int, Field(ge=0, lt=2**62)]
Lane: TypeAlias = Annotated[int, Field(ge=0, lt=10_000)]
Instant: TypeAlias = Annotated[AwareDatetime, Field(ge=EPOCH, lt=datetime(9999, 1, 1, tzinfo=UTC))]
"""The broker knows no time before 1970, and beyond its last day an instant is none in UTC."""
Lanes: TypeAlias = Annotated[list[Lane], Field(min_length=1, max_length=1_000)]
Keys: TypeAlias = Annotated[list[Key], Field(min_length=1, max_length=_MOST_KEYS)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlaceRequest(_Body):
    """Where a record stands on its topic."""

    topic: Topic
    partition: Lane
    offset: Number


class ParkedRequest(_Body):
    """Parked events: those that all of this is true of."""

    keys: Keys | None = Field(default=None, description="Accounts.")
    topic: Topic | None = None
    lanes: Lanes | None = None
    fault_contains: Fault | None = None
    parked_before: Instant | None = None
    places: list[PlaceRequest] | None = Field(
        default=None, min_length=1, max_length=_MOST_PLACES, description="Exactly these, and nothing beside."
    )

    def parked(self) -> Parked:
        """What it asks for."""
        return Parked(
            _tuple(self.keys),
            self.topic,
            _tuple(self.lanes),
            self.fault_contains,
            _utc(self.parked_before),
            _tuple(self.places and [(each.topic, each.partition, each.offset) for each in self.places]),
        )


class SelfcheckRequest(_Body):
    """What is to be handled once more, and rolled back each time: it should change nothing."""

    topic: Topic | None = Field(default=None, description="One of the service's inputs; else all.")
    partitions: Lanes | None = None
    lanes: Lanes | None = Field(default=None, description="As `partitions`: a lane is the one of its number.")
    from_offset: Number | None = Field(default=None, description="Inclusive.")
    to_offset: Number | None = Field(default=None, description="Exclusive.")
    from_time: Instant | None = Field(default=None, description="Inclusive, by the broker's clock.")
    to_time: Instant | None = Field(default=None, description="Exclusive.")
    keys: Keys | None = Field(default=None, description="Accounts.")
    payments: list[Payment] | None = Field(default=None, min_length=1, max_length=_MOST_PAYMENTS)
    rate: int | None = Field(default=None, ge=1, le=1_000_000, description="Records a second.")
    reason: Words = ""

    def selection(self, parked: Parked | None = None) -> Selection:
        """What it selects."""
        return Selection(
            self.topic,
            _tuple(self.partitions),
            _tuple(self.lanes),
            self.from_offset,
            self.to_offset,
            _utc(self.from_time),
            _utc(self.to_time),
            _tuple(self.keys),
            None if self.payments is None else tuple(map(ids.parse, self.payments)),
            parked,
        )

    def asked(self, by: str) -> Asked:
        """What `by` asks for with it. Raises Problem 422 of what does not fit together."""
        return _fitting(Asked(by, "selfcheck", self.selection(), self.reason, self.rate, LIFE, directly=True))


class ReplayRequest(SelfcheckRequest):
    """What is to be done again. `replay`: records that were handled; with `parked`, these, once approved.

    `release`: parked events, at once. `discard`: parked events are given up, for a reason. `republish`:
    events that were published, as they were; offsets are then their `seq`.
    """

    kind: Literal["replay", "release", "discard", "republish"]
    parked: ParkedRequest | None = None
    expires_in_seconds: int | None = Field(default=None, ge=60, le=7 * 86_400)

    def asked(self, by: str) -> Asked:
        """What `by` asks for with it. Raises Problem 422 of what does not fit together."""
        selection = self.selection(None if self.parked is None else self.parked.parked())
        kind = "release" if self.kind == "replay" and self.parked is not None else self.kind
        life = LIFE if self.expires_in_seconds is None else timedelta(seconds=self.expires_in_seconds)
        if kind == "discard" and not self.reason.strip():
            raise _wrong([("reason", "what is given up needs one")])
        directly = self.kind == "release"
        return _fitting(Asked(by, kind, selection, self.reason, self.rate, life, directly))


def _fitting(asked: Asked) -> Asked:
    wrong = misfits(asked.kind, asked.selection)
    if wrong:
        raise _wrong(wrong)
    return asked


def _wrong(fields: list[tuple[str, str]]) -> Problem:
    errors: list[dict[str, Any]] = [{"pointer": f"/{name}", "detail": why} for name, why in fields]
    return Problem(422, "the request is not valid", errors=errors)


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
