"""Funding in memory: its real handlers and rules on states in a dict, so that thousands of histories can be tried."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs

from schemas.envelope import Event
from schemas.funding import FundPledged, FundUnpledged
from schemas.jsonschema import load
from services.funding.domain import Account, Audit, Chain, Commitment, Day, Entry, Fault, Funds, Ledger
from services.funding.store import Tx
from services.funding.streams import HANDLERS
from services.kit.decision import NOTHING, Decision, NotYet
from services.kit.mongo import to_document

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """As much of a received event as handlers look at."""

    data: Event


class MemoryTx(Tx):
    _claimed = True

    def __init__(self, states: dict[tuple[type, str], Any], now: datetime) -> None:
        self.states = states
        self.now = now

    async def get(self, kind: type, id: str) -> Any:
        return self.states.get((kind, id))

    async def get_many(self, kind: type, ids: Iterable[str]) -> dict[str, Any]:
        return {id: self.states[kind, id] for id in ids if (kind, id) in self.states}

    async def find(self, kind: type, where: Any, **_: Any) -> list[Any]:
        return [state for (of, _), state in sorted(self._of(kind)) if _fits(to_document(state), where)]

    def _of(self, kind: type) -> Any:
        return (((key[0].__name__, key[1]), state) for key, state in self.states.items() if key[0] is kind)


def _fits(document: dict[str, Any], where: dict[str, Any]) -> bool:
    for name, wanted in where.items():
        found = document[name]
        if isinstance(wanted, dict):
            if "$in" in wanted and found not in wanted["$in"]:
                return False
            if "$gte" in wanted and found < wanted["$gte"]:
                return False
        elif found != wanted:
            return False
    return True


def run(work: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something")


@dataclass
class World:
    now: datetime = NOW
    states: dict[tuple[type, str], Any] = field(default_factory=dict)
    published: list[Event] = field(default_factory=list)
    """All but pledges."""
    pledges: list[FundPledged | FundUnpledged] = field(default_factory=list)
    early: list[tuple[str, Event]] = field(default_factory=list)

    @property
    def tx(self) -> MemoryTx:
        return MemoryTx(self.states, self.now)

    def tell(self, *events: Event) -> None:
        """Takes events in, as the inbox does: what is too early is tried again after each that mentions it."""
        for event in events:
            try:
                self.keep(run(HANDLERS[type(event)](Told(event), self.tx)))
            except NotYet as refused:
                self.early.append((refused.about, event))
                continue
            mentioned = set(map(str, event.data().values()))
            waiting, self.early = self.early, []
            for about, early in waiting:
                if about in mentioned:
                    self.tell(early)
                else:
                    self.early.append((about, early))

    def keep(self, decision: Decision[Any]) -> Any:
        """Keeps a decision, and holds it against what the kit and the readers of events rely on."""
        if decision is NOTHING:
            return None
        ids = [(type(state), state.id) for state in decision.saves]
        assert len(ids) == len(set(ids)), "a state is saved twice"
        for event in decision.events:
            assert event.subject in {id for _, id in ids}, "the state of the event's subject is not saved"
            fault = next(jsonschema_rs.validator_for(load(event.TYPE)).iter_errors(event.data()), None)
            assert fault is None, fault
        for state in decision.saves:
            if isinstance(state, Entry):
                assert (Entry, state.id) not in self.states, "an entry was changed"
                if state.type in ("pledged", "unpledged"):
                    assert state.id in {event.data().get("entry_id") for event in decision.events}, "a pledge is untold"
            self.states[type(state), state.id] = state
        for event in decision.events:
            if isinstance(event, FundPledged | FundUnpledged):
                self.pledges.append(event)
            else:
                self.published.append(event)
        return decision.state

    def all(self, kind: type) -> list[Any]:
        return [state for (of, _), state in sorted(self.states.items(), key=lambda item: item[0][1]) if of is kind]

    def funds(self, project_id: str) -> Funds:
        return self.states[Funds, project_id]

    def commitment(self, id: str) -> Commitment:
        return self.states[Commitment, id]

    def balances(self) -> dict[str, int]:
        """In CNY, of the accounts that hold something or lack it."""
        found = {account.id: account.balance("CNY") for account in self.all(Account)}
        return {id: balance for id, balance in found.items() if balance}

    def audit(self) -> list[Fault]:
        audit = Audit()
        for kind in (Entry, Account, Day, Funds, Commitment):
            for state in self.all(kind):
                audit.take(state)
        audit.finish(self.states.get((Ledger, "ledger"), Ledger()), Chain())
        return audit.faults
