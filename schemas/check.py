"""Holds what is generated and published against the classes: `python -m schemas.check`, exit 1 with a list."""

import subprocess
import sys
from pathlib import Path

from schemas.compatibility import since_release
from schemas.generate import HERE, generated, orphans

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


def _named(path: Path) -> str:
    return str(path.relative_to(HERE.parent) if path.is_relative_to(HERE) else path)


if __name__ == "__main__":
    sys.exit("\n".join(stale() + since_release() + asyncapi_faults(HERE / "asyncapi.yaml")) or 0)
