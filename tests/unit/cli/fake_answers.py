"""What services tell the command line's tests, made by the shapes and by the code that the real ones use."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from goodfunds.lanes import Emission
from goodfunds.operating.replay_shapes import PlanSummary, PlanView, RangeView, ShareView
from goodfunds.operating.shapes import InputView, LanesView, LaneView, Money, OutboxTail, ParkedSum
from goodfunds.replay.effects import Change, Table, effects_of
from goodfunds.replay.forecast import Forecast
from goodfunds.replay.trial import Tried, WouldBeFault

AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
PLAN = "019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11"
EARLIER_PLAN = "019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d10"
_TABLES: Final[Mapping[str, Table]] = {
    "balances": Table("balances", ("account", "currency", "lane"), frozenset({"balance_minor"}), frozenset()),
    "payments": Table("payments", ("payment_id",), frozenset(), frozenset()),
}


def lane(number: int, **differing: Any) -> LaneView:
    euros = [Money(currency="EUR", events=3, amount_minor=123_456)]
    told: dict[str, Any] = {
        "lane": number, "owner": "host/1", "epoch": 7, "heartbeat": AT, "decided_at": AT,
        "stopped_reason": None, "stopped_at": None, "catching_up": False, "lag": 3, "money": euros,
        "at_least": False, "oldest_unread_at": AT, "oldest_unread_seconds": 93_784.0,
        "inputs": [InputView(topic="payments", offset=7, end=10, lag=3, money=euros, at_least=False,
                             oldest_unread_at=AT)],
        "outbox_seq": 9, "published_seq": 8, "outbox": OutboxTail(rows=1, events=5),
        "parked": ParkedSum(events=2, poison=1, money=euros, oldest_parked_at=AT),
    }  # fmt: skip
    return LaneView(**{**told, **differing})


def lanes(*found: LaneView, broker: bool = True, service: str = "settlement") -> dict[str, Any]:
    view = LanesView(service=service, incarnation="a1", at=AT, broker=broker, lanes=list(found))
    return view.model_dump(mode="json")


def plan(state: str, **differing: Any) -> dict[str, Any]:
    share = ShareView(
        lane=3, ranges=[RangeView(topic="payments", first=10, end=20)], total=10, state="waiting",
        position={}, slice=0, handled=4, skipped=1, rows_changed=2, events_emitted=1, fault=None,
        started_at=None, finished_at=None,
    )  # fmt: skip
    told: dict[str, Any] = {
        "plan_id": PLAN, "kind": "replay", "state": state, "given_up": False, "expired": False,
        "selection": {"topic": "payments", "partitions": [3], "parked": {"keys": ["DE00ADA"]}},
        "reason": "TICKET-7", "rate": None, "code_version": "c", "schema_version": "s", "planned_by": "ada",
        "planned_at": AT, "expires_at": AT + timedelta(hours=1), "approved_by": None, "approved_at": None,
        "finished_at": None, "total": 10, "done": 5, "seconds_left": 61, "progress": {"records": 4},
        "exact": None, "forecast": None, "forecast_digest": None, "outcome": None, "outcome_digest": None,
        "fault": None, "lanes": [share],
    }  # fmt: skip
    return PlanView(**{**told, **differing}).model_dump(mode="json")


def summary(state: str, **differing: Any) -> dict[str, Any]:
    """A plan as a list has it."""
    told = {**plan(state, **differing), "lanes": 1}
    return PlanSummary(**{name: told[name] for name in PlanSummary.model_fields}).model_dump(mode="json")


def _foreseen() -> Mapping[str, Any]:
    changes = [
        _moved("DE00ADA", 200_000, 76_544),
        _moved("transit-out:sepa-credit", 0, 123_456),
        Change("payments", None, {"payment_id": "01a2", "reason_code": "AM04"}),
    ]
    told = Emission("settlement-notifications", 3, b"DE00ADA", "PaymentSettled", b"", b"")
    fault = WouldBeFault("payments", 3, 12, "KeyError: [bold]'x'")
    forecast = Forecast(_TABLES)
    forecast.add(3, 0, 9, 1, Tried(effects_of(_TABLES, changes, {3: [told]}), (fault,)))
    found = forecast.as_json("settlement")
    # As of a plan that has more of them than are told.
    return {**found, "faults": {**found["faults"], "count": 2}}


def _moved(account: str, before: int, after: int) -> Change:
    key = {"account": account, "currency": "EUR", "lane": 3}
    return Change("balances", {**key, "balance_minor": before}, {**key, "balance_minor": after})


FORECAST: Final = _foreseen()
