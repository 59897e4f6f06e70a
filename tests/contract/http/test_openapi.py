"""Each service does what its OpenAPI says, whatever it is asked: schemathesis makes requests up from it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema

from tests.conftest import Postgres
from tests.contract.http.apis import ROUTES, Api, document, running
from tests.tokens import bearer

MADE_UP = settings(max_examples=10, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
"""Some six seconds for all three, and the same requests each time; more are made up by the long test."""
NOT_CHECKED = "positive_data_acceptance"
"""A cursor, a pain.001 or the day of a calendar cannot be made up from a schema."""
OPERATORS = r"^/v1/(lanes|parked|outbox|replays|selfchecks|state-digest|audit)\b"
"""The same routes at every service: of ingestion they are asked, of the others they would be once more."""
# Every request has a token, but those that look whether one may be left out.
WITH_TOKEN = {"generation": {"with-security-parameters": False}}


@pytest.fixture(scope="module")
def apis(postgres: Postgres) -> Iterator[dict[str, Api]]:
    with running(postgres) as found:
        yield found


@pytest.mark.parametrize("name", ROUTES)
def test_what_an_operation_answers_is_as_described_whatever_it_is_asked(
    name: str, apis: dict[str, Api]
) -> None:
    load_all_checks()
    left_out: list[Any] = [CHECKS.get_one(NOT_CHECKED)]
    api = apis[name]
    config = SchemathesisConfig.from_dict(WITH_TOKEN)
    schema: BaseSchema = schemathesis.openapi.from_dict(document(name), config=config)
    if name != "ingestion":
        schema = schema.exclude(path_regex=OPERATORS)
    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok)
        made_up = [operation.ok().as_strategy(generation_mode=mode) for mode in GenerationMode]

        @MADE_UP
        @given(st.one_of(made_up))
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(base_url=api.url, headers=bearer(api.token), excluded_checks=left_out)

        ask()


@pytest.mark.long
@pytest.mark.parametrize("name", ROUTES)
def test_no_request_that_is_made_up_to_break_a_service_finds_other_than_described(
    name: str, apis: dict[str, Api], tmp_path: Path
) -> None:
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(document(name)))
    left_out = [] if name == "ingestion" else [f"--exclude-path-regex={OPERATORS}"]
    api = apis[name]
    asked = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", str(described), f"--url={api.url}",
         f"--header=Authorization: Bearer {api.token}", f"--exclude-checks={NOT_CHECKED}", *left_out,
         "--phases=coverage,fuzzing", "--max-examples=25", "--generation-deterministic",
         "--generation-with-security-parameters=false", "--continue-on-failure", "--warnings=off",
         "--no-color"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stdout + asked.stderr


@pytest.mark.parametrize("name", ROUTES)
def test_every_operation_names_its_scopes_and_its_errors(name: str) -> None:
    described = document(name)
    schemes = described["components"]["securitySchemes"]
    assert [(each["type"], each["scheme"]) for each in schemes.values()] == [("http", "bearer")]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            (asked,) = operation["security"]
            assert all(scopes for scopes in asked.values()), where
            assert {"401", "403", "422", "429", "503"} <= operation["responses"].keys(), where
            for status, told in operation["responses"].items():
                kinds = set(told.get("content", {}))
                assert kinds, where
                assert (kinds == {"application/problem+json"}) == (int(status) >= 400), (where, status)
