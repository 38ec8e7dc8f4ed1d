"""Ledgers of any size, booked on the one write path as fast as it goes."""

from collections import Counter
from random import Random
from typing import Any

from services.funding import domain
from services.funding.domain import Entry, Funds
from services.funding.streams import seal_all
from services.kit.decision import Decision
from services.kit.service import Context
from tests.funding.builders import approved, opened, registered, submitted, verified
from tests.funding.conftest import Desk

PROJECTS = 20
PAYEES = 100
_A_UNIT = 1000


async def fill(desk: Desk, postings: int, *, seed: int = 0, a_seal: int = 250) -> None:
    """Two postings an entry, of which one in twenty is a reversal; sealed each `a_seal` entries, but for the last."""
    today = desk.context.clock.today().isoformat()
    money = 10**12
    await desk.hear(registered(), *(submitted(money, f"c{i}") for i in range(PROJECTS)))
    await desk.hear(*(approved(money, f"p{i}", f"c{i}") for i in range(PROJECTS)))
    await desk.hear(*(opened(90, 10, pairing=f"p{i}", commitment=f"c{i}", starts_on=today) for i in range(PROJECTS)))
    await desk.hear(*(verified(1, f"p{i}", f"c{i}") for i in range(PROJECTS)))
    left, random = postings // 2 - 3 * PROJECTS, Random(seed)
    a_unit = min(_A_UNIT, a_seal)
    while left > 0:
        await spend(desk.context, min(left, a_unit), random)
        left -= a_unit
        if left > 0 and left % a_seal < a_unit:
            await seal_all(desk.context)


async def spend(context: Context, count: int, random: Random) -> None:
    """Books `count` entries in one unit of work, on the projects and payees of `fill`."""

    async def work(tx: Any) -> Decision[None]:
        projects = await tx.find(Funds, {"_id": {"$in": [f"project-p{i}" for i in range(PROJECTS)]}})
        payees = [domain.paid_of(f"收款单位{i}") for i in range(PAYEES)]
        accounts = [account for funds in projects for account in funds.accounts]
        journal = await tx.journal(*accounts, *payees)
        spent: Counter[str] = Counter()
        last: Entry | None = None
        for i in range(count):
            if last is not None and i % 20 == 19:
                moves = [(journal.account(move.account_id), -move.amount, move.currency) for move in last.postings]
                about = {"project_id": last.project_id, "commitment_id": last.commitment_id}
                about |= {"partner_ids": last.partner_ids, "payee": last.payee}
                journal.book("reversed", moves, iati_type=4, reverses=last.id, reason="记错了", **about)
                spent[str(last.project_id)] -= last.amount
                last = None
                continue
            funds, payee, amount = random.choice(projects), random.choice(payees), random.randint(1, 10_000)
            last = journal.move(
                "spent",
                amount,
                "CNY",
                out_of=funds.released_account,
                into=payee,
                on=tx.today,
                payee=payee.owner.id,
                reference=f"INV-{random.getrandbits(64):x}" if i % 3 == 0 else None,
                **funds.about,
            )
            spent[funds.id] += amount
        saves = (funds.changed(spent=funds.spent + spent[funds.id]) for funds in projects)
        return Decision(None, (*saves, *journal.saves))

    await context.transact(work, "filler")
