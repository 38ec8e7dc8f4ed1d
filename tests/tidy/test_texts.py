"""What must not stand in any tracked file, and what must stand in the README."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# In pieces, so that this file does not hold what it forbids.
_HOSTS = [
    "pypi" + ".org",
    "files.python" + "hosted.org",
    "registry.npm" + "js.org",
    "registry.yarn" + "pkg.com",
    "repo1.mav" + "en.org",
    "repo.maven.apa" + "che.org",
    "proxy.gol" + "ang.org",
]
_PLACES = ["/ro" + "ot/", "/ho" + "me/[a-z]+/", "/wo" + "rk/", "/Us" + "ers/", "/opt/" + "wheels", r"\.\./sha" + "red"]
FORBIDDEN = re.compile("|".join([re.escape(host) for host in _HOSTS] + [rf"(?<![\w.}}]){place}" for place in _PLACES]))


def forbidden_in(text: str) -> list[str]:
    """Package registries' hosts (each machine has its own mirror) and paths of one machine."""
    return FORBIDDEN.findall(text)


def undescribed(pyproject: str, readme: str) -> list[str]:
    """Dependencies that no row of a table in the README names."""
    project = tomllib.loads(pyproject)["project"]
    wanted = [
        *project["dependencies"],
        *(name for group in project["optional-dependencies"].values() for name in group),
    ]
    rows = " ".join(line for line in readme.splitlines() if line.lstrip().startswith("|"))
    described = set(re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", rows))
    names = [re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in wanted]
    return [name for name in names if name not in described]


def test_no_tracked_file_names_a_package_registry_or_a_place_on_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    texts = {path: path.read_text("utf-8", errors="ignore") for path in paths}
    assert {str(path.relative_to(ROOT)): found for path, text in texts.items() if (found := forbidden_in(text))} == {}


def test_the_readme_says_of_each_dependency_what_it_is_for() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert undescribed((ROOT / "pyproject.toml").read_text("utf-8"), readme) == []


@pytest.mark.parametrize(
    "text",
    [
        f"from https://{_HOSTS[0]}/simple",
        f'"resolved": "https://{_HOSTS[2]}/ajv"',
        f"see {_PLACES[2]}main/README.md",
        f'path = "{_PLACES[0]}x"',
        "cp /ho" + "me/someone/x .",
    ],
)
def test_a_host_or_a_place_is_seen(text: str) -> None:
    assert forbidden_in(text)


@pytest.mark.parametrize("text", ["https://example.org/work", "tests/network/", "~/work", "JIEDUI_HOME=.jiedui"])
def test_other_words_are_let_through(text: str) -> None:
    assert not forbidden_in(text)


def test_a_dependency_that_is_not_described_is_seen() -> None:
    pyproject = '[project]\ndependencies = ["httpx", "fastapi==1.0"]\noptional-dependencies.dev = ["pytest; os"]'
    assert undescribed(pyproject, "We use httpx.\n\n| name | what for |\n|---|---|\n| `fastapi` | HTTP |") == [
        "httpx",
        "pytest",
    ]
