"""B7: entries a second beside Medici, and whether a statement costs more in a large ledger.

Both sides book entries of two postings on the same mongod, in turn; the medians count.
Ours is funding's real intake: batches of `milestone.verified` as its worker takes them, with the inbox,
the tranche rule, balances by day, digests and the outgoing events. Medici's is an entry a MongoDB
transaction, one at a time and `AT_ONCE` at a time; the better of the two counts.

The statement is of one account of 200 rows, read over the API, in a ledger of 10,000 postings and in
one of 1,000,000.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx

from bench.figures import Figure, Goal, Side
from bench.machine import versions_of
from bench.measuring import Bench
from services.funding.main import SERVICE
from services.funding.settings import Settings
from services.kit.app import create_app
from services.kit.ids import new_id
from services.kit.tokens import LocalIssuer
from tests.funding.builders import approved, opened, registered, submitted, verified
from tests.funding.conftest import Desk
from tests.funding.ledgers import fill, spend

PROJECTS = 400
MILESTONES = 10
A_BATCH = 2000  # As many as the consumer takes at once.
PEER = Path(__file__).parent / "peers/medici"
PEER_ENTRIES = 500
AT_ONCE = 16
ROWS = 200
READS = 31
SMALL = 10_000


@asynccontextmanager
async def desk(uri: str) -> AsyncIterator[Desk]:
    """Funding with a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        app = create_app(replace(SERVICE, name=f"bench{new_id()[-12:]}"), Settings(home=home, mongodb_uri=uri))
        context = app.state.context
        await context.prepare()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://funding", timeout=600) as client:
            yield Desk(client, context, LocalIssuer(home))
        await context.database.client.drop_database(context.database.name)


async def ours(uri: str) -> float:
    """Entries a second."""
    async with desk(uri) as funding:
        money, pairs = 100_000, [(f"p{i}", f"c{i}") for i in range(PROJECTS)]
        await funding.hear(registered(), *(submitted(money, commitment) for _, commitment in pairs))
        await funding.hear(*(approved(money, *pair) for pair in pairs))
        shares = [100 // MILESTONES] * MILESTONES
        await funding.hear(*(opened(*shares, pairing=pairing, commitment=commitment) for pairing, commitment in pairs))
        records = [funding.record(verified(no, *pair)) for no in range(1, MILESTONES + 1) for pair in pairs]
        began = time.perf_counter()
        for first in range(0, len(records), A_BATCH):
            await funding.inbox.take(records[first : first + A_BATCH])
        seconds = time.perf_counter() - began
        booked = await funding.database.entries.count_documents({"type": "tranche_released"})
        assert booked == len(records)
        return booked / seconds


def medici(uri: str, at_once: int) -> float:
    """Entries a second."""
    command = ["node", str(PEER / "peer.js"), uri, f"medici_{new_id()[-12:]}", str(PEER_ENTRIES), str(at_once)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return float(found["entries"] / found["seconds"])


async def bare(uri: str) -> float:
    """Entries a second of the ledger alone, 1,000 a unit of work: no inbox, no events."""
    async with desk(uri) as funding:
        await fill(funding, 1_000, a_seal=1_000)
        began = time.perf_counter()
        before = await funding.database.entries.count_documents({})
        random = Random(1)
        for _ in range(10):
            await spend(funding.context, 1_000, random)
        booked = await funding.database.entries.count_documents({}) - before
        return booked / (time.perf_counter() - began)


async def with_probe(funding: Desk, postings: int) -> str:
    """A ledger of so many postings, among them a project whose money moved `ROWS` times; answers its account."""
    today = funding.context.clock.today().isoformat()
    await funding.hear(registered(), submitted(ROWS * 100, "probe"), approved(ROWS * 100, "probe", "probe"))
    await funding.hear(opened(100, pairing="probe", commitment="probe", starts_on=today), verified(1, "probe", "probe"))
    for _ in range(ROWS - 1):
        body = funding.expenditure(project_id="project-probe", amount="1.00")
        (await funding.post("/expenditures", body)).raise_for_status()
    await fill(funding, postings, a_seal=5_000)
    return "/accounts/project-project-probe-released/statement"


async def timed(read: Callable[[], Awaitable[httpx.Response]]) -> float:
    began = time.perf_counter()
    answer = await read()
    seconds = time.perf_counter() - began
    assert len(answer.json()["items"]) == ROWS
    return seconds


async def statements(uri: str, postings: int) -> list[list[float]]:
    """Milliseconds of a statement in the small ledger and in the large one, read in turn."""
    async with desk(uri) as small, desk(uri) as large:
        paths = [(each, await with_probe(each, size)) for each, size in ((small, SMALL), (large, postings))]
        times: list[list[float]] = [[], []]
        for _ in range(READS):
            for at, (funding, path) in enumerate(paths):
                times[at].append(1000 * await timed(lambda funding=funding, path=path: funding.get(path)))  # type: ignore[misc]
    return times


async def booking(bench: Bench) -> Figure:
    """B7: entries a second, and statements."""
    if not (PEER / "node_modules").exists():
        await asyncio.to_thread(subprocess.run, ["npm", "ci", "--silent"], cwd=PEER, check=True)
    packages = json.loads((PEER / "package.json").read_text())["dependencies"]
    uri = bench.servers.mongodb
    found: dict[str, list[float]] = {"ours": [], "one": [], "many": [], "bare": []}
    for repeat in range(1, bench.size.repeats + 1):
        found["ours"].append(await ours(uri))
        found["one"].append(await asyncio.to_thread(medici, uri, 1))
        found["many"].append(await asyncio.to_thread(medici, uri, AT_ONCE))
        found["bare"].append(await bare(uri))
        bench.say(
            f"{repeat}/{bench.size.repeats} " + ", ".join(f"{name} {row[-1]:,.0f}/s" for name, row in found.items())
        )

    def side(name: str, key: str, version: str) -> Side:
        return Side(name=name, version=version, unit="entries/s", values=found[key])

    theirs = f"medici {packages['medici']}, mongoose {packages['mongoose']}"
    one, many = side("Medici, one at a time", "one", theirs), side(f"Medici, {AT_ONCE} at once", "many", theirs)
    bench.say(f"statements in ledgers of {SMALL:,} and {bench.size.postings:,} postings")
    small, large = (
        Side(name=f"at {postings:,} postings", version=versions_of("motor"), unit="ms", values=values)
        for postings, values in zip(
            (SMALL, bench.size.postings), await statements(uri, bench.size.postings), strict=True
        )
    )
    mine = versions_of("motor")
    return Figure(
        no="B7",
        title=f"ledger entries, and a statement of {ROWS} rows",
        goals=[
            Goal(
                ours=side("funding's worker", "ours", mine), peer=max(one, many, key=lambda peer: peer.median), least=5
            ),
            Goal(ours=large, peer=small, most=1.2),
        ],
        beside=[min(one, many, key=lambda peer: peer.median), side("the ledger alone", "bare", mine)],
    )
