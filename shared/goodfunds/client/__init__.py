"""What other teams import: publish instructions, straight or through their own database, and follow events.

Owns two tables in the caller's database, `goodfunds_outbox` and `goodfunds_positions` (schema.sql).
"""

from goodfunds.client.batches import Batch
from goodfunds.client.outbox import Outbox
from goodfunds.client.publishing import Publisher, Receipt
from goodfunds.client.received import Received
from goodfunds.client.relaying import relay
from goodfunds.client.running import run
from goodfunds.client.statements import schema
from goodfunds.client.subscribing import Subscription
from goodfunds.client.transfers import credit_transfer

__all__ = [
    "Batch",
    "Outbox",
    "Publisher",
    "Receipt",
    "Received",
    "Subscription",
    "credit_transfer",
    "relay",
    "run",
    "schema",
]
