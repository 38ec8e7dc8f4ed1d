"""Writes the files that are made from the event classes: `python -m schemas.generate`."""

import json
from pathlib import Path

import yaml

from schemas.asyncapi import document
from schemas.catalogue import EVENTS
from schemas.jsonschema import schema_of

HERE = Path(__file__).parent


class _Plain(yaml.SafeDumper):
    """Without aliases for what two places share: a reader would look for a meaning in them."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def generated() -> dict[Path, str]:
    """Each generated file and what must stand in it."""
    made = {HERE / "json" / f"{type_}.json": _json(schema_of(cls)) for type_, cls in EVENTS.items()}
    made[HERE / "asyncapi.yaml"] = yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return made


def write() -> None:
    """Brings all of them up to date."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
    for path in orphans():
        path.unlink()


def orphans() -> list[Path]:
    """Schemas of event types that are no more."""
    return sorted(set((HERE / "json").glob("*.json")) - generated().keys())


def _json(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    write()
