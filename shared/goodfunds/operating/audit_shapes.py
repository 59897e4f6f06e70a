"""What the operators' HTTP gives of the audit: entries and its verification as JSON."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from goodfunds import ids
from goodfunds.audit.chain import Entry, Verified


class EntryView(BaseModel):
    """Who did what, when. `hash` follows from the entry and from `previous`, the hash of the one before."""

    audit_seq: int
    at: datetime
    actor: str
    action: str
    plan_id: str | None
    detail: dict[str, Any]
    previous: str
    hash: str


class VerificationView(BaseModel):
    """Whether every entry is as it was written."""

    verified: bool
    entries: int = Field(description="Those that were found good, from the first on.")
    head: int = Field(description="The last entry, as the chain's end says.")
    hash: str = Field(description="Of the head; kept elsewhere, it shows a chain that was made anew.")
    broken: int | None = Field(description="The first entry that is not as it was written.")
    why: str
    kept: int = Field(
        description="The entry that has the hash that was kept; 0: none has, or none was named."
    )


def entry_view(entry: Entry) -> EntryView:
    """An entry as JSON has it."""
    return EntryView(
        audit_seq=entry.audit_seq,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        plan_id=None if entry.plan_id is None else ids.text(entry.plan_id),
        detail=dict(entry.detail),
        previous=entry.previous.hex(),
        hash=entry.hash.hex(),
    )


def verification_view(found: Verified) -> VerificationView:
    """A verification as JSON has it."""
    return VerificationView(
        verified=found.broken is None,
        entries=found.entries,
        head=found.head,
        hash=found.hash.hex(),
        broken=found.broken,
        why=found.why,
        kept=found.kept,
    )
