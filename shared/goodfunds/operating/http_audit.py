"""HTTP: the audit of a service's lanes, page by page, and whether it is as it was written."""

from typing import Annotated, Final

from fastapi import FastAPI, Query

from goodfunds.access.principals import Principal
from goodfunds.audit.chain import SQL, entry_of, verify
from goodfunds.http.documented import problems
from goodfunds.http.door import allowed
from goodfunds.http.paging import Cursor, Limit, Page, id_in, number_in, page, place_of
from goodfunds.operating.audit_shapes import EntryView, VerificationView, entry_view, verification_view
from goodfunds.operating.operated import Operated
from goodfunds.operating.scopes import LANES_READ

Reader = Annotated[Principal, allowed(LANES_READ)]
PlanId = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        description="What is of this plan.",
    ),
]
Kept = Annotated[
    str | None,
    Query(pattern=r"^[0-9a-f]{64}$", description="The hash of an entry, from an earlier verification."),
]
_AFTER_ALL: Final = 2**63 - 1


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add /v1/audit and its verification."""
    pool = operated.pool

    @app.get("/v1/audit", responses=problems())
    async def audit(
        _: Reader, limit: Limit = 100, cursor: Cursor = None, plan_id: PlanId = None
    ) -> Page[EntryView]:
        """Entries, the newest first."""
        place = place_of(cursor, 1)
        before = _AFTER_ALL if place is None else number_in(place[0])
        if plan_id is None:
            rows = await pool.fetch(SQL["audit_before"], before, limit + 1)
        else:
            rows = await pool.fetch(SQL["audit_of_plan_before"], before, limit + 1, id_in(plan_id))
        kept, more = page(rows, limit, limit + 1, lambda row: (str(row["audit_seq"]),))
        return Page(items=[entry_view(entry_of(row)) for row in kept], next_cursor=more)

    @app.get("/v1/audit/verification", responses=problems())
    async def verification(_: Reader, kept: Kept = None) -> VerificationView:
        """Walk the whole chain, from the first entry to its end."""
        async with pool.acquire() as connection:
            return verification_view(await verify(connection, None if kept is None else bytes.fromhex(kept)))
