"""The heavy work of a round, in a process of its own: it takes minutes of computing and a gigabyte.

The child reads what it needs from the database, writes nothing there, and answers over a pipe; it can
be killed at any time. When its parent dies its input ends, and it ends too.
"""

import asyncio
import os
import pickle
import struct
import sys
import threading
import time
import zlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import orjson

from services.kit import mongo
from services.kit.rows import Cause
from services.kit.service import Context
from services.pairing.domain import Level, Planned, Result, Round
from services.pairing.domain.explanation import Different, Explanation, SmallestChange, UnservedNeed
from services.pairing.store import Tx

_LENGTH = struct.Struct(">Q")
# A document has 16 MiB at most; compressed, a part is far below that.
_PART_BYTES = 8 * 1024 * 1024
# So many questions are answered at once, within seconds; of a bigger round each is answered when it is asked.
_FEW = 1000
# The service's own loops, and other programs on the machine, come first.
_NICE = 19


@dataclass(frozen=True, kw_only=True)
class Job:
    """A round to be solved, or questions about one that is completed: pairs (commitment, county), needs by key."""

    uri: str
    database: str
    round_id: str
    as_of: date
    seed: int
    previous: str | None
    is_frozen: bool
    pairs: Sequence[tuple[str, str]] = ()
    needs: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, ctx: Context, round: Round, **questions: Sequence[tuple[str, str]]) -> "Job":
        return cls(
            uri=ctx.settings.mongodb_uri,
            database=ctx.database.name,
            round_id=round.id,
            as_of=round.as_of,
            seed=round.seed,
            previous=round.previous,
            is_frozen=round.snapshot_sha256 is not None,
            **questions,
        )

    @property
    def is_question(self) -> bool:
        return bool(self.pairs or self.needs)


@dataclass(frozen=True)
class Progress:
    """From 0 to 1, of the solving alone."""

    part: float


@dataclass(frozen=True)
class SnapshotPart:
    no: int
    content: bytes


@dataclass(frozen=True)
class Frozen:
    sha256: str


@dataclass(frozen=True)
class Misfit:
    """The pins cannot hold."""

    detail: str


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """What a detailed unserved need has besides."""

    change: SmallestChange
    levels: tuple[Any, ...]
    steps: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Solved:
    result: Result
    plan: Sequence[Planned]
    certificate: bytes
    difference: Sequence[Different]
    unserved: Sequence[UnservedNeed]
    explanations: Sequence[Explanation]
    shortfalls: dict[str, Shortfall]


@dataclass(frozen=True, kw_only=True)
class Answered:
    explanations: Sequence[Explanation]
    shortfalls: dict[str, Shortfall]


Message = Progress | SnapshotPart | Frozen | Misfit | Solved | Answered
Send = Callable[[Message], None]
Solver = Callable[[Job], AsyncGenerator[Message, None]]


async def in_a_process(job: Job) -> AsyncGenerator[Message, None]:
    """The messages of `work_on`, from a child. Whoever stops listening ends it.

    Raises:
        RuntimeError: it ended without an answer; its log says why.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import os; os.nice({_NICE}); from services.pairing.streams.solving import main; main()",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin, child.stdout
    try:
        child.stdin.write(_framed(job))
        await child.stdin.drain()
        while True:
            (length,) = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))  # type: ignore[union-attr]
            message: Message = pickle.loads(await child.stdout.readexactly(length))  # type: ignore[union-attr]
            yield message
            if isinstance(message, Misfit | Solved | Answered):
                return
    except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError) as error:
        raise RuntimeError(f"the solving process ended with {await child.wait()}") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def main() -> None:
    """The child: one job from standard input, messages to standard output."""
    (length,) = _LENGTH.unpack(sys.stdin.buffer.read(_LENGTH.size))
    job: Job = pickle.loads(sys.stdin.buffer.read(length))
    threading.Thread(target=_end_with_the_parent, daemon=True).start()

    def send(message: Message) -> None:
        sys.stdout.buffer.write(_framed(message))
        sys.stdout.buffer.flush()

    work_on(job, send)


def work_on(job: Job, send: Send) -> None:
    """Freezes, solves and explains a round; or answers questions about one. Sends what it finds on the way."""
    # Here and not at the top, so that the programs that only start this do not carry OR-tools.
    from services.pairing.domain.certificate import Certificate, chosen_of
    from services.pairing.domain.frozen import Frozen as FrozenSnapshot
    from services.pairing.domain.matching import PinsDoNotFit, answer_of, match
    from services.pairing.domain.network import build, objective
    from services.pairing.domain.reasons import Reasons
    from services.pairing.domain.residual import Residual
    from services.pairing.domain.snapshot import read_snapshot

    try:
        content = b"" if job.is_frozen else asyncio.run(_reading(job, _freeze))
        if content:
            for no, at in enumerate(range(0, len(content), _PART_BYTES)):
                send(SnapshotPart(no, zlib.compress(content[at : at + _PART_BYTES], 1)))
            send(Frozen(sha256(content).hexdigest()))
        else:
            content = asyncio.run(_reading(job, lambda tx, job: tx.content_of(job.round_id, "snapshot")))
        snapshot = orjson.loads(content)
        began = time.perf_counter()
        model = build(read_snapshot(snapshot))
        frozen = FrozenSnapshot(snapshot)
        # The text and the pairs of a big one are gigabytes, which nobody needs any more.
        del content, snapshot
        if job.is_question:
            chosen, certificate = asyncio.run(_reading(job, _kept))
            mask = chosen_of(model.instance, chosen)
            proof = Certificate.from_bytes(certificate, len(model.network.supply))
        else:
            found = match(model, lambda part: send(Progress(part)))
            mask, proof = found.chosen, found.certificate
    except PinsDoNotFit as misfit:
        send(Misfit(str(misfit)))
        return
    solve_ms = round((time.perf_counter() - began) * 1000, 3)
    values = objective(model.instance, mask)
    reasons = Reasons(job.round_id, frozen, Residual(model, mask, proof), list(values.values()))
    if job.is_question:
        send(
            Answered(
                explanations=[reasons.explain(*pair) for pair in job.pairs],
                shortfalls=dict(_shortfall(reasons, job.round_id, *need) for need in job.needs),
            )
        )
        return
    pairs = answer_of(model, mask)["pairs"]
    unserved = list(reasons.unserved())
    is_small = len(pairs) + len(unserved) <= _FEW
    some = [(need.county_code, need.category) for need in unserved if need.reason != "not-eligible"] if is_small else []
    send(
        Solved(
            result=Result(
                pairings=len(pairs),
                counties_reached=values["counties"],
                needs_served=values["needs"],
                needs_unserved=len(unserved),
                objective=tuple(Level(level=name, value=value) for name, value in values.items()),  # type: ignore[arg-type]
                solve_ms=solve_ms,
            ),
            plan=[
                Planned(commitment_id=id, county_code=code, terms_version=frozen.commitments[id]["version"])
                for id, code in pairs
            ],
            certificate=proof.to_bytes(),
            difference=list(reasons.difference(levels=is_small)),
            unserved=unserved,
            explanations=[reasons.explain(*pair) for pair in pairs] if is_small else [],
            shortfalls=dict(_shortfall(reasons, job.round_id, *need) for need in some),
        )
    )


def _shortfall(reasons: Any, round_id: str, county: str, category: str) -> tuple[str, Shortfall]:
    change, served = reasons.shortfall(county, category)
    detail = Shortfall(change=change, levels=reasons.levels_if_served(served), steps=reasons.steps_of(served))
    return UnservedNeed.key(round_id, county, category), detail


async def _reading(job: Job, work: Callable[[Tx, Job], Any]) -> Any:
    """All reads as of one moment."""
    client = mongo.connect(job.uri)
    try:
        async with await client.start_session(snapshot=True) as session:
            tx = Tx(client[job.database], Cause("pairing", "rounds", "", ""), datetime.now(UTC), session)
            return await work(tx, job)
    finally:
        client.close()


async def _freeze(tx: Tx, job: Job) -> bytes:
    """The snapshot as RFC 8785 writes it: its keys are ASCII, its numbers whole or thousandths."""
    from services.pairing.domain.freezing import freeze

    rules = await tx.rules_that_hold()
    kept = {(pair.commitment_id, pair.county_code) for pair in (await tx.plan_of(job.previous) if job.previous else ())}
    named = {rule.commitment_id for rule in rules if rule.commitment_id} | {id for id, _ in kept}
    snapshot = freeze(
        await tx.commitments_for_round(sorted(named)),
        await tx.counties_with_cards(job.as_of),
        rules,
        kept=kept,
        as_of=job.as_of,
        seed=job.seed,
    )
    return orjson.dumps(snapshot, option=orjson.OPT_SORT_KEYS)


async def _kept(tx: Tx, job: Job) -> tuple[list[tuple[str, str]], bytes]:
    plan = await tx.plan_of(job.round_id)
    parts = await tx.parts_of(job.round_id, "certificate")
    return [(pair.commitment_id, pair.county_code) for pair in plan], b"".join(part.content for part in parts)


def _framed(thing: Any) -> bytes:
    content = pickle.dumps(thing)
    return _LENGTH.pack(len(content)) + content


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
