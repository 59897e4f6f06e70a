"""What operators' reads give as JSON: lanes, parked events, events of the outbox."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class Money(BaseModel):
    """Events and what they come to, in minor units; `currency` is null for those without an amount."""

    currency: str | None
    events: int
    amount_minor: int


class InputView(BaseModel):
    """A topic that a lane reads. `offset` is the next to be handled, `end` the next to be written."""

    topic: str
    offset: int
    end: int | None = Field(description="null: the broker does not say.")
    lag: int | None = Field(description="Offsets to go; markers of clients' transactions count as well.")
    money: list[Money] = Field(description="Of the unread records that were looked at.")
    at_least: bool = Field(description="Not every unread record was looked at: there is more.")
    oldest_unread_at: datetime | None = Field(description="The broker's time of the first unread record.")


class OutboxTail(BaseModel):
    """What a lane has decided and not yet seen acknowledged."""

    rows: int
    events: int


class ParkedSum(BaseModel):
    """What is parked of a lane. `poison`: events that faulted; the others wait behind one."""

    events: int
    poison: int
    money: list[Money]
    oldest_parked_at: datetime | None


class LaneView(BaseModel):
    """A lane; −1 is the feed of the database, which reads no topic."""

    lane: int
    owner: str | None
    epoch: int
    heartbeat: datetime | None
    decided_at: datetime | None
    stopped_reason: str | None
    stopped_at: datetime | None
    catching_up: bool = Field(description="After a restore it does what it did since the backup again.")
    lag: int | None
    money: list[Money] = Field(description="Unread, by currency.")
    at_least: bool
    oldest_unread_at: datetime | None
    oldest_unread_seconds: float | None
    inputs: list[InputView]
    outbox_seq: int
    published_seq: int
    outbox: OutboxTail
    parked: ParkedSum


class LanesView(BaseModel):
    """All lanes of a service. `broker`: whether Kafka said where the topics end."""

    service: str
    incarnation: str | None = Field(description="null: no instance has ever started.")
    at: datetime
    broker: bool
    lanes: list[LaneView]


class Place(BaseModel):
    """Where a record stands on its topic."""

    topic: str
    partition: int
    offset: int


class ParkedView(Place):
    """A parked event. `key`: the account whose later events wait behind it."""

    lane: int
    parked_seq: int
    key: str
    event_type: str
    payment_id: str | None
    amount_minor: int | None
    currency: str | None
    poison: bool = Field(description="It faulted itself; else it waits behind one that did.")
    fault: str
    broker_time: datetime
    parked_at: datetime
    age_seconds: float = Field(description="Since the broker took it.")


class Behind(BaseModel):
    """What waits behind a parked event: the later ones of its key, the first twenty by their places."""

    events: int
    money: list[Money]
    next: list[Place]


class ParkedEvent(ParkedView):
    """A parked event in full. `waits_for`: the first parked event of its key, null where it is that."""

    event: dict[str, Any]
    headers: dict[str, str | None] = Field(description="As text where they are, else in hex after 0x.")
    waits_for: Place | None
    behind: Behind


class OutboxEvent(BaseModel):
    """An event that a lane decided to publish. `seq` counts in its destination, `topic` and `partition`.

    `place` counts from 1 within its row, which holds a lane's events of one transaction.
    """

    lane: int
    outbox_seq: int
    place: int
    topic: str
    partition: int
    seq: int
    decided_at: datetime
    ce_id: str | None = Field(description="null: of a life of the database before it was brought back.")
    key: str
    event_type: str
    event: dict[str, Any]
    replay_id: str | None
    published: bool = Field(description="Whether it is known to be acknowledged; what is, follows lazily.")
