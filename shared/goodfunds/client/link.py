"""One producer with all that is under way on it: the first failure is the end of all of it."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from goodfunds.client.outgoing import Outgoing, headers
from goodfunds.errors import DeliveryFailed, Misconfigured, Unavailable, is_retriable
from goodfunds.lanes import lane_of

_BATCH_BYTES = 500_000
_REQUEST_BYTES = 4 * 1024 * 1024
_CONNECT_SECONDS = 20.0
_STOP_SECONDS = 5.0

Sending = tuple["Link", "asyncio.Future[Any]"]


class Link:
    """An idempotent producer, and the partitions of the topic that it writes."""

    def __init__(self, producer: Any, topic: str, partitions: int) -> None:
        self.fault: BaseException | None = None
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(self, outgoing: Outgoing) -> "asyncio.Future[Any]":
        """Hand a request over, on its account's lane; the future is of its acknowledgement.

        Waits while the lane's batch is full. Raises DeliveryFailed, Misconfigured.
        """
        if self.fault is not None:
            raise DeliveryFailed(f"another request was not acknowledged: {self.fault!r}")
        try:
            sending: asyncio.Future[Any] = await self._producer.send(
                self._topic,
                outgoing.value,
                outgoing.account.encode(),
                lane_of(outgoing.account, self._partitions),
                headers=headers(outgoing),
            )
        except KafkaError as fault:
            raise self._failed(fault) from fault
        # Of what failed the first is told; the others' faults are nobody's surprise.
        sending.add_done_callback(_seen)
        return sending

    async def acknowledged(self, sending: "asyncio.Future[Any]", seconds: float) -> Any:
        """What the broker answered (aiokafka's RecordMetadata). Raises DeliveryFailed, Misconfigured."""
        if not sending.done():
            # Not `wait_for`: it would cancel the answer of a record that is sent all the same.
            await asyncio.wait({sending, self._over}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            fault = self.fault or TimeoutError(f"no acknowledgement within {seconds:g} s")
            raise self._failed(fault) from fault
        answer = sending.exception()
        if answer is not None:
            raise self._failed(answer) from answer
        return sending.result()

    def _failed(self, fault: BaseException) -> Exception:
        """An idempotent producer tries again for ever; what comes after a failure takes a new one.

        Nothing of a lane overtakes what failed: the broker misses the failed batch's numbers.
        """
        self.fault = self.fault or fault
        if not self._over.done():
            self._over.set_result(None)
        if is_retriable(fault):
            return DeliveryFailed(f"a request was not acknowledged: {fault!r}")
        return Misconfigured(
            f"the broker does not take what this client sends: {fault!r}. Its rights on {self._topic} and "
            f"the broker's limits are to be looked at"
        )

    async def end(self) -> None:
        """Send what is waiting, if nothing has failed, and close."""
        try:
            if self.fault is None:
                await asyncio.wait_for(self._producer.stop(), _STOP_SECONDS)
                return
        except Exception as fault:
            self._failed(fault)
        # Left to itself its sender would go on sending, after what its successor sends.
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._abandon(), _STOP_SECONDS)

    async def _abandon(self) -> None:
        sending = self._producer._sender.sender_task
        if sending is not None:
            sending.cancel()
            await asyncio.wait({sending})
        await self._producer.client.close()
        self._producer._closed = True


def _seen(sending: "asyncio.Future[Any]") -> None:
    if not sending.cancelled():
        sending.exception()


async def connect(bootstrap: str, client: str, topic: str, settings: Mapping[str, Any]) -> Link:
    """A link to the topic's brokers. Raises Unavailable, also where the topic does not exist (yet)."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=_BATCH_BYTES,
        max_request_size=_REQUEST_BYTES,
        request_timeout_ms=15_000,
        **settings,
    )
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await producer.start()
            partitions = await producer.partitions_for(topic)
    except BaseException as fault:
        link = Link(producer, topic, 1)
        link.fault = fault
        await link.end()
        if isinstance(fault, (KafkaError, OSError, TimeoutError)):
            raise Unavailable(f"topic {topic} at {bootstrap} cannot be written now: {fault!r}") from fault
        raise
    return Link(producer, topic, len(partitions))
