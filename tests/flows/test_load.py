"""A programme is loaded by files into a system that runs, whatever cuts the load off."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from deploy.example.load import Summary, load
from services.kit.ids import new_id
from tests.flows.system import SERVICES, System

CODES = ("990101", "990102", "990103")


class CutOff(Exception):
    pass


def write(path: Path, header: str, rows: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(), *(row.split(",") for row in rows)])


def programme(directory: Path, tag: str) -> Path:
    """Two partners with two commitments of two projects each; three counties with two slots."""
    settings = {"name": tag, "seed": 11, "cards_valid_from_day": -3, "card_reason": "test"}
    (directory / "programme.json").write_text(json.dumps(settings))
    write(directory / "counties.csv", "code name_zh name_en takes_part", [f"{code},县,County,yes" for code in CODES])
    write(directory / "needs.csv", "county_code category slots severity", [f"{code},coverage,2,0.5" for code in CODES])
    write(
        directory / "partners.csv",
        "reference name_zh name_en kind",
        [f"{tag}-P{no},单位,Partner,enterprise" for no in (1, 2)],
    )
    write(
        directory / "commitments.csv",
        "reference partner category title_zh title_en kind amount_cny quantity unit value_cny projects_max "
        "valid_from_day valid_until_day only_provinces only_counties prefers_provinces prefers_counties",
        [f"{tag}-C{no},{tag}-P{no},coverage,题,Title,money,100.00,,,,2,0,30,,{' '.join(CODES)},," for no in (1, 2)],
    )
    return directory


async def load_until(system: System, directory: Path, requests: int | None) -> Summary | None:
    """A load that dies before it sends one request more than `requests`; None: it died."""
    sent = 0

    def token(role: str, *, sub: str | None = None, partner: str | None = None) -> str:
        nonlocal sent
        sent += 1
        if requests is not None and sent > requests:
            raise CutOff
        return system.person(role, sub=sub, partner=partner).token

    urls = {service: system.url(service) for service in SERVICES}
    try:
        return await load(urls, token, lambda what, done, total: None, directory)
    except CutOff:
        return None


async def test_a_load_cut_off_anywhere_goes_on_and_loads_nothing_twice(system: System, tmp_path: Path) -> None:
    directory = programme(tmp_path, tag := new_id())
    requests = 0
    while not (done := await load_until(system, directory, requests)):
        requests += 1
    assert done.refused == ()
    again = await load_until(system, directory, None)
    assert again is not None
    assert set(again.created.values()) == {0}
    assert again.round_id == done.round_id

    coordinator = system.person("coordinator")
    for path, expected in (("/partners", 2), ("/commitments", 2)):
        references = [str(item["reference"]) for item in await coordinator.all("pairing", path)]
        assert sum(reference.startswith(tag) for reference in references) == expected, path
    for code in CODES:
        assert (await coordinator.get("pairing", f"/counties/{code}"))["version"] == 1
    assert len([run for run in await coordinator.all("pairing", "/rounds") if run["seed"] == 11]) == 1
    pairings = await coordinator.all("pairing", "/pairings?status=approved")
    assert sum(pairing["county_code"] in CODES for pairing in pairings) == 4


async def test_the_command_loads_a_directory_and_says_what_there_is(system: System, tmp_path: Path) -> None:
    done = system.jiedui("load", str(programme(tmp_path, new_id())))
    assert done.returncode == 0, done.stderr
    assert "loaded now: 2 partners" in done.stdout
    assert "2 commitments" in done.stdout


async def test_a_directory_without_a_programme_is_one_line_and_exit_code_1(system: System, tmp_path: Path) -> None:
    done = system.jiedui("load", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("jiedui: ")
    assert done.stderr.count("\n") == 1
