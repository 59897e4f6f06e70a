"""Settlement: batches payments by cut-off, sends them to banks, and takes the banks' answers to heart.

Owns: batches, cut-offs, bank files and attempts, the nostro and transit ledger (database `settlement`).
Reads: payments, bank-notifications. Writes: settlement-notifications, and bank-notifications (its gateway,
and answers that it sends on to the lane of their payment). `python -m services.settlement` works the lanes,
`python -m services.settlement gateway` talks to the bank.
"""

from pathlib import Path

from goodfunds import access, ledger
from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.operating.scopes import SCOPES
from goodfunds.service import Service

READ = "settlement:read"
OPERATE = "settlement:operate"

SERVICE = Service(
    name="settlement",
    database="settlement",
    migrations=(ledger.MIGRATIONS, access.MIGRATIONS, Path(__file__).parent / "migrations"),
    sql=Path(__file__).parent / "sql",
    inputs=(PAYMENTS, BANK_NOTIFICATIONS),
    outputs=(SETTLEMENT_NOTIFICATIONS, BANK_NOTIFICATIONS),
    adopts=True,
    scopes={
        **SCOPES,
        READ: "see batches, cut-offs, bank files and calendars, of all clients",
        OPERATE: "close a cut-off",
    },
    beside_lanes={
        "requests": "what people ask for, whenever they do",
        "bank_files": "the gateway's own work",
        "bank_file_batches": "the gateway's own work",
        "attempts": "the gateway's own work",
        "bank_messages": "how far the gateway is with each answer",
        "restores": "how far the gateway is after a restore",
        "found_files": "what the gateway found at the bank after a restore",
        "found_batches": "what the gateway found at the bank after a restore",
        "found_payments": "what the gateway found at the bank after a restore",
    },
    not_rebuilt=(
        "cut-offs are closed by the clock and by people, bank files are made and sent in attempts, and what "
        "became of each stands in its database alone"
    ),
)
