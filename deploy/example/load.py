"""Loads a programme through the public HTTP API, runs one round and approves it.

Nothing is loaded twice, wherever a load was cut off: what is there already is asked for first, and
every POST has a fixed Idempotency-Key. So that a key's body stays the same too, a load that goes on
on another day counts its dates from the day of the first one, which the counties' listing tells.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import httpx

from deploy.example.client import PATIENCE_S, Body, Client, LoadFailed
from deploy.example.files import Programme, Unusable, read
from services.kit.clock import Clock, offset

EXAMPLE = Path(__file__).parent
Report = Callable[[str, int, int], None]

__all__ = ["EXAMPLE", "LoadFailed", "Report", "Summary", "load"]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`created`: how many things of each kind were loaded now (0 = they were there). `approved`: pairings that stand.
    `refused`: a sentence for each pairing that could not be approved."""

    created: dict[str, int]
    round_id: str
    approved: int
    refused: tuple[str, ...]


async def load(
    base_urls: dict[str, str], token: Callable[..., str], report: Report, directory: Path = EXAMPLE
) -> Summary:
    """Loads `directory` (laid out as `deploy/example`), and waits until the overview shows every approved project.

    `base_urls` has the addresses of `pairing` and `notify`. `token(role, sub=…, partner=…)` gives a bearer token.
    `report(what, done, total)` is called at each step.

    Raises:
        LoadFailed: it cannot go on; the message is one line that says what to do.
    """
    # A proxy is for the web, not for services on this machine or in this cluster.
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        try:
            return await _load(Client(http, base_urls, token), report, directory)
        except Unusable as error:
            raise LoadFailed(str(error)) from error


async def _load(client: Client, report: Report, directory: Path) -> Summary:
    today = Clock(offset(os.environ.get("JIEDUI_CLOCK_OFFSET") or "0s")).today()
    programme = read(directory, today)
    listed = {county["code"]: county for county in await client.items("/counties")}
    day = day_of_loading(programme, listed, today)
    programme = read(directory, day)

    counties = await _load_cards(client, report, programme, listed)
    partners, partner_ids = await _load_partners(client, report, programme)
    commitments = await _load_commitments(client, report, programme, partner_ids)
    round_id = await _completed_round(client, report, programme, day)
    refused = await _approve(client, report, programme, round_id)
    return Summary(
        created={"partners": partners, "counties": counties, "commitments": commitments},
        round_id=round_id,
        approved=await _shown(client, report),
        refused=refused,
    )


def day_of_loading(programme: Programme, listed: dict[str, Body], today: date) -> date:
    """The day of an earlier load, which `listed` tells by a county that it listed; else `today`, on which `programme`
    was read."""
    for code, card in programme.cards.items():
        spells = listed[code]["spells"] if code in listed else []
        # A county that somebody else listed says nothing of our loads.
        ours = next((spell for spell in spells if spell["reason"] == card["reason"]), None)
        if ours:
            return today + (date.fromisoformat(ours["from"]) - date.fromisoformat(card["valid_from"]))
    return today


async def _load_cards(client: Client, report: Report, programme: Programme, listed: dict[str, Body]) -> int:
    missing = [code for code in programme.cards if code not in listed]
    for done, code in enumerate(missing, len(programme.cards) - len(missing) + 1):
        await client.put_first(f"/counties/{code}/card", programme.cards[code])
        report("counties", done, len(programme.cards))
    return len(missing)


async def _load_partners(client: Client, report: Report, programme: Programme) -> tuple[int, dict[str, str]]:
    ids = {partner["reference"]: partner["id"] for partner in await client.items("/partners") if partner["reference"]}
    missing = [reference for reference in programme.partners if reference not in ids]
    for done, reference in enumerate(missing, len(programme.partners) - len(missing) + 1):
        key = f"{programme.name}-{reference}"
        ids[reference] = (await client.post("/partners", programme.partners[reference], key=key))["id"]
        report("partners", done, len(programme.partners))
    return len(missing), ids


async def _load_commitments(client: Client, report: Report, programme: Programme, partner_ids: dict[str, str]) -> int:
    known = {commitment["reference"] for commitment in await client.items("/commitments")}
    missing = {reference: offer for reference, offer in programme.commitments.items() if reference not in known}
    for done, (reference, offer) in enumerate(missing.items(), len(programme.commitments) - len(missing) + 1):
        if offer.partner not in partner_ids:
            raise LoadFailed(f"commitments.csv: {reference} names partner {offer.partner}, which partners.csv has not")
        who = {"role": "partner", "sub": offer.partner, "partner": partner_ids[offer.partner]}
        await client.post("/commitments", offer.body, key=f"{programme.name}-{reference}", **who)
        report("commitments", done, len(programme.commitments))
    return len(missing)


async def _completed_round(client: Client, report: Report, programme: Programme, day: date) -> str:
    """The first round of ours that has seen all of the programme's commitments; asked for, if there is none."""
    asked = {"as_of": day.isoformat(), "seed": programme.seed}
    commitments = [one for one in await client.items("/commitments") if one["reference"] in programme.commitments]
    complete_at = max(datetime.fromisoformat(one["submitted_at"]) for one in commitments)
    ours = [
        run
        for run in await client.items("/rounds")
        if {name: run[name] for name in asked} == asked and datetime.fromisoformat(run["requested_at"]) >= complete_at
    ]
    sound = sorted(run["id"] for run in ours if run["status"] in ("running", "completed"))
    # After a round that failed, its key would bring its answer again for ever.
    key = f"{programme.name}-round-{max(one['id'] for one in commitments)}-{len(ours)}"
    id = sound[0] if sound else str((await client.post("/rounds", asked, key=key))["id"])

    async def progress() -> tuple[int, int]:
        found = await client.get("pairing", f"/rounds/{id}")
        if found["status"] in ("failed", "cancelled"):
            raise LoadFailed(f"round {id} is {found['status']} ({found['reason']}): put that right, then load again")
        return (100 if found["status"] == "completed" else min(found["progress"], 99)), 100

    await _wait(report, "round", progress)
    return id


async def _approve(client: Client, report: Report, programme: Programme, round_id: str) -> tuple[str, ...]:
    proposed = await client.items(f"/pairings?round={round_id}&status=proposed")
    if not proposed:
        return ()
    report("approvals", 0, len(proposed))
    answer = await client.post(f"/rounds/{round_id}/approve", {}, key=f"{programme.name}-approve-{round_id}")
    report("approvals", len(answer["approved"]), len(proposed))
    return tuple(f"{refusal['pairing_id']}: {refusal['detail']}" for refusal in answer["refused"])


async def _shown(client: Client, report: Report) -> int:
    """How many pairings stand, once the overview shows the project of each."""

    async def progress() -> tuple[int, int]:
        standing = (await client.get("pairing", "/pairings?status=approved&limit=1&total=true"))["total"]
        return min((await client.get("notify", "/overview"))["projects"], standing), standing

    return await _wait(report, "projects", progress)


async def _wait(report: Report, what: str, progress: Callable[[], Awaitable[tuple[int, int]]]) -> int:
    """Until all is done; gives up when nothing has moved for `PATIENCE_S`."""
    done, moved_at = -1, time.monotonic()
    while True:
        now_done, total = await progress()
        if now_done != done:
            done, moved_at = now_done, time.monotonic()
            report(what, done, total)
        if done == total:
            return total
        if time.monotonic() - moved_at > PATIENCE_S:
            raise LoadFailed(
                f"{what} stand at {done} of {total} for {PATIENCE_S:.0f} s: see `jiedui status`, load again"
            )
        await asyncio.sleep(0.2)
