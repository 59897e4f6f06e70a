"""The topics: who writes and reads each, and how Kafka keeps it. Every topic has the same partitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

PAYMENT_INSTRUCTIONS = "payment-instructions"
PAYMENTS = "payments"
SETTLEMENT_NOTIFICATIONS = "settlement-notifications"
BANK_NOTIFICATIONS = "bank-notifications"
BANK_STATEMENTS = "bank-statements"
RECONCILIATION = "reconciliation"
CONTROL_TOTALS = "control-totals"

_DAY_MS = 86_400_000
_BASE = {"max.message.bytes": str(4 * 1024 * 1024), "cleanup.policy": "delete"}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. `retention_days` must be shorter than the outbox keeps its rows; `config` is for Kafka."""

    name: str
    about: str
    events: tuple[str, ...]
    client_writable: bool = False
    retention_days: int = 7
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def config(self) -> dict[str, str]:
        """Kafka's own names and values."""
        return {**_BASE, "retention.ms": str(self.retention_days * _DAY_MS), **self.settings}


TOPICS = (
    Topic(
        PAYMENT_INSTRUCTIONS,
        "What clients ask for. Written by clients, the file intake, HTTP and ingestion (forwarding).",
        ("PaymentInstruction", "AccountOpenRequested", "AccountFundRequested"),
        client_writable=True,
        # Payment ids are derived from the broker's time, so that no client can choose it.
        settings=MappingProxyType({"message.timestamp.type": "LogAppendTime"}),
    ),
    Topic(
        PAYMENTS,
        "What ingestion decided.",
        (
            "PaymentAccepted",
            "PaymentRejected",
            "InstructionRefused",
            "AccountOpened",
            "AccountFunded",
            "PaymentRefunded",
        ),
    ),
    Topic(
        SETTLEMENT_NOTIFICATIONS,
        "What became of payments at the bank: what other systems listen to. Written by settlement.",
        (
            "PaymentSubmitted",
            "PaymentSettled",
            "PaymentRejectedByBank",
            "PaymentReturned",
            "PaymentDelayed",
            "SettlementContradicted",
        ),
    ),
    Topic(
        BANK_NOTIFICATIONS,
        "What the bank answered. Written by the bank gateway, and by settlement when it finds a lane.",
        (
            "BatchSubmitted",
            "BatchRefused",
            "PaymentStatusReported",
            "BatchStatusReported",
            "BankEntryReported",
        ),
    ),
    Topic(
        BANK_STATEMENTS,
        "The bank's own account of what moved. Written by the statement reader, and by reconciliation.",
        ("StatementOpened", "StatementLine", "StatementClosed"),
    ),
    Topic(
        RECONCILIATION,
        "What the statements prove, and what they do not. Written by reconciliation.",
        ("PaymentMatched", "BreakOpened", "BreakResolved", "StatementReconciled"),
    ),
    Topic(
        CONTROL_TOTALS,
        "What an independent second reader of the topics counted.",
        ("ControlTotal",),
    ),
)
