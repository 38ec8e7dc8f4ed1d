"""Files of counties: their cards, and the days on which they were listed and delisted."""

from tests.pairing.conftest import Desk
from tests.pairing.files import REFERENCE, counts, csv_of, handed_in


async def test_the_832_counties_load_with_their_years(desk: Desk) -> None:
    content = (REFERENCE / "counties832.csv").read_bytes()
    of = await handed_in(desk, "counties", content)
    assert counts(of) == ("completed", 832, 832, 0, 0)
    listed = {}
    for year in range(2015, 2021):
        for day in (30, 31):
            page = await desk.get(f"/counties?status=listed&as_of={year}-12-{day}&limit=1&total=true")
            listed[year, day] = page["total"]
    assert list(listed.values()) == [832, 832, 832, 804, 804, 679, 679, 396, 396, 52, 52, 0]
    assert (await desk.get("/counties?as_of=2014-12-30&total=true"))["total"] == 0
    county = await desk.get("/counties/533301")
    assert [(one["status"], one["from"], one["until"]) for one in county["spells"]] == [
        ("listed", "2014-12-31", "2020-12-31"),
        ("delisted", "2020-12-31", None),
    ]
    assert county["formerly"] == [{"code": "533321", "name": "泸水县", "until_year": 2016}]
    # Who asks by the old code finds the history of the county that it has become.
    old = await desk.get("/counties/533321?as_of=2015-06-01")
    assert (old["code"], old["status"]) == ("533301", "listed")
    again = await handed_in(desk, "counties", content)
    assert counts(again) == ("completed", 832, 0, 0, 832)


async def test_what_was_before_is_added_to_a_county_that_is_listed_now(desk: Desk) -> None:
    name = {"zh": "正安县", "en": "Zheng'an"}
    await desk.county("520324", name=name)
    await desk.county("520326", name={"zh": "务川仡佬族苗族自治县"}, valid_from="2016-05-01")
    content = (REFERENCE / "counties832.csv").read_bytes()
    assert counts(await handed_in(desk, "counties", content)) == ("completed", 832, 832, 0, 0)
    listed = [
        (await desk.get(f"/counties?status=listed&as_of={year}-12-{day}&limit=1&total=true"))["total"]
        for year in range(2015, 2021)
        for day in (30, 31)
    ]
    assert listed == [832, 832, 832, 804, 804, 679, 679, 396, 396, 52, 52, 0]
    now = await desk.get("/counties/520324")
    assert [(one["status"], one["from"], one["until"]) for one in now["spells"]] == [
        ("listed", "2014-12-31", "2019-12-31"),
        ("delisted", "2019-12-31", desk.day(-30)),
        ("listed", desk.day(-30), None),
    ]
    assert (now["status"], now["name"], now["reason"]) == ("listed", name, "baseline")
    assert (await desk.get("/counties/520324?as_of=2015-06-01"))["status"] == "listed"
    assert (await desk.send("GET", "/counties/520324?as_of=2014-12-30")).status_code == 404
    assert await desk.types("520324") == ["county.listed", "county.card_updated"]
    met = await desk.get("/counties/520326")
    assert [(one["status"], one["from"]) for one in met["spells"]] == [
        ("listed", "2014-12-31"),
        ("listed", "2016-05-01"),
        ("delisted", "2018-12-31"),
    ]
    assert counts(await handed_in(desk, "counties", content)) == ("completed", 832, 0, 0, 832)


async def test_a_later_file_of_counties_is_the_next_version_of_their_cards(desk: Desk) -> None:
    first = csv_of("520324,正安县,coverage:2:0.65;education:1", header="code,name,needs")
    assert (await handed_in(desk, "counties", first))["accepted"] == 1
    later = csv_of("520324,正安县,coverage:3,2020-03-03", "653022,阿克陶县,,", header="code,name,needs,摘帽日期")
    of = await handed_in(desk, "counties", later)
    assert counts(of) == ("completed", 2, 2, 0, 0)
    card = await desk.get("/counties/520324")
    assert [(need["category"], need["slots"]) for need in card["needs"]] == [("coverage", 3)]
    assert (card["status"], card["spells"][-1]["from"]) == ("delisted", "2020-03-03")
    other = csv_of(
        "520324,正安县,2021-01-01", "653022,,1999", "520325,务川仡佬族苗族自治县,", header="code,name,摘帽日期"
    )
    of = await handed_in(desk, "counties", other)
    assert [(one["row"], one["code"]) for one in of["rejected"]] == [
        (2, "delisted-otherwise"),
        (3, "ends-before-it-begins"),
        (4, "not-its-name"),
    ]


async def test_a_file_that_knows_of_the_delisting_alone_may_be_loaded_after_a_relisting(desk: Desk) -> None:
    first = csv_of("520324,正安县,2020", header="code,name,摘帽年份")
    assert counts(await handed_in(desk, "counties", first)) == ("completed", 1, 1, 0, 0)
    await desk.post("/counties/520324/relist", {"on": "2021-03-01", "reason": "relapse"})
    more = csv_of("520324,正安县,2020,coverage:2", header="code,name,摘帽年份,needs")
    assert counts(await handed_in(desk, "counties", more)) == ("completed", 1, 1, 0, 0)
    card = await desk.get("/counties/520324")
    assert (card["status"], [need["slots"] for need in card["needs"]]) == ("listed", [2])
    assert [one["status"] for one in card["spells"]] == ["listed", "delisted", "listed"]
    again = csv_of("520324,正安县,coverage:2,2020-12-31", header="code,name,needs,摘帽日期")
    assert counts(await handed_in(desk, "counties", again)) == ("completed", 1, 0, 0, 1)
    other = await handed_in(desk, "counties", csv_of("520324,正安县,2019", header="code,name,摘帽年份"))
    assert [one["code"] for one in other["rejected"]] == ["spells-do-not-overlap"]


async def test_a_file_may_not_take_the_slot_of_a_live_pairing(desk: Desk) -> None:
    await desk.county("520324", {"category": "coverage", "slots": 2})
    _, pairing = await desk.approved()
    file = csv_of("520324,正安县,education:1", "653022,阿克陶县,coverage:1", header="code,name,needs")
    of = await handed_in(desk, "counties", file, "?partial=true")
    assert counts(of) == ("completed", 2, 1, 1, 0)
    assert [(one["row"], one["code"]) for one in of["rejected"]] == [(2, "limit-below-approved")]
    assert pairing["id"] in of["rejected"][0]["detail"]
    assert [(need["category"], need["slots"]) for need in (await desk.get("/counties/520324"))["needs"]] == [
        ("coverage", 2)
    ]
    kept = csv_of("520324,正安县,coverage:1;education:1", header="code,name,needs")
    assert counts(await handed_in(desk, "counties", kept)) == ("completed", 1, 1, 0, 0)
