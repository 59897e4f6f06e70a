"""The way of single payments to payment-instructions: on their accounts' lanes, and acknowledged."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from goodfunds.errors import Unavailable
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import PaymentInstruction
from goodfunds.lanes import lane_of

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS: Final = 5.0
_TRACEPARENT: Final = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Instructing:
    """One producer, made when it is first needed. `away` says at once that the broker does not answer.

    It need not be idempotent: what stands on the topic twice has the same key, and is one payment.
    """

    def __init__(
        self,
        bootstrap: str,
        partitions: int,
        away: Callable[[], bool],
        topic: str = PAYMENT_INSTRUCTIONS,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._away = away
        self._topic = topic
        self._patience = patience
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()

    async def put(self, instruction: PaymentInstruction, traceparent: str = "") -> None:
        """Returns once all replicas in sync have it.

        Raises Unavailable: whether it stands on the topic is not known then, and asking again does no harm.
        """
        if self._away():
            raise Unavailable("Kafka does not answer")
        account = instruction.debtor_account
        headers = [("ce_type", b"PaymentInstruction")]
        if _TRACEPARENT.fullmatch(traceparent):
            headers.append(("traceparent", traceparent.encode()))
        try:
            async with asyncio.timeout(self._patience):
                producer = await self._connected()
                await producer.send_and_wait(
                    self._topic,
                    instruction.encode(),
                    account.encode(),
                    lane_of(account, self._partitions),
                    headers=headers,
                )
        except (KafkaError, OSError, TimeoutError) as fault:
            raise Unavailable(f"the instruction was not acknowledged: {fault!r}") from fault

    async def _connected(self) -> AIOKafkaProducer:
        async with self._making:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    client_id="ingestion-http",
                    acks="all",
                    request_timeout_ms=round(1000 * self._patience),
                )
                try:
                    await producer.start()
                except BaseException:
                    # Cancelled or refused: what it has opened so far is closed.
                    await _end(producer)
                    raise
                self._producer = producer
            return self._producer

    async def close(self) -> None:
        """End the producer; nobody waits for an answer any more."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await _end(producer)


async def _end(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await producer.stop()
    except Exception as fault:
        log.info("not closed in good order", fault=repr(fault))
        with contextlib.suppress(Exception):
            await producer.client.close()
