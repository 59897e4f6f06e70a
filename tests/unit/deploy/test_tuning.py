"""docs/tuning.md against the code: its table has every setting with its default and bounds."""

import re
from pathlib import Path

from goodfunds.settings import LaneProcessSettings

_ROW = re.compile(r"^\| `GOODFUNDS_(\w+)` \| ([\d.]+)[^|]* \| ([\d.]+) to ([\d.]+)[^|]* \|", re.MULTILINE)
_PAGE = (Path(__file__).parents[3] / "docs" / "tuning.md").read_text(encoding="utf-8")


def test_the_page_has_the_defaults_and_bounds_of_the_code() -> None:
    told = {row[0].lower(): tuple(map(float, row[1:])) for row in _ROW.findall(_PAGE)}
    built = {}
    for name, field in LaneProcessSettings.model_fields.items():
        bounds = {type(each).__name__: each for each in field.metadata}
        if {"Ge", "Le"} <= bounds.keys() and name != "http_port":
            built[name] = (float(field.default), float(bounds["Ge"].ge), float(bounds["Le"].le))
    assert told == built


def test_every_metric_of_the_page_exists() -> None:
    defined = (Path(__file__).parents[3] / "shared/goodfunds/lanes/metrics.py").read_text(encoding="utf-8")
    named = set(re.findall(r"`(goodfunds_\w+)`", _PAGE))
    assert named
    assert {name for name in named if f'"{name}"' not in defined} == set()
