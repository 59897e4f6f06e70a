"""A service's lanes as operators see them: who has each, how far it is behind, what stands in the way."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
from aiokafka import TopicPartition

from goodfunds.clock import EPOCH
from goodfunds.operating import STATEMENTS
from goodfunds.operating.shapes import InputView, LaneView, Money, OutboxTail, ParkedSum
from goodfunds.operating.unread import Unread
from goodfunds.postgres import statements

SQL: Final = statements(STATEMENTS)
_LATEST_MS: Final = 253_402_300_799_999


def unread_offsets(rows: Iterable[Any]) -> dict[TopicPartition, int]:
    """Partition → the offset to be handled next, of `lanes_seen`."""
    return {
        TopicPartition(topic, row["lane"]): offset
        for row in rows
        for topic, offset in json.loads(row["offsets"]).items()
    }


async def parked_sums(pool: "asyncpg.Pool[Any]") -> dict[int, ParkedSum]:
    """lane → what is parked of it; lanes without are left out."""
    found: dict[int, list[Any]] = {}
    for row in await pool.fetch(SQL["parked_by_lane"]):
        found.setdefault(row["lane"], []).append(row)
    return {
        lane: ParkedSum(
            events=sum(row["events"] for row in rows),
            poison=sum(row["poison"] for row in rows),
            money=[money_of(row) for row in rows],
            oldest_parked_at=min(row["oldest"] for row in rows),
        )
        for lane, rows in found.items()
    }


def lane_view(
    row: Any, unread: Mapping[TopicPartition, Unread] | None, parked: ParkedSum | None, now: datetime
) -> LaneView:
    """A row of `lanes_seen`; `unread` is None where the broker did not say."""
    inputs = [
        _input_view(topic, offset, None if unread is None else unread.get(TopicPartition(topic, row["lane"])))
        for topic, offset in sorted(json.loads(row["offsets"]).items())
    ]
    oldest = min((each.oldest_unread_at for each in inputs if each.oldest_unread_at), default=None)
    lags = [each.lag for each in inputs if each.lag is not None]
    return LaneView(
        lane=row["lane"],
        owner=row["owner"],
        epoch=row["epoch"],
        heartbeat=row["heartbeat"],
        decided_at=row["decided_at"],
        stopped_reason=row["stopped_reason"],
        stopped_at=row["stopped_at"],
        catching_up=row["restored_at"] is not None or row["catching_up"],
        lag=sum(lags) if len(lags) == len(inputs) else None,
        money=summed(money for each in inputs for money in each.money),
        at_least=any(each.at_least for each in inputs),
        oldest_unread_at=oldest,
        oldest_unread_seconds=None if oldest is None else max((now - oldest).total_seconds(), 0.0),
        inputs=inputs,
        outbox_seq=row["outbox_seq"],
        published_seq=row["published_seq"],
        outbox=OutboxTail(rows=row["rows"], events=row["events"]),
        parked=parked or ParkedSum(events=0, poison=0, money=[], oldest_parked_at=None),
    )


def _input_view(topic: str, offset: int, unread: Unread | None) -> InputView:
    if unread is None:
        return InputView(
            topic=topic, offset=offset, end=None, lag=None, money=[], at_least=True, oldest_unread_at=None
        )
    return InputView(
        topic=topic,
        offset=offset,
        end=unread.end,
        lag=max(unread.end - offset, 0),
        money=[
            Money(currency=currency, events=events, amount_minor=unread.minor[currency])
            for currency, events in sorted(unread.events.items(), key=lambda each: each[0] or "")
        ],
        at_least=not unread.whole,
        oldest_unread_at=None if unread.oldest_ms is None else broker_time(unread.oldest_ms),
    )


def money_of(row: Any) -> Money:
    """A row that counts the events of a currency."""
    return Money(currency=row["currency"], events=row["events"], amount_minor=row["amount_minor"])


def summed(found: Iterable[Money]) -> list[Money]:
    """One for each currency."""
    events: Counter[str | None] = Counter()
    minor: Counter[str | None] = Counter()
    for each in found:
        events[each.currency] += each.events
        minor[each.currency] += each.amount_minor
    return [
        Money(currency=currency, events=count, amount_minor=minor[currency])
        for currency, count in sorted(events.items(), key=lambda each: each[0] or "")
    ]


def broker_time(milliseconds: int) -> datetime:
    """A record's time; a client's clock may have told any, so that it is held within the calendar."""
    return EPOCH + timedelta(milliseconds=min(max(milliseconds, 0), _LATEST_MS))
