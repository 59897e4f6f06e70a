"""Publishing requests: checked, on their account's lane, acknowledged by all replicas, with a receipt."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Self

from goodfunds.client import link
from goodfunds.client.link import Link, Sending
from goodfunds.client.outbox import Outbox
from goodfunds.client.outgoing import Outgoing, prepare
from goodfunds.client.statements import Connection
from goodfunds.errors import Misconfigured, RequestRefused
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.rails.requests import ClientRequest

_MOST_BYTES = 16 * 1024 * 1024
"""Of requests that are under way: each may have 900,000."""
_NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Receipt:
    """All in-sync replicas have the request. Offsets count from 0.

    `offset` is None where the broker took a repeated sending for what it had, and no longer knows where.
    """

    topic: str
    partition: int
    offset: int | None
    idempotency_key: str


class Publisher:
    """Publishes requests of one client; `async with` connects, and sends what is waiting at the end.

    `client` names whose the idempotency keys are. `answer_timeout`: seconds until a request that nobody
    acknowledged counts as failed. `kafka`: further settings of aiokafka's producer, such as
    `security_protocol`, `ssl_context`, `sasl_mechanism`.

    The order of requests of one account is kept, but for what failed: sent again it comes after what was
    sent meanwhile. Sending the same request again, here or elsewhere, is always safe: goodfunds takes the
    first of a key and answers the others with it. One task or many may use a publisher.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        client: str,
        topic: str = PAYMENT_INSTRUCTIONS,
        answer_timeout: float = 30.0,
        kafka: Mapping[str, Any] = _NO_SETTINGS,
    ) -> None:
        self.client = client
        self._bootstrap = bootstrap
        self._topic = topic
        self._answer_timeout = answer_timeout
        self._settings = kafka
        self._open = False
        self._link: Link | None = None
        self._connecting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect. Raises Unavailable."""
        self._open = True
        try:
            await self._linked()
        except BaseException:
            self._open = False
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        if self._link is not None:
            await self._link.end()
            self._link = None

    async def submit(self, request: ClientRequest, *, traceparent: str = "") -> Receipt:
        """Publish one request and wait for its acknowledgement.

        Raises RequestRefused before anything is sent; DeliveryFailed (retriable: send it again with the same
        key), Unavailable (retriable), Misconfigured. `traceparent`: W3C Trace Context, carried on.
        """
        outgoing = prepare(request, self.client, traceparent)
        sending = await self._send(outgoing)
        return await self._receipt(outgoing, sending)

    def submit_many(
        self, requests: Iterable[ClientRequest] | AsyncIterable[ClientRequest], *, in_flight: int = 1_000
    ) -> AsyncIterator[Receipt]:
        """Publish requests as they come; their receipts, in the order of the requests.

        At most `in_flight` of them, and 16 MiB, are in memory. The iterable is read only as the receipts
        are. Raises RequestRefused once those before it have their receipts; nothing behind it was read, so
        that the same iterator can be gone on with. Raises as `submit`; what has no receipt then may or may
        not be published, and is sent again with the same keys.
        """
        return self.deliver(self._prepared(requests), in_flight)

    def outbox(self, connection: Connection) -> Outbox:
        """Where requests are written within the caller's transaction, for the relay to publish.

        Needs no broker: the publisher need not be entered for it.
        """
        return Outbox(connection, self.client)

    async def deliver(self, prepared: AsyncIterable[Outgoing], in_flight: int) -> AsyncIterator[Receipt]:
        """Publish what is checked already. Raises as `submit_many`."""
        waiting: deque[tuple[Outgoing, Sending]] = deque()
        size = 0
        refused: RequestRefused | None = None
        source = aiter(prepared)
        while True:
            try:
                outgoing = await anext(source)
            except StopAsyncIteration:
                break
            except RequestRefused as refusal:
                refused = refusal
                break
            waiting.append((outgoing, await self._send(outgoing)))
            size += len(outgoing.value)
            while waiting and (len(waiting) >= in_flight or size > _MOST_BYTES or waiting[0][1][1].done()):
                first, sending = waiting.popleft()
                size -= len(first.value)
                yield await self._receipt(first, sending)
        for first, sending in waiting:
            yield await self._receipt(first, sending)
        if refused is not None:
            raise refused

    async def _prepared(
        self, requests: Iterable[ClientRequest] | AsyncIterable[ClientRequest]
    ) -> AsyncIterator[Outgoing]:
        if isinstance(requests, AsyncIterable):
            async for request in requests:
                yield prepare(request, self.client)
        else:
            for request in requests:
                yield prepare(request, self.client)

    async def _send(self, outgoing: Outgoing) -> Sending:
        linked = self._link
        if linked is None or linked.fault is not None:
            linked = await self._linked()
        return linked, await linked.send(outgoing)

    async def _linked(self) -> Link:
        async with self._connecting:
            if not self._open:
                raise Misconfigured("a Publisher connects by `async with`: outside of it nothing is sent")
            if self._link is None or self._link.fault is not None:
                if self._link is not None:
                    await self._link.end()
                    self._link = None
                self._link = await link.connect(self._bootstrap, self.client, self._topic, self._settings)
            return self._link

    async def _receipt(self, outgoing: Outgoing, sending: Sending) -> Receipt:
        linked, future = sending
        answer = await linked.acknowledged(future, self._answer_timeout)
        # A repeat whose first sending the broker no longer remembers is answered without a place.
        known = answer.log_start_offset is not None and answer.log_start_offset >= 0
        offset = answer.offset if known else None
        return Receipt(answer.topic, answer.partition, offset, outgoing.idempotency_key)
