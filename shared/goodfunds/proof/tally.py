"""Sums of payments by lane and currency, with fingerprints that tell whether they are of the same payments.

A fingerprint adds up a hash of each payment's id and amount: where two payments have exchanged their
amounts, the sums agree and the fingerprints do not.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from goodfunds import ids
from goodfunds.proof.evidence import LaneCurrency

Payment = tuple[bytes, str, int]
"""(payment id, currency, minor units, signed where the direction matters)"""


@dataclass(slots=True)
class Tally:
    """Minor units and fingerprints. `parked`: the payments, by lane, that count in both by parked events."""

    minor: Counter[LaneCurrency] = field(default_factory=Counter)
    prints: Counter[LaneCurrency] = field(default_factory=Counter)
    parked: dict[int, set[Payment]] = field(default_factory=dict)
    parked_minor: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, rows: Iterable[Any]) -> "Tally":
        """From rows of lane, currency, amount_minor and fingerprint."""
        found = cls()
        for row in rows:
            place = row["lane"], row["currency"]
            found.minor[place] += row["amount_minor"]
            found.prints[place] += int(row["fingerprint"])
        return found

    def park(self, lane: int, payment: Payment) -> None:
        """Count a payment whose event was handled by parking it."""
        payment_id, currency, minor = payment
        self.minor[lane, currency] += minor
        self.prints[lane, currency] += fingerprint(payment_id, minor)
        self.parked.setdefault(lane, set()).add(payment)
        self.parked_minor[currency] += minor

    def differing(self, other: "Tally") -> list[int]:
        """The lanes whose sums or payments are not the other's."""
        places = {*self.minor, *other.minor}
        return sorted({place[0] for place in places if self._at(place) != other._at(place)})

    def _at(self, place: LaneCurrency) -> tuple[int, int]:
        return self.minor[place], self.prints[place]


def fingerprint(payment_id: bytes, minor: int) -> int:
    """As the services' statements compute it: 60 bits of an MD5, which every Postgres has."""
    text = f"{ids.text(payment_id)} {minor}"
    return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:15], 16)
