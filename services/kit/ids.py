"""Ids: UUIDv7, so that they sort by the time they were given (RFC 9562)."""

from uuid_utils import uuid7


def new_id() -> str:
    return str(uuid7())
