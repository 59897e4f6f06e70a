"""Requests to the gateway: what a bank told a person about a file whose end is unknown."""

import json
from collections.abc import Sequence

from services.settlement.gateway.work import PersonAnswered, UndeliveredFile
from services.settlement.store import SQL, Reader


async def answered_by_person(connection: Reader, files: Sequence[UndeliveredFile]) -> PersonAnswered | None:
    """The first request that waits. Payload: {"message_id": …, "found": true or false}."""
    row = await connection.fetchrow(SQL["gateway_requests"])
    if row is None:
        return None
    payload = json.loads(row["payload"])
    message_id = payload.get("message_id") if isinstance(payload, dict) else None
    found = payload.get("found") if isinstance(payload, dict) else None
    if not isinstance(found, bool):
        return PersonAnswered(row["request_id"], "refused: found is true or false")
    for file in files:
        if file.message_id == message_id:
            if file.state not in ("unknown", "not_sent"):
                return PersonAnswered(row["request_id"], "refused: the file is being sent")
            return PersonAnswered(row["request_id"], "done", file, found)
    return PersonAnswered(row["request_id"], "refused: no file of that message id is unknown")
