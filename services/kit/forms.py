"""Bodies of requests: read late and strictly, all faults at once."""

import json
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args

from fastapi import Body
from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from services.kit.decision import Invalid
from services.kit.problems import BadRequest, UnsupportedMediaType


class Form(BaseModel):
    """Base of all bodies. Types are strict, unknown fields are faults, `READ_ONLY` ones are ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    READ_ONLY: ClassVar[frozenset[str]] = frozenset()


def _visible(text: str) -> str:
    """Where a word is asked for, spaces of no width and control characters are none."""
    if all(unicodedata.category(character) in _INVISIBLE for character in text):
        raise ValueError("give at least one character that can be seen")
    return text


_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
Visible = AfterValidator(_visible)

F = TypeVar("F", bound=Form)


class Body_(Generic[F]):
    """A body that is not looked at before `read`, so that 404, 428 and 412 come before 422."""

    def __init__(self, form: type[F], raw: Any) -> None:
        self._form = form
        self._raw = raw

    def read(self) -> F:
        """The form.

        Raises:
            Invalid: with all its faults.
            UnsupportedMediaType, BadRequest: it is not JSON.
        """
        raw = self._raw
        if isinstance(raw, bytes):
            raise UnsupportedMediaType("Send JSON, with content-type: application/json.")
        if isinstance(raw, dict):
            raw = {name: value for name, value in raw.items() if name not in self._form.READ_ONLY}
        try:
            # Python reads NaN, JSON has none.
            text = json.dumps(raw, allow_nan=False)
        except ValueError as error:
            raise BadRequest("The body is not JSON: NaN and Infinity are no numbers there.") from error
        except RecursionError as error:
            raise BadRequest("The body is nested too deep.") from error
        try:
            return self._form.model_validate_json(text, strict=True)
        except ValidationError as error:
            raise Invalid(faults(error.errors(include_url=False), raw)) from error

    def mended(self) -> "Body_[F]":
        """The same body, with a question mark for each half of a character that somebody cut (an emoji is two)."""
        try:
            whole = json.dumps(self._raw, ensure_ascii=False).encode(errors="replace")
        except (TypeError, RecursionError):
            return self
        return Body_(self._form, json.loads(whole))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (form,) = get_args(source)

        def unread(value: Any, _: Any) -> "Body_[Any]":
            return cls(form, value)

        # The inner schema is there for OpenAPI only.
        return core_schema.no_info_wrap_validator_function(unread, handler.generate_schema(form))


Unread = Annotated[Body_[F], Body()]


def faults(errors: Sequence[Any], raw: Any) -> dict[str, str]:
    """Pydantic's faults by JSON pointer (RFC 6901)."""
    found: dict[str, str] = {}
    for error in errors:
        pointer = _pointer(error["loc"], raw)
        message = error["msg"].removeprefix("Value error, ")
        found[pointer] = f"{found[pointer]}; {message}" if pointer in found else message
    return found


def _pointer(steps: Sequence[str | int], raw: Any) -> str:
    """Leaves out what names an arm of a union and no place in the body."""
    pointer, here = "", raw
    for step in steps:
        known = (isinstance(here, dict) and step in here) or (isinstance(here, list) and isinstance(step, int))
        if not known and step is not steps[-1]:
            continue
        pointer += "/" + str(step).replace("~", "~0").replace("/", "~1")
        here = here[step] if known else None
    return pointer
