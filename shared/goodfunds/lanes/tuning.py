"""How a loop or feed works: where, with whom, in what sizes and times."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """How a loop works. Times in seconds; `batch`: records of one transaction; `in_flight`: events.

    `replicated`: refuse topics that are not replicated thrice; off for a local stack of one broker.
    `answer_timeout`: how long the broker may take to acknowledge, before all begins anew from the outbox.
    `prove_every`: how often an idle lane proves that it is ours, and writes what was acknowledged.
    """

    dsn: str
    bootstrap: str
    partitions: int
    owner: str
    batch: int = 2_000
    longest_linger: float = 0.05
    due_every: float = 0.5
    prove_every: float = 3.0
    in_flight: int = 20_000
    keep_days: int = 14
    session_timeout: float = 10.0
    statement_timeout: float = 60.0
    answer_timeout: float = 15.0
    replicated: bool = False
