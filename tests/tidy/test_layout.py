"""One shape for all services: the same files, the same order of who may import what, short files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topics import SERVICES

ROOT = Path(__file__).parents[2]
SHAPE = {"__init__", "domain", "store", "api", "streams", "main", "settings"}
MAX_LINES = 400
MAX_SLEEP_S = 0.5


def shape_faults(service: Path) -> list[str]:
    """A package, such as `domain/`, counts as the file `domain.py`."""
    found = {path.stem for path in service.glob("*.py")} | {path.parent.name for path in service.glob("*/__init__.py")}
    return [f"{service.name}: {name} is missing" for name in sorted(SHAPE - found)] + [
        f"{service.name}: {name} is one file too many" for name in sorted(found - SHAPE)
    ]


def motor_faults(services: Path) -> list[str]:
    """The driver can be replaced in a day only while these few files import it."""
    allowed = {services / "kit/mongo.py", *(services / service / "store.py" for service in SERVICES)}
    return [
        f"{path.relative_to(services)} imports motor"
        for path in sorted(services.rglob("*.py"))
        if path not in allowed and any(name.split(".")[0] == "motor" for name in _imported(path))
    ]


def length_faults(folder: Path) -> list[str]:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in sorted(folder.rglob("*.py"))}
    return [f"{path.relative_to(folder)}: {n} lines" for path, n in lengths.items() if n > MAX_LINES]


def sleep_faults(tests: Path) -> list[str]:
    """Tests wait for a condition; only the pause between two looks at it may be slept."""
    return [
        f"{path.relative_to(tests)}:{call.lineno} sleeps"
        for path in sorted(tests.rglob("*.py"))
        for call in sorted(_statements_of(path, "sleep"), key=lambda call: call.lineno)
        if any(isinstance(arg, ast.Constant) and arg.value > MAX_SLEEP_S for arg in call.args)
    ]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _statements_of(path: Path, name: str) -> Iterator[ast.Call]:
    """Calls that stand alone: a sleep that is handed to something else, as what may be cancelled, is no waiting."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        call = getattr(node, "value", None) if isinstance(node, ast.Expr | ast.Await) else None
        if isinstance(call, ast.Call) and name in (getattr(call.func, "id", ""), getattr(call.func, "attr", "")):
            yield call


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_same_files_as_the_others(service: str) -> None:
    assert shape_faults(ROOT / "services" / service) == []


def test_motor_is_imported_in_the_stores_and_one_file_of_the_kit_only() -> None:
    assert motor_faults(ROOT / "services") == []


@pytest.mark.parametrize("folder", ["services", "schemas", "deploy", "tests"])
def test_no_file_is_too_long_to_have_one_subject(folder: str) -> None:
    assert length_faults(ROOT / folder) == []


def test_no_test_sleeps_where_it_could_wait_for_a_condition() -> None:
    assert sleep_faults(ROOT / "tests") == []


def test_a_missing_or_additional_file_of_a_service_is_seen(tmp_path: Path) -> None:
    for name in SHAPE - {"domain", "store"} | {"helpers"}:
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain/__init__.py").touch()
    assert [fault.split(": ")[1] for fault in shape_faults(tmp_path)] == [
        "store is missing",
        "helpers is one file too many",
    ]


@pytest.mark.parametrize("line", ["import motor", "import motor.core as m", "from motor.motor_asyncio import X"])
def test_a_motor_import_elsewhere_is_seen(tmp_path: Path, line: str) -> None:
    for name in ("kit/mongo.py", "funding/store.py", "funding/api.py", "kit/inbox.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"def lazily():\n    {line}\n")
    assert motor_faults(tmp_path) == ["funding/api.py imports motor", "kit/inbox.py imports motor"]


def test_a_long_file_is_seen(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * (MAX_LINES + 1))
    (tmp_path / "right.py").write_text("x = 1\n" * MAX_LINES)
    assert length_faults(tmp_path) == ["long.py: 401 lines"]


def test_a_long_sleep_is_seen(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "time.NAP(0.05)\nawait asyncio.NAP(3)\nNAP(1.5)\nNAP(pause)\nrun(NAP(9))\n".replace("NAP", "sleep")
    )
    assert sleep_faults(tmp_path) == ["test_it.py:2 sleeps", "test_it.py:3 sleeps"]
