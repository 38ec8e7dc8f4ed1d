"""The AsyncAPI 3 document of all topics, made from the event classes and `topics.py`."""

from typing import Any

from schemas import topics
from schemas.catalogue import EVENTS
from schemas.envelope import CONTENT_TYPE, Event, source_of
from schemas.jsonschema import Schema, schema_of

_TEXT = {"type": "string", "minLength": 1}
_INSTANT = {"type": "string", "format": "date-time"}

# Only keywords that AsyncAPI's own schema dialect (JSON Schema draft 7) shares with 2020-12.
ENVELOPE: Schema = {
    "type": "object",
    "description": "CloudEvents 1.0, structured mode. The Kafka key is the subject.",
    "properties": {
        "specversion": {"type": "string", "const": "1.0"},
        "id": _TEXT | {"description": "UUIDv7; the same id is the same event"},
        "source": {"type": "string", "enum": [source_of(service) for service in topics.SERVICES]},
        "type": _TEXT,
        "subject": _TEXT,
        "time": _INSTANT | {"description": "when it happened"},
        "recordedtime": _INSTANT | {"description": "when it was learnt"},
        "datacontenttype": {"type": "string", "const": "application/json"},
        "dataschema": _TEXT | {"description": "where the schema of data is found, and its major version"},
        "sequence": {
            "type": "string",
            "pattern": "^[0-9]{10}$",
            "description": "counts the events of one source and subject from 1 without gaps",
        },
        "actor": _TEXT | {"description": "subject of the token, or the service"},
        "correlationid": _TEXT | {"description": "first command of the chain"},
        "causationid": _TEXT | {"description": "the event or command that caused it"},
        "traceparent": _TEXT,
        "data": {"type": "object"},
    },
    "required": [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "recordedtime",
        "datacontenttype",
        "dataschema",
        "sequence",
        "actor",
        "correlationid",
        "causationid",
        "data",
    ],
}


def document() -> dict[str, Any]:
    """A channel per topic, a message per event type, what each service sends and reads."""
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Jiedui events",
            "version": "1.0.0",
            "description": "Order holds within one (source, subject) only. Readers ignore unknown fields.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"kafka": {"host": "kafka:9092", "protocol": "kafka", "description": "inside docker compose"}},
        "channels": {topic.name: _channel(topic) for topic in topics.ALL},
        "operations": _operations(),
        "components": {
            "schemas": {"Envelope": ENVELOPE},
            "messages": {type_: _message(cls) for type_, cls in sorted(EVENTS.items())}
            | {"heartbeat": _HEARTBEAT, "deadLetter": _DEAD_LETTER},
        },
    }


_HEARTBEAT = {
    "title": "A worker's state, once a second",
    "contentType": "application/json",
    "payload": {"type": "object"},
}
_DEAD_LETTER = {
    "title": "A record as it came, bytes untouched",
    "contentType": "application/octet-stream",
    "payload": {},
}


_OF_DATA = ("description", "type", "properties", "required", "oneOf", "allOf")


def _message(cls: type[Event]) -> dict[str, Any]:
    of_data = {key: value for key, value in schema_of(cls).items() if key in _OF_DATA}
    return {
        "name": cls.TYPE,
        "title": cls.TYPE,
        "summary": of_data["description"],
        "contentType": CONTENT_TYPE,
        "bindings": {"kafka": {"key": {"type": "string", "description": "the subject"}}},
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"type": "object", "properties": {"type": {"const": cls.TYPE}, "data": of_data}},
            ]
        },
    }


def _channel(topic: topics.Topic) -> dict[str, Any]:
    names = _messages_on(topic.name)
    return {
        "address": topic.name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup_policy],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.max_message_bytes,
                },
            }
        },
    }


def _messages_on(topic: str) -> list[str]:
    if topic == topics.HEARTBEATS:
        return ["heartbeat"]
    return [type_ for type_, cls in sorted(EVENTS.items()) if topic == cls.TOPIC] or ["deadLetter"]


def _operations() -> dict[str, Any]:
    made = {}
    for service in topics.SERVICES:
        for topic in topics.ALL:
            for action, doers in (("send", topics.WRITERS), ("receive", topics.READERS)):
                if service in doers[topic.name]:
                    made[f"{service}.{action}.{topic.name}"] = {
                        "action": action,
                        "channel": {"$ref": f"#/channels/{topic.name}"},
                        "tags": [{"name": service}],
                    }
    return made
