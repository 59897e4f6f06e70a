"""Each service does what its OpenAPI says, whatever it is asked: schemathesis makes requests up from it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig

from tests.conftest import Postgres
from tests.contract.http.apis import ROUTES, Api, document, running
from tests.tokens import bearer

MADE_UP = settings(max_examples=25, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
"""Twenty seconds for all three, and the same requests each time."""
# Every request has a token, but those that look whether one may be left out.
CONFIG = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
INGESTION, SETTLEMENT, RECONCILIATION = [
    schemathesis.openapi.from_dict(document(name), config=CONFIG)
    for name in ("ingestion", "settlement", "reconciliation")
]


@pytest.fixture(scope="module")
def apis(postgres: Postgres) -> Iterator[dict[str, Api]]:
    with running(postgres) as found:
        yield found


OPERATORS = r"^/v1/(lanes|parked|outbox|replays|selfchecks|state-digest|audit)\b"
"""The same routes at every service: of ingestion they are asked, of the others they would be once more."""
# A cursor, a pain.001 or the day of a calendar cannot be made up from a schema.
NOT_CHECKED: list[Any] = [CHECKS.get_one("positive_data_acceptance")]
Case = schemathesis.Case[Any]


def ask(case: Case, api: Api) -> None:
    case.call_and_validate(base_url=api.url, headers=bearer(api.token), excluded_checks=NOT_CHECKED)


@INGESTION.parametrize()
@MADE_UP
def test_ingestion(case: Case, apis: dict[str, Api]) -> None:
    ask(case, apis["ingestion"])


@SETTLEMENT.exclude(path_regex=OPERATORS).parametrize()
@MADE_UP
def test_settlement(case: Case, apis: dict[str, Api]) -> None:
    ask(case, apis["settlement"])


@RECONCILIATION.exclude(path_regex=OPERATORS).parametrize()
@MADE_UP
def test_reconciliation(case: Case, apis: dict[str, Api]) -> None:
    ask(case, apis["reconciliation"])


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
