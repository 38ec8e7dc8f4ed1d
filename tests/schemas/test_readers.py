"""`topics.py` says who reads and writes what, AsyncAPI repeats it, and the services do it."""

import importlib

import pytest

from schemas import topics
from services.kit.service import Service


def service_named(name: str) -> Service:
    service: Service = importlib.import_module(f"services.{name}.main").SERVICE
    return service


@pytest.mark.parametrize("name", topics.SERVICES)
def test_a_service_reads_the_topics_that_it_is_said_to_read(name: str) -> None:
    service = service_named(name)
    # Heartbeats may be lost: they come in by faust's agents and not by the consumer.
    read = {*service.topics, *([topics.HEARTBEATS] if service.agents else [])}
    assert read == {topic for topic, readers in topics.READERS.items() if name in readers}


@pytest.mark.parametrize("name", topics.SERVICES)
def test_a_handler_is_for_an_event_of_a_topic_that_is_read(name: str) -> None:
    service = service_named(name)
    assert {event.TOPIC for event in service.handlers} <= set(service.topics)
