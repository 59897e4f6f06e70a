"""What lanes and feeds count for Prometheus; touched once a transaction, never once an event."""

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
STUCK = Gauge(
    "goodfunds_lanes_not_moving", "Lanes whose topic has more but whose offset has not moved for 30 s"
)
