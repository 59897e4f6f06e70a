"""A registry that takes writes, as Confluent's documents its API: for tests, where no real one can run.

`test_documented_api.py` holds it to the documentation, and `goodfunds registry` to the same answers.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class Error(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class FakeRegistry:
    """`mutable_modes`: mode.mutability. `next_id`: what the next schema without an id gets."""

    mutable_modes: bool = True
    next_id: int = 1
    subjects: dict[str, dict[int, int]] = field(default_factory=dict)
    deleted: dict[str, dict[int, int]] = field(default_factory=dict)
    schemas: dict[int, str] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    mode: str = "READWRITE"
    writes: list[str] = field(default_factory=list)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url="http://registry", transport=httpx.MockTransport(self.handle))

    def handle(self, request: httpx.Request) -> httpx.Response:
        path, query = unquote(request.url.path), dict(request.url.params)
        for method, pattern, answer in self._routes():
            found = re.fullmatch(pattern, path)
            if found is None or method != request.method:
                continue
            try:
                body = json.loads(request.content) if request.content else {}
                value, status = answer(*found.groups(), body=body, query=query), 200
            except Error as fault:
                status = fault.code if fault.code < 1000 else fault.code // 100
                value = {"error_code": fault.code, "message": fault.message}
            if request.method in ("PUT", "DELETE") or (
                path.endswith("/versions") and request.method == "POST"
            ):
                self.writes.append(f"{request.method} {path} {status}")
            return _response(status, value)
        known = any(re.fullmatch(pattern, path) for _, pattern, _ in self._routes())
        status, words = (405, "Method Not Allowed") if known else (404, "Not Found")
        return _response(status, {"error_code": status, "message": f"HTTP {status} {words}"})

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        subject, version, number = "/subjects/([^/]+)", "/versions/([^/]+)", "/schemas/ids/([0-9]+)"
        return [
            ("GET", "/subjects", lambda body, query: sorted(self.subjects)),
            ("POST", subject, self._look_up),
            ("GET", f"{subject}/versions", lambda name, body, query: sorted(self._of(name))),
            ("POST", f"{subject}/versions", self._register),
            ("GET", f"{subject}{version}", self._version),
            ("DELETE", f"{subject}{version}", self._delete),
            ("GET", number, lambda number, body, query: {"schema": self._by_id(int(number))}),
            ("GET", f"{number}/versions", self._where),
            ("GET", "/schemas/types", lambda body, query: ["JSON", "PROTOBUF", "AVRO"]),
            ("GET", "/config", lambda body, query: {"compatibilityLevel": "BACKWARD"}),
            ("GET", "/config/([^/]+)", self._config),
            ("GET", "/mode", lambda body, query: {"mode": self.mode}),
            ("GET", "/mode/([^/]+)", self._mode),
            ("PUT", "/mode/([^/]+)", self._set_mode),
            ("DELETE", "/mode/([^/]+)", self._delete_mode),
        ]

    def _of(self, name: str) -> dict[int, int]:
        if name not in self.subjects:
            raise Error(40401, f"Subject '{name}' not found.")
        return self.subjects[name]

    def _by_id(self, number: int) -> str:
        if number not in self.schemas:
            raise Error(40403, f"Schema {number} not found")
        return self.schemas[number]

    def _told(self, name: str, version: int) -> dict[str, Any]:
        number = self.subjects[name][version]
        return {"subject": name, "version": version, "id": number, "schema": self.schemas[number]}

    def _look_up(self, name: str, body: Any, query: Any) -> Any:
        wanted = _parsed(body)
        for version, number in self._of(name).items():
            if json.loads(self.schemas[number]) == wanted:
                return self._told(name, version)
        raise Error(40403, "Schema not found")

    def _version(self, name: str, version: str, body: Any, query: Any) -> Any:
        if version != "latest" and not re.fullmatch("[1-9][0-9]{0,9}", version):
            raise Error(42202, f"The specified version '{version}' is not a valid version id.")
        versions = self._of(name)
        number = max(versions) if version == "latest" else int(version)
        if number not in versions:
            raise Error(40402, f"Version {number} not found.")
        return self._told(name, number)

    def _where(self, number: str, body: Any, query: Any) -> Any:
        self._by_id(int(number))
        return [
            {"subject": name, "version": version}
            for name, versions in sorted(self.subjects.items())
            for version, each in versions.items()
            if each == int(number)
        ]

    def _register(self, name: str, body: Any, query: Any) -> Any:
        wanted, importing = _parsed(body), self.modes.get(name, self.mode) == "IMPORT"
        if self.modes.get(name, self.mode) == "READONLY":
            raise Error(42205, f"Subject {name} is in read-only mode")
        asked = body.get("id", -1)
        if importing and asked < 0:
            raise Error(42205, f"Subject {name} is not in read-write mode")
        if not importing and asked >= 0:
            raise Error(42205, f"Subject {name} is not in import mode")
        versions = self.subjects.get(name, {})
        same = [each for each, text in self.schemas.items() if json.loads(text) == wanted]
        for number in versions.values():
            if number in same and asked in (-1, number):
                return {"id": number}
        if importing:
            if asked in self.schemas and asked not in same:
                raise Error(42205, f"Overwrite new schema with id {asked} is not permitted.")
            number = asked
        else:
            number = same[0] if same else self.next_id
        self.next_id = max(self.next_id, number + 1)
        self.schemas[number] = body["schema"]
        gone = self.deleted.get(name, {})
        self.subjects.setdefault(name, {})[max([0, *versions, *gone]) + 1] = number
        return {"id": number}

    def _delete(self, name: str, version: str, body: Any, query: Any) -> Any:
        number = int(version)
        if query.get("permanent") == "true":
            gone = self.deleted.get(name, {})
            if number not in gone:
                raise Error(40407, f"Subject '{name}' Version {number} was not deleted first")
            del gone[number]
            return number
        versions = self._of(name)
        if number not in versions:
            raise Error(40402, f"Version {number} not found.")
        self.deleted.setdefault(name, {})[number] = versions.pop(number)
        if not versions:
            del self.subjects[name]
        return number

    def _config(self, name: str, body: Any, query: Any) -> Any:
        if query.get("defaultToGlobal") == "true":
            return {"compatibilityLevel": "BACKWARD"}
        raise Error(40408, f"Subject '{name}' does not have subject-level compatibility configured")

    def _mode(self, name: str, body: Any, query: Any) -> Any:
        if name in self.modes:
            return {"mode": self.modes[name]}
        if query.get("defaultToGlobal") == "true":
            return {"mode": self.mode}
        raise Error(40409, f"Subject '{name}' does not have subject-level mode configured")

    def _set_mode(self, name: str, body: Any, query: Any) -> Any:
        if not self.mutable_modes:
            raise Error(42205, "Mode changes are not allowed")
        if body.get("mode") not in ("READWRITE", "READONLY", "IMPORT"):
            raise Error(42204, "Invalid mode. Valid values are READWRITE, READONLY and IMPORT")
        already = self.modes.get(name, self.mode) == "IMPORT" or query.get("force") == "true"
        if body["mode"] == "IMPORT" and not already and name in self.subjects:
            raise Error(42205, "Cannot import since found existing subjects")
        self.modes[name] = body["mode"]
        return body

    def _delete_mode(self, name: str, body: Any, query: Any) -> Any:
        if name not in self.modes:
            raise Error(40401, f"Subject '{name}' not found.")
        return {"mode": self.modes.pop(name)}


def _parsed(body: Any) -> Any:
    if body.get("schemaType", "AVRO") != "AVRO":
        raise Error(42201, "Invalid schema type")
    try:
        return json.loads(body["schema"])
    except ValueError:
        raise Error(42201, "Invalid schema") from None


def _response(status: int, value: Any) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(value), headers={"Content-Type": MEDIA_TYPE})
