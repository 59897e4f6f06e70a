"""Tokens: made at random, shown once, kept as a hash; what the command line does with them."""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import asyncpg

from goodfunds.access import STATEMENTS
from goodfunds.postgres import statements

SQL = statements(STATEMENTS)
CLIENT: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
"""What a client may be called."""
_SECRET: Final = re.compile(r"gf_[A-Za-z0-9_-]{43}", re.ASCII)
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token. Times are UTC; `revoked_at` is None while it is good."""

    token_id: bytes
    client: str
    scopes: tuple[str, ...]
    description: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


def new_secret() -> str:
    """What its holder sends: 256 random bits after a prefix by which scanners know it where it leaked to."""
    return f"gf_{secrets.token_urlsafe(_SECRET_BYTES)}"


def is_secret(text: str) -> bool:
    """Whether a text has the form of a secret."""
    return _SECRET.fullmatch(text) is not None


def digest(secret: str) -> bytes:
    """The hash under which a secret is kept and looked up.

    SHA-256 without salt or stretching: those keep what people choose from being guessed, and nobody guesses
    256 random bits. So a request costs one look-up in an index. How long that takes tells of the hash
    alone, which is nobody's to choose.
    """
    return sha256(secret.encode()).digest()


async def insert(connection: "asyncpg.Connection[Any]", token: Token, secret: str) -> None:
    """Store a token of this secret. Raises PostgresError where its id is taken."""
    await connection.execute(
        SQL["insert_token"], token.token_id, digest(secret), token.client, list(token.scopes),
        token.description, token.created_at, token.expires_at,
    )  # fmt: skip


async def listed(connection: "asyncpg.Connection[Any]") -> list[Token]:
    """All tokens of a service, the oldest first."""
    rows = await connection.fetch(SQL["list_tokens"])
    return [Token(**{**dict(row), "scopes": tuple(row["scopes"])}) for row in rows]


async def revoke(connection: "asyncpg.Connection[Any]", token_id: bytes, now: datetime) -> datetime | None:
    """End a token for good; when it was first revoked, None where the service has no such token."""
    revoked: datetime | None = await connection.fetchval(SQL["revoke_token"], token_id, now)
    return revoked


async def remove(connection: "asyncpg.Connection[Any]", token_id: bytes) -> None:
    """Take a token out altogether: one that was made for a moment, and that nobody will ask about."""
    await connection.execute(SQL["remove_token"], token_id)


def merged(found: Collection[Token]) -> list[Token]:
    """A token of several services as one, with all its scopes, the oldest first.

    It counts as revoked once all its services say so: until then it is good somewhere.
    """
    by_id: dict[bytes, Token] = {}
    for each in found:
        known = by_id.get(each.token_id)
        if known is None:
            by_id[each.token_id] = each
            continue
        revoked = None if None in (known.revoked_at, each.revoked_at) else known.revoked_at
        by_id[each.token_id] = Token(
            each.token_id, each.client, tuple(sorted({*known.scopes, *each.scopes})), each.description,
            each.created_at, each.expires_at, revoked,
        )  # fmt: skip
    return sorted(by_id.values(), key=lambda each: (each.created_at, each.token_id))
