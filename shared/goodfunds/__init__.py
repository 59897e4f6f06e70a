"""goodfunds: money movement proved to the cent. The library that services and clients import.

What is listed here is what other teams build on; it is loaded when it is first asked for, so that whoever
needs `Money` alone loads neither a client of Kafka nor one of Postgres.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from goodfunds.money import Money

if TYPE_CHECKING:
    from goodfunds.client import (
        Batch,
        Outbox,
        Publisher,
        Receipt,
        Received,
        Subscription,
        credit_transfer,
        relay,
        run,
        schema,
    )
    from goodfunds.errors import (
        DeliveryFailed,
        Gap,
        GoodfundsError,
        InvariantBroken,
        Misconfigured,
        OutcomeUnknown,
        RequestRefused,
        Unavailable,
        Unreadable,
    )
    from goodfunds.events.types import (
        AccountFunded,
        AccountFundRequested,
        AccountOpened,
        AccountOpenRequested,
        InstructionRefused,
        PaymentAccepted,
        PaymentDelayed,
        PaymentInstruction,
        PaymentRefunded,
        PaymentRejected,
        PaymentRejectedByBank,
        PaymentReturned,
        PaymentSettled,
        PaymentSubmitted,
        SettlementContradicted,
    )

__all__ = [
    "AccountFundRequested",
    "AccountFunded",
    "AccountOpenRequested",
    "AccountOpened",
    "Batch",
    "DeliveryFailed",
    "Gap",
    "GoodfundsError",
    "InstructionRefused",
    "InvariantBroken",
    "Misconfigured",
    "Money",
    "Outbox",
    "OutcomeUnknown",
    "PaymentAccepted",
    "PaymentDelayed",
    "PaymentInstruction",
    "PaymentRefunded",
    "PaymentRejected",
    "PaymentRejectedByBank",
    "PaymentReturned",
    "PaymentSettled",
    "PaymentSubmitted",
    "Publisher",
    "Receipt",
    "Received",
    "RequestRefused",
    "SettlementContradicted",
    "Subscription",
    "Unavailable",
    "Unreadable",
    "credit_transfer",
    "relay",
    "run",
    "schema",
]

_ROOMS = ("goodfunds.client", "goodfunds.errors", "goodfunds.events.types")


def __getattr__(name: str) -> Any:
    """Load a name of the public surface. Raises AttributeError for any other."""
    if name in __all__:
        for room in _ROOMS:
            found = getattr(import_module(room), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
