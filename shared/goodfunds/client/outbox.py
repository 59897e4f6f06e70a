"""The outbox: requests as rows of the caller's own transaction, there if and only if it commits."""

from collections.abc import Iterable
from itertools import islice

from goodfunds.client.outgoing import Outgoing, prepare
from goodfunds.client.statements import SQL, Connection
from goodfunds.errors import Misconfigured
from goodfunds.rails.requests import ClientRequest

_PAGE = 500


class Outbox:
    """Writes requests into `goodfunds_outbox` of the database that `connection` is connected with."""

    def __init__(self, connection: Connection, client: str) -> None:
        self._connection = connection
        self._client = client

    async def submit(self, request: ClientRequest, *, traceparent: str = "") -> None:
        """Write one request. Raises RequestRefused before anything is written, Misconfigured, PostgresError.

        It is published once the transaction has committed, at least once and with its idempotency key, so
        that goodfunds takes it once.
        """
        await self._write([prepare(request, self._client, traceparent)])

    async def submit_many(self, requests: Iterable[ClientRequest]) -> int:
        """Write requests in their order; how many. Raises as `submit`, with nothing of its 500 written."""
        prepared = (prepare(request, self._client) for request in requests)
        count = 0
        while page := list(islice(prepared, _PAGE)):
            await self._write(page)
            count += len(page)
        return count

    async def _write(self, page: list[Outgoing]) -> None:
        if not self._connection.is_in_transaction():
            raise Misconfigured(
                "an outbox is written within your own transaction (`async with connection.transaction()`): "
                "outside of one a request would go out though what it follows from is rolled back"
            )
        await self._connection.execute(
            SQL["write"],
            [each.account for each in page],
            [each.event_type for each in page],
            [each.client for each in page],
            [each.idempotency_key for each in page],
            [each.value for each in page],
            [each.traceparent for each in page],
        )
