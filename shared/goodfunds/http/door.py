"""The door before /v1: no request gets to a route without a good token (RFC 6750), or too often."""

from math import ceil
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, FastAPI, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goodfunds.access.principals import Principal, Principals
from goodfunds.access.rate import Buckets
from goodfunds.access.tokens import is_secret
from goodfunds.errors import RETRIABLE_POSTGRES
from goodfunds.observability.http import Problem, problem, unavailable

log = structlog.get_logger(__name__)

BEHIND: Final = "/v1/"
"""Health, readiness, metrics and the OpenAPI stand before the door: they name no client and no payment."""
_CHALLENGE: Final = 'Bearer realm="goodfunds"'
_AWAY: Final[tuple[type[BaseException], ...]] = (*RETRIABLE_POSTGRES, OSError, TimeoutError)
_PRINCIPAL: Final = "goodfunds.principal"
_BEARER = HTTPBearer(
    scheme_name="token",
    bearerFormat="gf_…",
    description="A token of `goodfunds tokens create`; an operation names the scopes that it needs.",
    auto_error=False,
)


class Door:
    """ASGI middleware. What comes behind it knows its principal."""

    def __init__(self, app: ASGIApp, principals: Principals, buckets: Buckets) -> None:
        self._app = app
        self._principals = principals
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(BEHIND):
            await self._app(scope, receive, send)
            return
        try:
            scope[_PRINCIPAL] = await self._admitted(scope)
        except Problem as refusal:
            answer = problem(refusal.status, refusal.detail, refusal.kind, refusal.headers)
            await answer(scope, receive, send)
            return
        except _AWAY as fault:
            log.warning("token not looked up", fault=repr(fault))
            await unavailable()(scope, receive, send)
            return

        async def send_unstored(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Nobody keeps what is of one client; and what is XML is nobody's page.
                message["headers"] = [
                    *message["headers"],
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self._app(scope, receive, send_unstored)

    async def _admitted(self, scope: Scope) -> Principal:
        """Raises Problem with what the client may know: not whether a token was ever good."""
        told = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, secret = told[0].decode("latin-1").partition(" ") if len(told) == 1 else ("", "", "")
        if scheme.lower() != "bearer":
            raise Problem(401, "a bearer token is wanted", headers={"WWW-Authenticate": _CHALLENGE})
        secret = secret.strip()
        principal = await self._principals.find(secret) if is_secret(secret) else None
        if principal is None:
            challenge = f'{_CHALLENGE}, error="invalid_token"'
            raise Problem(401, "the token is not good", headers={"WWW-Authenticate": challenge})
        wait = self._buckets.take(principal.token_id)
        if wait:
            headers = {"Retry-After": str(ceil(wait))}
            raise Problem(429, "too many requests with this token", headers=headers)
        return principal


def close_door(app: FastAPI, principals: Principals, buckets: Buckets) -> None:
    """Put the door before an application's routes. Without it every route that asks `allowed` is a fault."""
    app.add_middleware(Door, principals=principals, buckets=buckets)


async def _allowed(
    request: Request,
    wanted: SecurityScopes,
    _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Principal:
    principal: Principal = request.scope[_PRINCIPAL]
    missing = [scope for scope in wanted.scopes if scope not in principal.scopes]
    if missing:
        challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{wanted.scope_str}"'
        detail = f"the token has not the scope {missing[0]}"
        raise Problem(403, detail, headers={"WWW-Authenticate": challenge})
    return principal


def allowed(*scopes: str) -> Any:
    """For `Annotated[Principal, allowed(…)]`: a route's parameter, the principal who has these scopes."""
    return Security(_allowed, scopes=list(scopes))
