"""The command `jiedui` while nothing runs."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rfc8785


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def jiedui(home: Path, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIEDUI_")}
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *map(str, arguments)],
        env=kept | {"JIEDUI_HOME": str(home), **settings},
        capture_output=True,
        text=True,
    )


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def test_a_token_carries_what_was_asked_for(home: Path) -> None:
    done = jiedui(
        home,
        *("token", "--role", "officer", "--role", "monitor", "--sub", "Li Na"),
        *("--county", "520326", "--county", "520327", "--partner", "p1"),
    )
    assert done.returncode == 0, done.stderr
    found = claims(done.stdout)
    assert {name: found[name] for name in ("sub", "roles", "county_codes", "partner_id")} == {
        "sub": "Li Na",
        "roles": ["officer", "monitor"],
        "county_codes": ["520326", "520327"],
        "partner_id": "p1",
    }


def test_a_token_is_for_the_first_roles_name_if_no_other_is_given(home: Path) -> None:
    assert claims(jiedui(home, "token", "--role", "bookkeeper").stdout)["sub"] == "bookkeeper"


def test_a_tokens_time_is_shifted_as_the_programs_clocks_are(home: Path) -> None:
    now = claims(jiedui(home, "token", "--role", "monitor").stdout)["iat"]
    later = claims(jiedui(home, "token", "--role", "monitor", JIEDUI_CLOCK_OFFSET="20d").stdout)["iat"]
    assert 0 <= later - now - 20 * 24 * 3600 < 60


def test_there_are_no_tokens_in_production(home: Path) -> None:
    done = jiedui(home, "token", "--role", "monitor", JIEDUI_ENV="production")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("token",), ("token", "--role", "king"), ("worker", "post"), ("nothing",)])
def test_wrong_usage_ends_with_2(home: Path, arguments: tuple[str, ...]) -> None:
    assert jiedui(home, *arguments).returncode == 2


def test_status_of_nothing_is_empty_and_ends_with_1(home: Path) -> None:
    done = jiedui(home, "status", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"children": [], "kafka_bootstrap": None, "mongodb_uri": None}
    assert not home.exists(), "asking leaves nothing behind"


def test_worker_needs_something_to_work_with(home: Path) -> None:
    done = jiedui(home, "worker", "funding")
    assert done.returncode == 1
    assert "JIEDUI_KAFKA_BOOTSTRAP" in done.stderr


def test_a_trace_needs_something_that_runs(home: Path) -> None:
    done = jiedui(home, "trace", "any")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "jiedui: nothing runs here: make run starts it\n"


SNAPSHOT = {
    "seed": 1,
    "commitments": [{"id": "b", "open": 1}, {"id": "a", "open": 1}],
    "needs": [
        {"county": county, "category": "coverage", "slots": 1, "band": 1, "severity": 0.5, "live": 0}
        for county in ("520326", "520327")
    ],
    "pairs": [
        {
            "commitment": commitment,
            "county": county,
            "category": "coverage",
            "preference": int(county == preferred),
            "kept": False,
            "pinned": False,
        }
        for commitment, preferred in (("a", "520327"), ("b", "520326"))
        for county in ("520326", "520327")
    ],
}


def test_solve_prints_the_pairs_as_canonical_json(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(SNAPSHOT))
    done = jiedui(home, "solve", file)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["pairs"] == [["a", "520327"], ["b", "520326"]]
    assert done.stdout == rfc8785.dumps(answer).decode() + "\n"


@pytest.mark.parametrize(
    ("content", "code"), [(None, 2), ("not json", 1), ("[]", 1), ('{"seed": 1}', 1), ("\ud800", 1), ("[" * 100000, 1)]
)
def test_what_cannot_be_solved_is_one_line(home: Path, tmp_path: Path, content: str | None, code: int) -> None:
    file = tmp_path / "snapshot.json"
    if content is not None:
        file.write_bytes(content.encode(errors="surrogatepass"))
    done = jiedui(home, "solve", file)
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "snapshot.json" in done.stderr
