"""Ingestion: takes responsibility for payments, or says why not; holds the customers' money until they leave.

Owns: accounts, balances, payments, idempotency keys, payment files (database `ingestion`).
Reads: payment-instructions, settlement-notifications. Writes: payments, and payment-instructions (what lies
on a wrong lane, and the file intake). `python -m services.ingestion` works the lanes and serves HTTP,
`python -m services.ingestion intake` feeds the payments of files in.
"""

from pathlib import Path

from goodfunds import access, ledger
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.operating.scopes import SCOPES
from goodfunds.service import Service

PAYMENTS_READ = "payments:read"
PAYMENTS_WRITE = "payments:write"

SERVICE = Service(
    name="ingestion",
    database="ingestion",
    migrations=(ledger.MIGRATIONS, access.MIGRATIONS, Path(__file__).parent / "migrations"),
    sql=Path(__file__).parent / "sql",
    inputs=(PAYMENT_INSTRUCTIONS, SETTLEMENT_NOTIFICATIONS),
    outputs=(PAYMENTS, PAYMENT_INSTRUCTIONS),
    adopts=True,
    scopes={
        **SCOPES,
        PAYMENTS_READ: "see the client's own payments and payment files",
        PAYMENTS_WRITE: "hand in payments and payment files",
    },
    beside_lanes={
        "payment_files": "wishes over HTTP, and how far the intake is with each",
    },
    not_rebuilt=(
        "payment files come over HTTP and stand in its database alone, and a payment is accepted by the "
        "balance at its turn among refunds, which come on another topic: in which order, no topic says"
    ),
)
