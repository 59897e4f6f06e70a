"""What lanes and feeds count for Prometheus; touched once a transaction, never once an event."""

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("goodfunds_records_handled_total", "Records handled")
REPEATS = Counter("goodfunds_records_repeated_total", "Records dropped because their seq was handled before")
PARKED = Counter("goodfunds_records_parked_total", "Records set aside: poison, or behind poison", ["poison"])
PUBLISHED = Counter("goodfunds_events_published_total", "Events that the broker acknowledged")
TRANSACTION_SECONDS = Histogram(
    "goodfunds_transaction_seconds",
    "From the fence to the commit's answer",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
TRANSACTION_RECORDS = Histogram(
    "goodfunds_transaction_records",
    "Records handled by one transaction, that had any",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000),
)
VISIBLE_SECONDS = Histogram(
    "goodfunds_commit_to_visible_seconds",
    "From the commit's answer to the broker's acknowledgement",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
TAKEOVERS = Counter("goodfunds_lane_takeovers_total", "Lanes taken over")
FENCED = Counter("goodfunds_lane_fenced_total", "Transactions refused because another instance owns a lane")
HELD = Gauge("goodfunds_lanes_held", "Lanes that this process owns now")
STOPPED = Gauge("goodfunds_lanes_stopped", "Lanes of this process that stand still until a person has looked")
IN_FLIGHT = Gauge("goodfunds_events_in_flight", "Events committed and not acknowledged by the broker yet")
SESSIONS = Counter("goodfunds_lane_sessions_total", "Times the loop began anew after a fault", ["fault"])
LAG = Gauge(
    "goodfunds_lane_lag_records",
    "Records of a lane's topic beyond the committed offset, as far as the client has heard of its end",
    ["topic", "lane"],
)
STUCK = Gauge(
    "goodfunds_lanes_not_moving", "Lanes whose topic has more but whose offset has not moved for 30 s"
)


def tell_lags(lags: Mapping[int, Mapping[str, int]]) -> None:
    """lane → topic → records, of the lanes held now; the others are for other instances to tell of."""
    LAG.clear()
    for lane, by_topic in lags.items():
        for topic, records in by_topic.items():
            LAG.labels(topic, str(lane)).set(records)
