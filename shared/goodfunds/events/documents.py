"""What other programs read of the schemas: a JSON Schema an event, and AsyncAPI for the topics."""

import json
from collections.abc import Mapping
from typing import Any

from goodfunds.events.generate import kind
from goodfunds.events.schemas import EventSchema
from goodfunds.events.topics import CONTROL_TOTALS, TOPICS

_BARE = frozenset(name for topic in TOPICS if topic.name == CONTROL_TOTALS for name in topic.events)
_ID = {"type": "string", "format": "uuid"}
_MINOR = {
    "type": "integer",
    "minimum": -(10**18 - 1),
    "maximum": 10**18 - 1,
    "description": "minor units of the currency",
}
_KINDS: Mapping[str, dict[str, Any]] = {
    "id": _ID,
    "amount": _MINOR,
    "time": {"type": "integer", "description": "microseconds since 1970-01-01 UTC"},
    "date": {"type": "string", "format": "date"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "long": {"type": "integer"},
    "boolean": {"type": "boolean"},
}
HEADERS: Mapping[str, str] = {
    "producer": "who wrote it: service and incarnation of its database",
    "lane": "the producer's lane, decimal",
    "seq": "gapless from 1 per service, lane, topic and partition, over all incarnations, decimal",
    "ce_id": "CloudEvents id, the same when the event is published again",
    "ce_type": "the event's name",
    "ce_source": "/goodfunds/ and the service",
    "ce_specversion": "1.0",
    "ce_time": "when it was decided, ISO 8601, UTC",
    "traceparent": "W3C Trace Context, where there is one",
}


def json_schema(event: EventSchema) -> str:
    """The JSON Schema (2020-12) of an event's JSON form."""
    return json.dumps(_json_schema(event), indent=2) + "\n"


def _json_schema(event: EventSchema) -> dict[str, Any]:
    properties = {}
    for field in event.schema["fields"]:
        of = kind(field["type"])
        described = dict(_KINDS[of]) if of in _KINDS else {"$ref": f"{of}.json"}
        if "doc" in field:
            described["description"] = field["doc"]
        properties[field["name"]] = described
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{event.name}.json",
        "title": event.name,
        "description": event.schema["doc"],
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def asyncapi(schemas: Mapping[str, EventSchema], ids: Mapping[str, int]) -> str:
    """AsyncAPI 3.0 of all topics, as YAML."""
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "goodfunds",
            "version": "1",
            "description": "Values are Avro in the Confluent wire format; the key is the customer's "
            "account, partitioned by Kafka's murmur2.",
        },
        "defaultContentType": "application/vnd.confluent.avro",
        "channels": {
            topic.name: {
                "address": topic.name,
                "description": topic.about,
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in topic.events},
            }
            for topic in TOPICS
        },
        "operations": {
            f"{'publish' if topic.client_writable else 'consume'}-{topic.name}": {
                "action": "receive" if topic.client_writable else "send",
                "channel": {"$ref": f"#/channels/{topic.name}"},
            }
            for topic in TOPICS
        },
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "title": name,
                    "summary": event.schema["doc"],
                    # The second reader shares nothing with the lanes, which write these.
                    **({} if name in _BARE else {"headers": {"$ref": "#/components/schemas/Headers"}}),
                    "payload": {
                        "schemaFormat": "application/vnd.apache.avro;version=1.9.0",
                        "schema": {"$ref": f"events/{name}.avsc"},
                    },
                    "bindings": {"kafka": {"schemaIdLocation": "payload", "key": {"type": "string"}}},
                    "x-schema-id": ids[name],
                }
                for name, event in schemas.items()
            },
            "schemas": {
                "Headers": {
                    "type": "object",
                    "properties": {
                        name: {"type": "string", "description": about} for name, about in HEADERS.items()
                    },
                }
            },
        },
    }
    return (
        "# Made from schemas/events by `goodfunds schemas generate`.\n" + "\n".join(_yaml(document, 0)) + "\n"
    )


def _yaml(value: Any, depth: int) -> list[str]:
    """Plain YAML of dictionaries, lists and scalars; strings are quoted as JSON, which YAML takes."""
    pad = "  " * depth
    lines = []
    for key, each in value.items():
        if isinstance(each, dict) and each:
            lines += [f"{pad}{_key(key)}:", *_yaml(each, depth + 1)]
        else:
            lines.append(f"{pad}{_key(key)}: {json.dumps(each)}")
    return lines


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() else json.dumps(key)
