"""What an event is about, for whoever holds only its bytes."""

from goodfunds import ids
from goodfunds.errors import Unreadable
from goodfunds.events.types import decode


def payment_of(value: bytes | None) -> bytes | None:
    """The id of the payment that an event names; None where it names none, or cannot be read."""
    try:
        event = decode(value)
    except Unreadable:
        return None
    found = getattr(event, "payment_id", ids.NO_ID)
    return None if found == ids.NO_ID else found
