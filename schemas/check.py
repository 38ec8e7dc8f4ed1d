"""Holds what is generated and published against the classes: `python -m schemas.check`, exit 1 with a list."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from schemas.compatibility import since_release
from schemas.generate import HERE, generated, orphans
from schemas.topics import SERVICES

TOOLS = HERE / "tools"


def stale() -> list[str]:
    """Generated files that are not what the classes say."""
    differing = [
        path for path, text in generated().items() if text != (path.read_text("utf-8") if path.exists() else "")
    ]
    return [f"{_named(path)} is not current; run `make schemas`" for path in differing + orphans()]


def asyncapi_faults(path: Path) -> list[str]:
    """What AsyncAPI's own parser finds in a document. Installs it by npm where it is missing."""
    if not (TOOLS / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=TOOLS, check=True)
    found = subprocess.run(["node", "asyncapi.mjs", path], cwd=TOOLS, capture_output=True, text=True)
    return [f"{_named(path)}: {line}" for line in (found.stdout + found.stderr).splitlines()]


def openapi_faults(service: str, document: dict[str, Any]) -> list[str]:
    """What the OpenAPI Initiative's schema of 3.1 finds in a service's document."""
    if not str(document.get("openapi")).startswith("3.1."):
        return [f"{service}: its API is described in OpenAPI {document.get('openapi')}, not 3.1"]
    return [
        f"{service}: {fault.json_path}: {fault.message}" for fault in OpenAPIV31SpecValidator(document).iter_errors()
    ]


def openapi_of(service: str) -> dict[str, Any]:
    """What `GET /openapi.json` answers; nothing is connected for it."""
    # Imported by name: this check looks at the services, but the schemas stand below them.
    settings = import_module(f"services.{service}.settings").Settings(oidc_issuer="https://issuer.invalid")
    app = import_module("services.kit.app").create_app(import_module(f"services.{service}.main").SERVICE, settings)
    document: dict[str, Any] = app.openapi()
    return document


def faults() -> list[str]:
    """All of them."""
    of_services = [fault for service in SERVICES for fault in openapi_faults(service, openapi_of(service))]
    return stale() + since_release() + asyncapi_faults(HERE / "asyncapi.yaml") + of_services


def _named(path: Path) -> str:
    return str(path.relative_to(HERE.parent) if path.is_relative_to(HERE) else path)


if __name__ == "__main__":
    sys.exit("\n".join(faults()) or 0)
