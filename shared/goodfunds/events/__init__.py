"""Events: what the topics carry. The schemas under schemas/events are the source, `types` is made from them.

Owns the wire format (Confluent: a zero byte, the schema id, an Avro body) and the list of topics.
"""

from goodfunds.events.types import decode

__all__ = ["decode"]
