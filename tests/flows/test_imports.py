"""A file handed in to the running system: a worker checks a long one, an undone one is withdrawn in all services."""

import httpx

from tests.flows.system import Json, System, today


async def hand_in(system: System, target: str, *rows: str) -> Json:
    content = "\n".join(("组织,县,类别,项目名称,承诺金额,开始日期,结束日期", *rows)).encode()
    answer: httpx.Response = await system.http.post(
        f"{system.url('pairing')}/imports/{target}",
        files={"file": ("file.csv", content)},
        headers={"authorization": f"Bearer {system.person('coordinator').token}"},
    )
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def test_a_long_file_is_checked_by_the_worker_and_says_how_far_it_is(system: System) -> None:
    coordinator = system.person("coordinator")
    await system.county("632741")
    partner_id, _ = await system.partner("长表企业")
    rows = [f"{partner_id},632741,教育,课堂{no},1000,2030-01-01,2030-12-31" for no in range(1500)]
    made = await hand_in(system, "commitments?dry_run=true", *rows, rows[0], "无名,632741,教育,课堂,-1,2030-01-01,")
    assert made["status"] == "running"
    done = await system.eventually(
        coordinator, "pairing", f"/imports/{made['id']}", lambda of: of["status"] != "running", "the file is checked"
    )
    assert (done["status"], done["rows"], done["accepted"], done["repeats"]) == ("completed", 1502, 1500, 1)
    assert [fault["code"] for fault in done["rejected"]] == ["unknown-partner", "negative", "missing"]


async def test_an_undone_file_is_withdrawn_in_all_services(system: System) -> None:
    coordinator, bookkeeper = system.person("coordinator"), system.person("bookkeeper")
    await system.county("632742")
    partner_id, _ = await system.partner("撤回企业")
    made = await hand_in(
        system,
        "commitments",
        f"{partner_id},632742,教育,旧,1000,2020-01-01,2020-12-31",
        f"{partner_id},632742,教育,新,2000,{today()},2099-12-31",
    )
    assert (made["status"], made["accepted"]) == ("completed", 2)
    undone = await coordinator.post("pairing", f"/imports/{made['id']}/undo", status=200)
    assert (len(undone["withdrawn"]), undone["kept"]) == (2, [])
    for id in undone["withdrawn"]:
        await system.eventually(
            coordinator,
            "notify",
            f"/events?subject={id}",
            lambda page: "jiedui.commitment.withdrawn" in [item["event"]["type"] for item in page["items"]],
            "the withdrawal is in the archive",
        )
        entries = await system.eventually(
            bookkeeper,
            "funding",
            f"/entries?commitment={id}",
            lambda page: len(page["items"]) >= 2,
            "the pledge is taken back",
        )
        assert [entry["type"] for entry in entries["items"]] == ["pledged", "unpledged"]
