"""The schemas into a real registry: under the ids of the lock, since these stand in every record's bytes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.https import trusted
from goodfunds.registry.catalogue import MEDIA_TYPE, Catalogue, Version, read_alike

_SECONDS = 30.0
_NO_MODES = frozenset({401, 403, 404, 405, 422, 501})
"""What a registry answers that has no IMPORT mode, or does not let this client use it."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """`registered`: what was missing there, and is there now (on a dry run: would be); `stood`: the rest."""

    registered: tuple[Version, ...]
    stood: tuple[Version, ...]


def client(url: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client of the registry at `url`, which may name a user, a password and a context."""
    headers = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
    return httpx.Client(
        base_url=url, verify=trusted(), headers=headers, timeout=_SECONDS, transport=transport
    )


def push(
    http: httpx.Client, catalogue: Catalogue, dry_run: bool = False, done: Callable[[], None] = lambda: None
) -> Pushed:
    """Register what is missing, in the order of the ids; safe to repeat. `done` hears of each schema.

    Raises Misconfigured before anything is written where an id there stands for something else or a schema
    has another id; Misconfigured, too, where the registry gives another id, which is taken back; Unavailable
    where what answers is no registry; httpx.HTTPError.
    """
    missing = _compare(http, catalogue)
    stood = tuple(each for each in catalogue.versions if each not in missing)
    if not dry_run:
        for each in catalogue.versions:
            if each in missing:
                _register(http, each)
            done()
        left = _compare(http, catalogue) if missing else ()
        if left:
            raise Unavailable(f"the registry has taken {_names(left)}, and does not give them back")
    return Pushed(missing, stood)


def _compare(http: httpx.Client, catalogue: Catalogue) -> tuple[Version, ...]:
    """What is not there yet. Raises Misconfigured where something there stands in the way."""
    if not isinstance(_json(http.get("/subjects")), list):
        raise Unavailable("what answers there is no schema registry: its /subjects is no list")
    missing, clashes = [], []
    for each in catalogue.versions:
        there = _found(http.get(f"/schemas/ids/{each.id}"))
        if there is not None and not read_alike(json.loads(there["schema"]), each.schema):
            clashes.append(f"id {each.id} stands for another schema there than {each.subject}")
            continue
        under = _found(http.post(f"/subjects/{_quoted(each)}", json={"schema": each.text}))
        if under is None:
            missing.append(each)
        elif under["id"] != each.id:
            clashes.append(f"{each.subject} has the id {under['id']} there, and {each.id} in every record")
    if clashes:
        raise Misconfigured(
            "\n".join(clashes) + "\nnothing was registered: use a registry, or a context of it "
            "(URL/contexts/.goodfunds), in which these ids are free"
        )
    return tuple(missing)


def _register(http: httpx.Client, version: Version) -> None:
    with _import_mode(http, version) as importing:
        body: dict[str, Any] = {"schema": version.text, "schemaType": "AVRO"}
        answer = http.post(
            f"/subjects/{_quoted(version)}/versions", json={**body, "id": version.id} if importing else body
        )
        given = _json(answer).get("id") if answer.is_success else None
        if given != version.id and given is not None:
            _take_back(http, version)
            raise Misconfigured(
                f"the registry gave {version.subject} the id {given}, not {version.id}, which stands in "
                f"every record; it was taken back. Allow IMPORT mode there (mode.mutability=true), or use a "
                f"registry without other schemas"
            )
        if given is None:
            raise Misconfigured(f"{version.subject} is refused: {_why(answer)}")


@contextmanager
def _import_mode(http: httpx.Client, version: Version) -> Iterator[bool]:
    """Whether the subject takes ids from outside; afterwards it is in the mode in which it was."""
    path = f"/mode/{_quoted(version)}"
    before = http.get(path)
    asked = http.put(path, params={"force": "true"}, json={"mode": "IMPORT"})
    if asked.status_code in _NO_MODES:
        yield False
        return
    _json(asked)
    try:
        yield True
    finally:
        # A subject without a mode of its own has that of the registry.
        own = _json(before).get("mode") if before.is_success else None
        back = http.put(path, json={"mode": own}) if own else http.delete(path)
        if not back.is_success and not own:
            back = http.put(path, json={"mode": _json(http.get("/mode"))["mode"]})
        if not back.is_success:
            raise Unavailable(f"{version.subject} was left in IMPORT mode there: {_why(back)}")


def _take_back(http: httpx.Client, version: Version) -> None:
    registered = _found(http.post(f"/subjects/{_quoted(version)}", json={"schema": version.text}))
    if registered is None:
        return
    path = f"/subjects/{_quoted(version)}/versions/{registered['version']}"
    for permanent in ("false", "true"):
        answer = http.delete(path, params={"permanent": permanent})
        if not answer.is_success:
            raise Misconfigured(
                f"the registry gave {version.subject} the id {registered['id']}, not {version.id}, and does "
                f"not take it back: {_why(answer)}"
            )


def _found(answer: httpx.Response) -> Any | None:
    """What was asked for; None where the registry says that it is not there."""
    told = _json(answer, but=404)
    return told if answer.is_success else None


def _json(answer: httpx.Response, but: int = 0) -> Any:
    """The answer. Raises Unavailable where it is an error other than the status `but`, or no registry's."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    if answer.is_success and told is not None:
        return told
    if answer.status_code == but and isinstance(told, dict) and "error_code" in told:
        return told
    raise Unavailable(f"the registry does not answer {answer.request.url.path}: {_why(answer)}")


def _why(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        return f"{told['message']} [{told['error_code']}]"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code} {answer.reason_phrase}"


def _names(versions: tuple[Version, ...]) -> str:
    return ", ".join(f"{each.subject} ({each.id})" for each in versions)


def _quoted(version: Version) -> str:
    return quote(version.subject, safe="")
