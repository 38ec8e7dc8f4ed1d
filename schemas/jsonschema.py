"""JSON Schema (draft 2020-12) of an event's `data`, made from its dataclass.

How types read: a field with a default may be left out but is never null; `X | None` without one is
there and may be null; `Fragment`s are laid over what the type says. No schema closes an object,
since readers ignore fields they do not know.
"""

import json
from dataclasses import MISSING, fields
from functools import reduce
from importlib.resources import files
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from schemas.envelope import Event
from schemas.shapes import Fragment

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}

Schema = dict[str, Any]


def load(type_: str) -> Schema:
    """The committed schema of an event type, such as `jiedui.fund.spent`.

    Raises:
        FileNotFoundError: there is none.
    """
    text = files("schemas").joinpath("json", f"{type_}.json").read_text(encoding="utf-8")
    return cast(Schema, json.loads(text))


def schema_of(cls: type[Event]) -> Schema:
    """The schema of `cls`'s data; `x-major` is the version that `dataschema` ends with, `x-topic` where it goes."""
    hints = get_type_hints(cls, include_extras=True)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for field in fields(cls):  # type: ignore[arg-type]
        hint = hints[field.name]
        if field.default is MISSING:
            required.append(field.name)
        elif field.default is None:
            hint = _without_null(hint)
        properties[field.name] = _of(hint)
    return {
        "$schema": DIALECT,
        "$id": f"/schemas/json/{cls.TYPE}.json",
        "title": cls.TYPE,
        "description": _described(cls),
        "x-major": cls.VERSION,
        "x-topic": cls.TOPIC,
        **_object(properties, required),
        **cls.RULES,
    }


def _of(hint: Any) -> Schema:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if hint is Any:
        return {}
    if origin is Annotated:
        laid_over = [extra for extra in hint.__metadata__ if isinstance(extra, Fragment)]
        return _of(hint.__origin__) | {key: value for extra in laid_over for key, value in extra.items()}
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin in (Union, UnionType):
        return {"anyOf": [_of(arm) for arm in args]}
    if origin is list:
        return {"type": "array", "items": _of(args[0])}
    if origin is dict and get_origin(args[0]) is Literal:
        return _object({name: _of(args[1]) for name in get_args(args[0])}, [])
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(args[1])}
    if is_typeddict(hint):
        return _typed_dict(hint)
    raise TypeError(f"no JSON Schema for {hint!r}")


def _typed_dict(shape: Any) -> Schema:
    properties = {}
    for name, hint in get_type_hints(shape, include_extras=True).items():
        properties[name] = _of(get_args(hint)[0] if get_origin(hint) is NotRequired else hint)
    described = {"description": _described(shape)} if shape.__doc__ else {}
    return described | _object(properties, [name for name in properties if name in shape.__required_keys__])


def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _without_null(hint: Any) -> Any:
    if get_origin(hint) not in (Union, UnionType):
        return hint
    return reduce(or_, (arm for arm in get_args(hint) if arm is not NoneType))


def _described(documented: Any) -> str:
    return " ".join((documented.__doc__ or "").split())
