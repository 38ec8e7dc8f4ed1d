"""Commands that come at once, decided one after another in one unit of work.

A transaction costs the database and us much the same whether it holds one command or thirty. So while
`SLOTS` units are under way, further commands wait, and what waits is taken together, as a batch of
events is (`batch.py`): each is decided on the states that those before it leave, a refused one leaves
nothing, and where the whole cannot be written each is taken alone. A command that comes alone waits
for nobody.

For commands that read and write by their unit only, and do nothing in it that takes long: the others
wait for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.kit import mongo
from services.kit.decision import Refused
from services.kit.rows import Cause
from services.kit.transact import Transactor, Tx

log = logging.getLogger(__name__)

T = TypeVar("T")

SLOTS = 2
MOST = 64


@dataclass(eq=False)
class _Waiting:
    cause: Cause
    work: Callable[[Tx], Awaitable[Any]]
    locks: Sequence[str]
    answer: "asyncio.Future[Any]"
    # Of the request: the span that is open there is the command's.
    context: Context = field(default_factory=copy_context)

    def end(self, outcome: Any) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Group:
    """Runs units as `Transactor.unit` does, several in one where many come."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor
        self._waiting: list[_Waiting] = []
        self._running: set[asyncio.Task[None]] = set()

    async def unit(self, cause: Cause, work: Callable[[Tx], Awaitable[T]], *, locks: Sequence[str] = ()) -> T:
        """What `work` answers, once it is written; raises what `work` or the database raises."""
        waiting = _Waiting(cause, work, locks, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._running) < SLOTS:
            task = asyncio.create_task(self._run())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        answer: T = await waiting.answer
        return answer

    async def _run(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            if len(some) == 1 or not await self._together(some):
                await asyncio.gather(*(self._alone(one) for one in some))

    async def _alone(self, one: _Waiting) -> None:
        try:
            one.end(await self._transactor.unit(one.cause, lambda tx: _in_context(one, tx), locks=one.locks))
        except Exception as error:
            one.end(error)

    async def _together(self, some: Sequence[_Waiting]) -> bool:
        """Whether it went through, or never will."""

        async def work(tx: Tx) -> list[Any]:
            return [await _outcome(one, tx) for one in some]

        locks = {name for one in some for name in one.locks}
        try:
            outcomes = await self._transactor.unit(some[0].cause, work, locks=sorted(locks))
        except Exception as error:
            if not mongo.is_infrastructure(error) or mongo.is_contention(error):
                log.info("commands are taken one by one", extra={"error": repr(error), "size": len(some)})
                return False
            outcomes = [error] * len(some)
        for one, outcome in zip(some, outcomes, strict=True):
            one.end(outcome)
        return True


async def _outcome(one: _Waiting, tx: Tx) -> Any:
    tx.caused_by(one.cause)
    try:
        return await _in_context(one, tx)
    except Refused as refused:
        return refused


async def _in_context(one: _Waiting, tx: Tx) -> Any:
    async def run() -> Any:
        return await one.work(tx)

    return await asyncio.create_task(run(), context=one.context)
