"""A read-only schema registry over HTTP, as Confluent's documents its API (version 1)."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from goodfunds.registry.catalogue import MEDIA_TYPE, Catalogue, Version, read_alike

COMPATIBILITY = "FULL"
"""What `goodfunds schemas check` holds every change to: old readers read new events, new readers old ones."""
_LARGEST = 2**31 - 1
_LARGEST_BODY = 1_000_000
_ALL_CONTEXTS = ":*:"


class Refused(Exception):
    """An answer that is an error. `code`: five digits that begin with the HTTP status, or that alone."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def registry_app(catalogue: Catalogue) -> Starlette:
    """The application that answers for a catalogue; what would write is answered with 405."""

    def of_subject(request: Request) -> tuple[Version, ...]:
        subject = request.path_params["subject"]
        versions = catalogue.by_subject.get(subject)
        if versions is None:
            raise Refused(40401, f"Subject '{subject}' not found.")
        return versions

    def of_version(request: Request) -> Version:
        number = _version(request.path_params["version"])
        versions = of_subject(request)
        if number is None:
            return versions[-1]
        if number > len(versions):
            raise Refused(40402, f"Version {number} not found.")
        return versions[number - 1]

    def of_id(request: Request) -> Version:
        number = request.path_params["id"]
        if number not in catalogue.by_id:
            raise Refused(40403, f"Schema {number} not found")
        return catalogue.by_id[number]

    async def subjects(request: Request) -> Any:
        return _page(request, [name for name in catalogue.by_subject if name.startswith(_prefix(request))])

    async def versions(request: Request) -> Any:
        return _page(request, [each.version for each in of_subject(request)])

    async def version(request: Request) -> Any:
        return _told(of_version(request))

    async def version_schema(request: Request) -> Any:
        return of_version(request).schema

    async def referenced_by(request: Request) -> Any:
        of_version(request)
        return []

    async def look_up(request: Request) -> Any:
        asked = await _asked_schema(request)
        versions = of_subject(request)
        try:
            return _told(next(each for each in reversed(versions) if read_alike(each.schema, asked)))
        except StopIteration:
            raise Refused(40403, "Schema not found") from None
        except RecursionError:
            raise Refused(42201, "Invalid schema: it is nested too deeply") from None

    async def schemas(request: Request) -> Any:
        latest = _flag(request, "latestOnly")
        found = [
            _told(each)
            for name, of_name in catalogue.by_subject.items()
            if name.startswith(_prefix(request))
            for each in (of_name[-1:] if latest else of_name)
        ]
        return _page(request, found)

    async def by_id(request: Request) -> Any:
        found = {"schema": of_id(request).text}
        return {**found, "maxId": max(catalogue.by_id)} if _flag(request, "fetchMaxId") else found

    async def id_schema(request: Request) -> Any:
        return of_id(request).schema

    async def id_subjects(request: Request) -> Any:
        return [of_id(request).subject]

    async def id_versions(request: Request) -> Any:
        found = of_id(request)
        return [{"subject": found.subject, "version": found.version}]

    async def subject_config(request: Request) -> Any:
        return _of_global(request, {"compatibilityLevel": COMPATIBILITY}, 40408, "compatibility")

    async def subject_mode(request: Request) -> Any:
        return _of_global(request, {"mode": "READONLY"}, 40409, "mode")

    subject, id_ = "/subjects/{subject}", "/schemas/ids/{id:int}"
    routes = [
        _get("/", _always({})),
        _get("/subjects", subjects),
        Route(subject, _answered(look_up), methods=["POST"]),
        _get(f"{subject}/versions", versions),
        _get(f"{subject}/versions/{{version}}", version),
        _get(f"{subject}/versions/{{version}}/schema", version_schema),
        _get(f"{subject}/versions/{{version}}/referencedby", referenced_by),
        _get("/schemas", schemas),
        _get("/schemas/types", _always(["AVRO"])),
        _get(id_, by_id),
        _get(f"{id_}/schema", id_schema),
        _get(f"{id_}/subjects", id_subjects),
        _get(f"{id_}/versions", id_versions),
        _get("/config", _always({"compatibilityLevel": COMPATIBILITY})),
        _get("/config/{subject}", subject_config),
        _get("/mode", _always({"mode": "READONLY"})),
        _get("/mode/{subject}", subject_mode),
        _get("/contexts", _always(["."])),
    ]
    return Starlette(
        routes=routes, exception_handlers={Refused: _on_refused, HTTPException: _on_http_exception}
    )


_Answer = Callable[[Request], Awaitable[Any]]


def _get(path: str, answer: _Answer) -> Route:
    return Route(path, _answered(answer), methods=["GET"])


def _answered(answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        return _response(200, await answer(request))

    return respond


def _always(value: Any) -> _Answer:
    async def answer(_request: Request) -> Any:
        return value

    return answer


def _told(found: Version) -> dict[str, Any]:
    # Confluent's registry leaves the schema type out where it is Avro.
    return {"subject": found.subject, "version": found.version, "id": found.id, "schema": found.text}


def _of_global(request: Request, value: dict[str, str], code: int, what: str) -> dict[str, str]:
    if _flag(request, "defaultToGlobal"):
        return value
    subject = request.path_params["subject"]
    raise Refused(code, f"Subject '{subject}' does not have subject-level {what} configured")


def _version(text: str) -> int | None:
    """None where the latest is meant."""
    if text in ("latest", "-1"):
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:11]) <= _LARGEST):
        raise Refused(
            42202,
            f"The specified version '{text[:40]}' is not a valid version id. Allowed values are between "
            f'[1, 2^31-1] and the string "latest"',
        )
    return int(text)


async def _asked_schema(request: Request) -> Any:
    size = 0
    parts = []
    async for part in request.stream():
        size += len(part)
        if size > _LARGEST_BODY:
            raise Refused(413, "HTTP 413 Request Entity Too Large")
        parts.append(part)
    try:
        body = json.loads(b"".join(parts))
        text, kind = body["schema"], body.get("schemaType") or "AVRO"
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise Refused(
            400, "HTTP 400 Bad Request: the body is an object with the schema as a string"
        ) from None
    if kind != "AVRO":
        raise Refused(42201, f"Invalid schema type {str(kind)[:40]}: the schemas here are AVRO")
    try:
        return json.loads(text)
    except (ValueError, RecursionError, TypeError):
        raise Refused(42201, "Invalid schema: it is no JSON") from None


def _prefix(request: Request) -> str:
    return request.query_params.get("subjectPrefix", "").removeprefix(_ALL_CONTEXTS)


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def _page(request: Request, found: Sequence[Any]) -> Sequence[Any]:
    first, most = _number(request, "offset", 0), _number(request, "limit", -1)
    return found[max(first, 0) :] if most < 0 else found[max(first, 0) :][:most]


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise Refused(404, "HTTP 404 Not Found") from None


async def _on_refused(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Refused)
    status = fault.code if fault.code < 1000 else fault.code // 100
    return _response(status, {"error_code": fault.code, "message": fault.message})


async def _on_http_exception(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    message = f"HTTP {fault.status_code} {fault.detail}"
    if fault.status_code == 405:
        message += ": this registry only reads, its schemas change with goodfunds"
    answer = _response(fault.status_code, {"error_code": fault.status_code, "message": message})
    answer.headers.update(fault.headers or {})
    return answer


def _response(status: int, value: Any) -> Response:
    content = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Response(content, status_code=status, media_type=MEDIA_TYPE)
