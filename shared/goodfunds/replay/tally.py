"""The sum of many slices' effects, in bounded memory, as a forecast or an outcome shows it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from goodfunds.replay.effects import Effects, Table, money_of, refusals_of, sample

_SAMPLES = 100
"""Of each table."""
_ACCOUNTS = 10_000
OTHERS = "(other accounts)"


class Tally:
    """Counts rows by table, events by type, refusals by reason, money by account; keeps the first samples."""

    def __init__(self) -> None:
        self.rewritten = 0
        self.rows: dict[str, Counter[str]] = {}
        self.events: dict[str, Counter[str]] = {}
        self.refusals: Counter[str] = Counter()
        self.money: dict[str, Counter[str]] = {}
        self.samples: dict[str, list[dict[str, Any]]] = {}

    def add(self, tables: Mapping[str, Table], effects: Effects) -> None:
        """Count a slice's effects too."""
        self.rewritten += effects.rewritten
        for change in effects.changes:
            self.rows.setdefault(change.table, Counter())[change.operation] += 1
            samples = self.samples.setdefault(change.table, [])
            if len(samples) < _SAMPLES:
                samples.append(sample(tables[change.table], change))
        for (topic, event_type), count in effects.events.items():
            self.events.setdefault(topic, Counter())[event_type] += count
        self.refusals.update(refusals_of(effects.changes))
        for (account, currency), moved in money_of(effects.changes).items():
            accounts = self.money.setdefault(currency, Counter())
            known = account in accounts or len(accounts) < _ACCOUNTS
            accounts[account if known else OTHERS] += moved

    def as_json(self) -> dict[str, Any]:
        """rows: table → operation → n; rewritten: n; events: topic → type → n; refusals: code → n;
        money: currency → account → minor units; samples: table → those of `effects.sample`."""
        return {
            "rows": {table: dict(found) for table, found in sorted(self.rows.items())},
            "rewritten": self.rewritten,
            "events": {topic: dict(found) for topic, found in sorted(self.events.items())},
            "refusals": dict(self.refusals),
            "money": {
                currency: {account: moved for account, moved in found.items() if moved}
                for currency, found in sorted(self.money.items())
            },
            "samples": self.samples,
        }
