"""An image carries schemas, kit and its own service, and that is enough to start it.

No container engine is needed: what the Dockerfile copies is copied into an empty folder, and each
service is imported there with the packages of requirements.lock alone. Its install step takes half
a minute and is run too where JIEDUI_TEST_IMAGE is set (`make image-check`).
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from schemas.topics import SERVICES

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8")
IGNORED = (ROOT / "deploy/Dockerfile.dockerignore").read_text("utf-8").split()
BUILT = "/service/"
LOCKED = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
PACKAGES = sysconfig.get_path("purelib")

# Imports a service as its program would, with the packages that are locked and no others.
START = """
import importlib, importlib.metadata, sys
packages, service, *locked = sys.argv[1:]
sys.path[:0] = ["."]
sys.path.append(packages)
owners = importlib.metadata.packages_distributions()

class Locked:
    def find_spec(self, name, path=None, target=None):
        owned_by = {owner.lower().replace("_", "-").replace(".", "-") for owner in owners.get(name, [])}
        if owned_by and owned_by.isdisjoint(locked):
            raise ModuleNotFoundError(f"{name} is of {owned_by}, not in requirements.lock", name=name)

sys.meta_path.insert(0, Locked())
assert importlib.import_module(f"services.{service}.main").SERVICE.name == service
"""


def instructions(name: str) -> list[str]:
    """Each use of an instruction, continued lines joined."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def copied(service: str, into: Path) -> Path:
    """What the Dockerfile copies for one service. Later patterns of the ignore file win, as in Docker."""
    for line in instructions("COPY"):
        *flags, source, target = line.replace("${SERVICE}", service).split()
        if target == BUILT:
            continue  # of the stage that builds; from there it goes on into the image
        source = f"services/{service}/" if flags == ["--from=built"] else source
        if target.endswith("/"):
            (into / target).mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, into / target, ignore=_ignore, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, into / target)
    return into


def _ignore(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if is_ignored((Path(folder) / name).relative_to(ROOT))}


def is_ignored(path: Path) -> bool:
    ignored = False
    for pattern in IGNORED:
        wanted = pattern.removeprefix("!").removeprefix("**/")
        parts = [str(path), path.name] if "**/" in pattern else [str(path), *map(str, path.parents)]
        if any(fnmatch.fnmatchcase(part, wanted) for part in parts):
            ignored = not pattern.startswith("!")
    return ignored


def start(service: str, folder: Path, python: Path | str = sys.executable, packages: str = PACKAGES) -> str:
    """What goes wrong, empty if nothing. `-S`: without the repository, which the venv has as editable `jiedui`."""
    command = [python, "-I", "-S", "-c", START, packages, service, "jiedui", *LOCKED]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_from_what_its_image_carries(service: str, tmp_path: Path) -> None:
    folder = copied(service, tmp_path)
    assert {path.name for path in folder.iterdir()} == {"requirements.lock", "schemas", "services"}
    assert {path.name for path in (folder / "services").iterdir()} == {"__init__.py", "kit", service}
    assert start(service, folder) == ""


def test_a_service_that_reaches_for_another_does_not_start(tmp_path: Path) -> None:
    folder = copied("funding", tmp_path)
    with (folder / "services/funding/main.py").open("a") as main:
        main.write("\nimport services.pairing\n")
    assert "No module named 'services.pairing'" in start("funding", folder)


def test_a_package_that_is_not_locked_is_seen(tmp_path: Path) -> None:
    folder = copied("funding", tmp_path)
    with (folder / "services/funding/main.py").open("a") as main:
        main.write("\nimport pytest\n")
    assert "pytest is of {'pytest'}, not in requirements.lock" in start("funding", folder)


def test_the_schemas_go_along_and_the_tools_do_not(tmp_path: Path) -> None:
    folder = copied("notify", tmp_path)
    assert (folder / "schemas/json/jiedui.fund.spent.json").exists()
    assert not (folder / "schemas/tools").exists()
    assert not list(folder.rglob("__pycache__"))


def test_the_image_of_notify_has_the_console_built_and_not_its_sources(tmp_path: Path) -> None:
    """Run as it stands, but with the packages that are here."""
    copied("notify", tmp_path)
    (step,) = [line for line in instructions("RUN") if "npm ci" in line]
    console = tmp_path / "services/notify/console"
    assert not (console / "dist").exists()
    (console / "node_modules").symlink_to(ROOT / "services/notify/console/node_modules")
    step = step.replace(BUILT.rstrip("/"), str(tmp_path / "services/notify")).replace("npm ci --ignore-scripts", "true")
    subprocess.run(["sh", "-c", step], check=True, capture_output=True)
    assert {path.name for path in console.iterdir()} >= {"dist", "package.json"}
    assert not (console / "src").exists()
    assert not (console / "node_modules").exists()
    assert (console / "dist/index.html").exists()


def test_the_base_is_pinned_and_of_the_python_that_the_tests_run_on() -> None:
    builder, base = instructions("FROM")
    assert re.fullmatch(r"node:\d+\.\d+\.\d+-\w+-slim AS built", builder)
    assert re.fullmatch(rf"python:{sys.version_info.major}\.{sys.version_info.minor}\.\d+-slim-\w+", base)


def test_the_program_runs_as_nobody_special() -> None:
    (user,) = instructions("USER")
    assert f"useradd --system --uid 10001 {user}" in DOCKERFILE
    assert DOCKERFILE.index(f"USER {user}") < DOCKERFILE.index("ENTRYPOINT")


def test_the_entrypoint_starts_the_program_that_is_named(tmp_path: Path) -> None:
    """With a program that is not known, which says how it is called."""
    (line,) = instructions("ENTRYPOINT")
    command = [*json.loads(line), "neither"]
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "python").chmod(0o755)
    environment = {"SERVICE": "funding", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "python -m services.funding.main api|worker" in done.stderr


@pytest.mark.skipif("JIEDUI_TEST_IMAGE" not in os.environ, reason="half a minute; `make image-check` runs it")
@pytest.mark.timeout(600)
def test_the_install_step_gives_all_that_the_services_need(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    (install,) = [line for line in instructions("RUN") if line.startswith("pip install")]
    assert "--require-hashes" in install
    (tmp_path / "app").mkdir()
    copied(SERVICES[0], tmp_path / "app")
    subprocess.run([venv / "bin/pip", *install.split()[1:], "--quiet"], cwd=tmp_path / "app", check=True)
    for service in SERVICES:
        folder = tmp_path / service
        folder.mkdir()
        packages = venv / f"lib/python3.{sys.version_info.minor}/site-packages"
        assert start(service, copied(service, folder), venv / "bin/python", str(packages)) == ""
