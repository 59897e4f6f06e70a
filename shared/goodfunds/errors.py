"""The one hierarchy of faults. Whether a fault may be tried again is an attribute of its class."""

import asyncpg
from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownError


class GoodfundsError(Exception):
    """A fault, never a business refusal (those are values). `retriable`: trying again later can succeed."""

    retriable: bool = False


class InvariantBroken(GoodfundsError):
    """What must always hold does not: the lane stops, durably, until a person has looked."""


class Gap(InvariantBroken):
    """Events that a producer has numbered did not come, and later ones did: acknowledged data is missing."""


class Unreadable(GoodfundsError):
    """Bytes that are not what their header or schema id says."""


class Misconfigured(GoodfundsError):
    """A setting or a cluster that goodfunds refuses to work with; the message says what to do."""


class Fenced(GoodfundsError):
    """Another instance has taken these lanes over: nothing of this transaction was written."""

    retriable = True

    def __init__(self, lanes: frozenset[int]) -> None:
        super().__init__(f"lanes taken over by another instance: {sorted(lanes)}")
        self.lanes = lanes


class OutcomeUnknown(GoodfundsError):
    """A commit whose answer did not arrive: it may or may not have happened; take over anew to learn."""

    retriable = True


class RequestRefused(GoodfundsError):
    """What a client asks for is no request that goodfunds takes: nothing was sent or written.

    `code` is an ISO 20022 reason code, `text` says why, `idempotency_key` whose it is.
    """

    def __init__(self, code: str, text: str, idempotency_key: str) -> None:
        super().__init__(f"{text} [{code}]" + (f": {idempotency_key}" if idempotency_key else ""))
        self.code = code
        self.text = text
        self.idempotency_key = idempotency_key


class DeliveryFailed(GoodfundsError):
    """The broker refused an event, or did not acknowledge it in time."""

    retriable = True


class Unavailable(GoodfundsError):
    """A neighbour (database, broker, bank) cannot be reached now."""

    retriable = True


class OutOfTurn(GoodfundsError):
    """What `lane` would handle has to wait until other lanes have gone further: nothing was written."""

    retriable = True

    def __init__(self, lane: int, why: str) -> None:
        super().__init__(f"lane {lane} waits: {why}")
        self.lane = lane


class Conflict(GoodfundsError):
    """Two transactions wanted the same key at once; the next reading sees who won."""

    retriable = True


RETRIABLE_POSTGRES: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    # A standby that is not promoted yet, a transaction that was frozen, a schema that has just moved on.
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.PostgresSystemError,
)

# Postgres' class 23: unique, check, foreign key, not null, exclusion, and what our triggers raise. What an
# event may say is for `decide` to refuse or store: a row that no table may hold is nobody's fault but ours.
BROKEN_INVARIANTS: tuple[type[BaseException], ...] = (
    InvariantBroken,
    asyncpg.IntegrityConstraintViolationError,
    AssertionError,
)

# The client says of these that they are for good; a broker that comes back mends them.
RETRIABLE_KAFKA: tuple[type[BaseException], ...] = (KafkaTimeoutError, UnknownError)


def is_retriable(fault: BaseException) -> bool:
    """True where the same work may succeed later without anyone changing anything."""
    if isinstance(fault, GoodfundsError):
        return fault.retriable
    if isinstance(fault, KafkaError):
        return bool(fault.retriable) or isinstance(fault, RETRIABLE_KAFKA)
    return isinstance(fault, (*RETRIABLE_POSTGRES, OSError, TimeoutError)) or _is_between_partitions(fault)


def is_broken_invariant(fault: BaseException) -> bool:
    """True where the lane stops, durably; any other fault that time will not mend is an event's own."""
    return isinstance(fault, BROKEN_INVARIANTS) and not is_retriable(fault)


def _is_between_partitions(fault: BaseException) -> bool:
    """Whether a row was on its way to the default partition while its day got one of its own.

    A partition's own constraint is the one that has no name; written again, the row finds its day.
    """
    return isinstance(fault, asyncpg.CheckViolationError) and fault.constraint_name is None
