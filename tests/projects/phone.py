"""A phone's edits, and the line on which it sends them."""

from typing import Any

from tests.projects.conftest import Office

HERE = {"county_codes": ["520326"]}


def edit(id: str, project_id: str, note: str | None = None, **other: Any) -> dict[str, Any]:
    """A report of milestone 1, begun on its first version."""
    return {
        "id": id,
        "kind": "milestone-report",
        "project_id": project_id,
        "milestone_no": 1,
        "base_version": 1,
        "after": None,
        "occurred_at": "2020-11-01T09:30:00+08:00",
        "fields": {} if note is None else {"note": note},
    } | other


def observed(id: str, project_id: str, value: Any, **other: Any) -> dict[str, Any]:
    fields = {"indicator": "villages_with_fibre", "value": value, "on": "2020-10-31"}
    return edit(id, project_id, kind="observation", milestone_no=None, base_version=None, fields=fields) | other


async def push(office: Office, *edits: dict[str, Any], role: str = "officer", **other: Any) -> list[dict[str, Any]]:
    body = {"edits": edits} | {name: other.pop(name) for name in ("grant",) if name in other}
    answer = await office.post("/sync", body, role, **other)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [result["id"] for result in results] == [one["id"] for one in edits]
    assert all(result["detail"]["zh"] and result["detail"]["en"] for result in results)
    return results


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [result["outcome"] for result in results]


async def note_of(office: Office, id: str, no: int = 1) -> str | None:
    note: str | None = (await office.project(id))["milestones"][no - 1]["note"]
    return note
