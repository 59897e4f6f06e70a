"""The events of one poll, with the seq that each has or will get: outcomes store it for the proof."""

from collections import Counter

from goodfunds.events.topics import BANK_NOTIFICATIONS, SETTLEMENT_NOTIFICATIONS
from goodfunds.lanes import Emission, Poll
from services.settlement.told import Telling, ToldBefore


class Outgoing:
    """Collects emissions by lane, in order. Emissions of lanes that are not in the poll are a fault."""

    def __init__(self, poll: Poll, told: ToldBefore) -> None:
        self.by_lane: dict[int, list[Emission]] = {lane: [] for lane in poll.lanes}
        self._sequences = poll.sequences
        self.told = told
        self._counted: Counter[tuple[int, int]] = Counter()
        self._first: dict[int, int] = {}

    def tell(self, lane: int, account: str, event: Telling, traceparent: bytes) -> int:
        """Emit on settlement-notifications, in the lane itself, what was not told before; returns its seq."""
        told = self.told.take(lane, event)
        if told is not None:
            return told
        event_type, body = type(event).__name__, event.encode()
        self.by_lane[lane].append(
            Emission(SETTLEMENT_NOTIFICATIONS, lane, account.encode(), event_type, body, traceparent)
        )
        first = self._first.get(lane)
        if first is None:
            first = self._first[lane] = self._sequences.of(lane, SETTLEMENT_NOTIFICATIONS, lane)
        seq = first + self._counted[lane, lane]
        self._counted[lane, lane] += 1
        return seq

    def send_on(self, lane: int, to_lane: int, account: str, event_type: str, body: bytes) -> None:
        """Emit a bank's answer again, for the lane of its payment."""
        self.by_lane[lane].append(
            Emission(BANK_NOTIFICATIONS, to_lane, account.encode(), event_type, body, b"")
        )
