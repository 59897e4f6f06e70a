"""deploy/ against the code: every process, setting, metric and path that it names exists."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from goodfunds.local import kafka, postgres
from goodfunds.local.house import ALLOCATOR, PROCESSES
from goodfunds.settings import BankProcessSettings, LaneProcessSettings
from services.ingestion.settings import Settings as Ingestion
from services.reconciliation.settings import ControlTotalSettings
from services.sandbox_bank.settings import Settings as SandboxBank
from services.settlement.settings import GatewaySettings
from services.settlement.settings import Settings as Settlement

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
SETTINGS: Mapping[str, type[BaseSettings]] = {
    "sandbox-bank": SandboxBank,
    "ingestion": Ingestion,
    "ingestion-intake": Ingestion,
    "settlement": Settlement,
    "settlement-gateway": GatewaySettings,
    "reconciliation": LaneProcessSettings,
    "reconciliation-statements": BankProcessSettings,
    "control-totals": ControlTotalSettings,
}
OTHERS = {"kafka", "postgres", "migrate", "topics", "prometheus", "grafana"}
METRIC = re.compile(r"\b(?:goodfunds|sandbox_bank)_[a-z_]+\b")


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


COMPOSE = read("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


def instructions(word: str) -> list[str]:
    return [line.removeprefix(word).strip() for line in DOCKERFILE if line.startswith(word + " ")]


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in instructions("ENV") for pair in line.split())


def told(name: str) -> dict[str, str]:
    """What a process finds in its environment: the image's, and compose's with its defaults."""
    environment = {**image_environment(), **SERVICES[name].get("environment", {})}
    return {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in environment.items()}


def test_every_file_is_what_its_name_says() -> None:
    for path in DEPLOY.rglob("*.y*ml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8")), path
    for path in DEPLOY.rglob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8")), path


def test_compose_runs_the_eight_processes_of_the_local_stack() -> None:
    assert SERVICES.keys() - OTHERS == PROCESSES.keys()
    for name, arguments in PROCESSES.items():
        assert SERVICES[name]["command"] == ["python", "-m", *arguments]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_process_is_told_all_that_its_settings_require(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [each for each in os.environ if each.startswith("GOODFUNDS_")]:
        monkeypatch.delenv(variable)
    for variable, value in told(name).items():
        monkeypatch.setenv(variable, value)
    assert SETTINGS[name].model_validate({})


@pytest.mark.parametrize("name", SETTINGS)
def test_every_variable_of_ours_is_a_setting(name: str) -> None:
    known = {f"GOODFUNDS_{field.upper()}" for each in SETTINGS.values() for field in each.model_fields}
    assert {each for each in told(name) if each.startswith("GOODFUNDS_")} <= known


def test_processes_wait_for_what_they_need_until_it_is_healthy_or_done() -> None:
    for name in PROCESSES:
        for needed, how in SERVICES[name].get("depends_on", {}).items():
            job = needed in ("migrate", "topics")
            wanted = "service_completed_successfully" if job else "service_healthy"
            assert how["condition"] == wanted, (name, needed)
            assert job or "healthcheck" in SERVICES[needed] or needed in PROCESSES
    for name in PROCESSES.keys() - {"sandbox-bank"}:
        assert {"migrate", "topics"} <= SERVICES[name]["depends_on"].keys()


def test_images_are_pinned_and_the_servers_are_those_of_the_local_stack() -> None:
    images = [each["image"] for each in SERVICES.values()]
    images += [line.split()[0] for line in instructions("FROM")]
    assert [each for each in images if ":" not in each or each.endswith(":latest")] == []
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka.VERSION}"
    assert SERVICES["postgres"]["command"] == ["postgres", *postgres.SETTINGS]


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    last = DOCKERFILE[max(place for place, line in enumerate(DOCKERFILE) if line.startswith("FROM ")) :]
    (user,) = [line.split()[1] for line in last if line.startswith("USER ")]
    assert all(part.isdigit() and int(part) > 0 for part in user.split(":"))


def test_the_image_copies_only_what_exists_and_the_context_holds() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = [
        source
        for line in instructions("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]
    assert [each for each in sources if not (ROOT / each).exists() or each not in allowed] == []


def test_what_is_installed_holds_the_schemas_where_the_control_totals_look_for_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    installed = {Path(each).name: ROOT / each for each in packages}
    looked_for: Path = ControlTotalSettings.model_fields["schemas"].default
    assert installed[looked_for.name] == looked_for
    sources = " ".join(instructions("COPY")).split()
    assert [each for each in packages if each.split("/")[0] not in sources] == []


def test_what_compose_mounts_from_the_repository_exists() -> None:
    mounts = [volume.split(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])]
    named = set(COMPOSE["volumes"])
    assert [each for each in mounts if each not in named and not (DEPLOY / each).exists()] == []


def test_prometheus_reads_every_process_and_every_rule_file() -> None:
    config = read("prometheus.yml")
    targets = {each.split(":")[0] for job in config["scrape_configs"] for s in job["static_configs"]
               for each in s["targets"]}  # fmt: skip
    assert targets == PROCESSES.keys()
    assert config["rule_files"] == ["/etc/prometheus/alerts/*.yml"]


def samples_of_the_code() -> set[str]:
    """Names as Prometheus sees them: a histogram's are three."""
    found = set()
    for folder in ("shared", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for kind, name in re.findall(
                r'(Counter|Gauge|Histogram|GaugeMetricFamily)\(\s*"([a-z_]+)"', text
            ):
                ends = ("_bucket", "_sum", "_count") if kind == "Histogram" else ("",)
                found |= {name + end for end in ends}
    return found


def expressions() -> Iterator[str]:
    for path in (DEPLOY / "alerts").glob("*.yml"):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield rule["expr"]
    for path in (DEPLOY / "dashboards").glob("*.json"):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                yield target["expr"]


def test_every_metric_of_the_alerts_and_dashboards_exists() -> None:
    known = samples_of_the_code()
    named = {name for each in expressions() for name in METRIC.findall(each)}
    assert len(named) > 15
    assert named - known == set()


def test_expressions_close_what_they_open() -> None:
    for each in expressions():
        assert all(each.count(a) == each.count(b) for a, b in ("()", "{}", "[]")), each
        assert each.count('"') % 2 == 0, each


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for path in (DEPLOY / "alerts").glob("*.yml"):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
                assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads((DEPLOY / "dashboards" / "money.json").read_text())["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_a_process_refuses_topics_that_are_not_replicated_unless_told_that_there_is_one_broker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in told("ingestion").items():
        monkeypatch.setenv(variable, value)
    assert not Ingestion.model_validate({}).lanes("ingestion").replicated
    monkeypatch.delenv("GOODFUNDS_REPLICATED")
    assert Ingestion.model_validate({}).lanes("ingestion").replicated


def test_an_image_returns_memory_as_the_local_stack_does() -> None:
    assert ALLOCATOR.items() <= image_environment().items()
