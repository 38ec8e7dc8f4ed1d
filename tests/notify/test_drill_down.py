"""Each figure, wherever it is shown, is the sum of the rows that it drills down to: a walk over all of them."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from schemas import pairings, projects
from tests.notify import builders as b
from tests.notify.conftest import Newsroom
from tests.notify.test_exports import rows

COUNTIES = ("520326", "520327", "530927")
PARTNERS = ("partner-1", "partner-2")


def of(n: int, partner: str, county: str) -> dict[str, Any]:
    return {"partner_id": partner, "county_code": county, "commitment_id": f"commitment-of-{partner}"}


def programme() -> list[Any]:
    """Two partners, three counties, six projects of which one is cancelled and one is goods."""
    found: list[Any] = [b.registered(partner) for partner in PARTNERS] + [b.listed(code) for code in COUNTIES]
    for partner in PARTNERS:
        commitment = f"commitment-of-{partner}"
        found.append(b.submitted(id=commitment, commitment_id=commitment, partner_id=partner))
    for n in range(1, 7):
        partner, county = PARTNERS[n % 2], COUNTIES[n % 3]
        who = of(n, partner, county)
        category = ("coverage", "education")[n % 2]
        more = who | {"category": category}
        found += [
            b.approved(n, None if n == 6 else "500.00", **more),
            b.opened(n, indicators=[PLAN], **more),
            *(_about(event, more) for event in (b.reported(n, 1), b.verified(n, 1), b.reported(n, 2))),
            _about(observed(n), more),
        ]
        if n != 6:
            funds = (b.reserved(n, "500.00"), b.released(n, 1, "150.00"), b.spent(n, "70.05"))
            found += [_about(event, more) for event in funds]
    back = of(5, PARTNERS[1], COUNTIES[2]) | {"category": "education"}
    found += [_about(event, back) for event in (b.cancelled(5), b.returned(5, "350.00", "79.95"))]
    assert any(isinstance(event, pairings.PairingApproved) for event in found)
    return found


PLAN = {"code": "trainees", "kind": "flow", "unit": "people", "baseline": 0, "target": 400}


def observed(n: int) -> projects.IndicatorObserved:
    return projects.IndicatorObserved(
        **b.of_project(n), indicator="trainees", kind="flow", unit="people", value=float(10 * n),
        period={"from": "2026-03-01", "until": "2026-03-31"}, occurred_at="2026-04-01T01:00:00.000Z",
    )  # fmt: skip


def _about(event: Any, fields: dict[str, Any]) -> Any:
    return type(event).of(event.data() | fields)


def sums(funds: Iterable[dict[str, Any] | None], *plus: str, minus: str = "") -> Decimal:
    booked = [one for one in funds if one]
    taken = sum((Decimal(one[minus]) for one in booked), Decimal()) if minus else Decimal()
    return sum((Decimal(one[name]) for one in booked for name in plus), Decimal()) - taken


async def test_each_figure_of_each_view_is_the_sum_of_the_rows_below_it(newsroom: Newsroom) -> None:
    await newsroom.happen(*programme())
    await newsroom.folded()
    listed = await rows(newsroom, "/exports/projects.csv")
    commitments = await rows(newsroom, "/exports/commitments.csv")
    views = {row["id"]: await newsroom.read(f"/views/projects/{row['id']}") for row in listed}
    assert len(views) == 6
    scopes = [("/overview", list(views.values()), commitments)]
    for code in COUNTIES:
        scopes.append((f"/views/counties/{code}", [v for v in views.values() if v["county_code"] == code], []))
    for partner in PARTNERS:
        own = [row for row in commitments if row["partner_id"] == partner]
        scopes.append((f"/views/partners/{partner}", [v for v in views.values() if v["partner_id"] == partner], own))
    for path, below, promises in scopes:
        shown = await newsroom.read(path)
        live = [view for view in below if view["status"] != "cancelled"]
        cells: dict[str, tuple[Any, Any]] = {"projects_by_status": (
            {name: count for name, count in shown["projects_by_status"].items() if count},
            Counter(view["status"] for view in below),
        ), "projects_by_category": (
            {name: count for name, count in shown["projects_by_category"].items() if count},
            Counter(view["category"] for view in live),
        ), "milestones": (
            {name: count for name, count in shown["milestones"].items() if count},
            Counter(milestone["status"] for view in live for milestone in view["milestones"]),
        )}  # fmt: skip
        funds, own_funds = shown["funds"]["CNY"], [view["funds"] for view in below]
        cells["committed"] = Decimal(funds["committed"]), sums(own_funds, "reserved", minus="returned")
        cells["used"] = Decimal(funds["used"]), sums(own_funds, "spent")
        entries = [row for view in below for row in await rows(newsroom, f"/exports/entries.csv?project={view['id']}")]
        out = sum((Decimal(row["amount"]) for row in entries if row["type"] == "tranche_released"), Decimal())
        back = Decimal("79.95") if any(view["id"] == "project-5" for view in below) else Decimal()
        cells["handed_over"] = Decimal(funds["handed_over"]), out - back
        if "promised" in funds and promises:
            cells["promised"] = Decimal(funds["promised"]), sum(Decimal(row["amount"]) for row in promises)
        if path == "/overview":
            cells["projects"] = shown["projects"], len(live)
            cells["partners"] = shown["partners"], len({view["partner_id"] for view in live})
            cells["counties"] = shown["counties"], len({view["county_code"] for view in live})
            cells["events"] = shown["events"], (await newsroom.read("/events?limit=1&total=true"))["total"]
        else:
            cells["ids"] = set(shown["projects"]), {view["id"] for view in below}
        assert {name: cell for name, cell in cells.items() if cell[0] != cell[1]} == {}, path
        assert shown["as_of"]["position"] == await newsroom.newest()


async def test_an_indicators_total_is_the_sum_of_its_parts_however_they_are_cut(newsroom: Newsroom) -> None:
    await newsroom.happen(*programme())
    await newsroom.folded()

    async def total(query: str) -> int:
        (item,) = (await newsroom.read(f"/indicators?indicator=trainees&{query}"))["items"]
        assert item["total"] == sum(period["value"] for period in item["periods"])
        return int(item["total"])

    whole = await total("")
    assert whole == 210
    assert whole == sum([await total(f"county={code}") for code in COUNTIES])
    assert whole == sum([await total(f"partner={partner}") for partner in PARTNERS])
    assert whole == sum([await total(f"category={category}") for category in ("coverage", "education")])
    assert whole == sum([await total(f"project=project-{n}") for n in range(1, 7)])
    exported = await rows(newsroom, "/exports/observations.csv?indicator=trainees")
    assert whole == sum(float(row["value"]) for row in exported)
