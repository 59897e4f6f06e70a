"""`schemas/README.md` tells foreign programs what is built: topics, headers, ids, limits, JSON that works."""

import json
import re

import pytest

from goodfunds.events import types
from goodfunds.events.documents import HEADERS
from goodfunds.events.json_bodies import CLIENT_EVENTS, decode_json
from goodfunds.events.topics import TOPICS, Topic
from goodfunds.rails.requests import LARGEST_RECORD
from goodfunds.registry import find_schemas

PAGE = (find_schemas() / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_named_with_how_long_it_keeps(topic: Topic) -> None:
    assert f"`{topic.name}`" in PAGE
    assert topic.retention_days == 7
    assert "kept for seven days" in PAGE


@pytest.mark.parametrize("header", HEADERS)
def test_every_header_is_named(header: str) -> None:
    assert f"`{header}`" in PAGE.partition("## Headers")[2]


@pytest.mark.parametrize("name", CLIENT_EVENTS)
def test_the_ids_that_clients_write_are_those_of_the_lock(name: str) -> None:
    assert f"`{name}` ({CLIENT_EVENTS[name].SCHEMA_ID})" in PAGE


def test_the_largest_record_is_told() -> None:
    assert f"at most {LARGEST_RECORD:,} bytes" in PAGE


def test_the_json_example_is_an_instruction() -> None:
    [example] = re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)
    decoded = decode_json("PaymentInstruction", json.dumps(json.loads(example)).encode())
    assert isinstance(decoded, types.PaymentInstruction)
    assert decoded.amount_minor == 1234


def test_what_settlement_tells_is_listed() -> None:
    [told] = [topic.events for topic in TOPICS if topic.name == "settlement-notifications"]
    assert all(f"`{name}`" in PAGE for name in told)
