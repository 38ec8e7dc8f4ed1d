"""The import contracts of pyproject.toml hold, and each refuses what it is there to refuse."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([lint_imports, "--no-logo", "--no-cache"], cwd=root, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in ("schemas", "services", "deploy"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("node_modules", "target", "json")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_import_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_each_contract_refuses_its_bad_import(copy: Path) -> None:
    bad = {
        "services/funding/domain/__init__.py": "from services.kit import clock",
        "services/projects/domain/__init__.py": "import motor",
        "services/notify/domain/__init__.py": "from services.pairing import domain",
        "services/kit/clock.py": "import numpy",
        "schemas/money.py": "import pydantic",
    }
    for path, line in bad.items():
        file = copy / path
        file.write_text(f"{line}\n{file.read_text()}")
    said = lint(copy).stdout
    for contract in (
        "services know the kit and the schemas, and not each other",
        "rules are pure",
        "the schemas need nothing installed",
        "motor is in one place of each service",
        "OR-tools and numpy are for the matching",
    ):
        assert f"{contract} BROKEN" in said, said
    for chain in (
        "services.funding.domain -> services.kit.clock",
        "services.projects.domain -> motor",
        "services.notify.domain -> services.pairing.domain",
        "services.kit.clock -> numpy",
        "schemas.money -> pydantic",
    ):
        assert chain in said, said
