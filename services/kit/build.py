"""Which program runs: its version, and a digest of its source, so that two states of one version are told apart."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("schemas", "services")
_ROOT = Path(__file__).parents[2]


@cache
def build() -> str:
    """Such as `0.1.0+3f2a9c41d07b`; the same for the same source on every machine."""
    digest = sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('jiedui')}+{digest.hexdigest()[:12]}"
