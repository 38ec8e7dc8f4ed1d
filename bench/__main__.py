"""`python -m bench [--short | --full] [B2 B4 …]`: measures, prints, keeps, and puts the table into README.

Exit codes: 0 measured, whether the goals were reached or not; 1 a side failed, and the figures after it were
measured all the same; 2 wrong usage; 130 interrupted, and what was measured before is kept.
The short form shows within a minute that all of it works, and keeps nothing.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bench import (
    consumers,
    fieldwork,
    growth,
    imports,
    ledger,
    report,
    requests,
    round_in_worker,
    rounds,
    stream,
    whole,
)
from bench.figures import Figure
from bench.machine import machine, versions
from bench.measuring import LONG, SHORT, Bench, Size
from bench.servers import running


async def _traced(bench: Bench) -> Figure:
    """B9: tracing on against off."""
    archived, beside = await consumers.traced_archiving(bench)
    return Figure(no="B9", title="tracing on", goals=[await requests.traced_posting(bench), archived], beside=beside)


FIGURES: dict[str, Callable[[Bench], Awaitable[Figure]]] = {
    "B1": rounds.matching,
    "B2": consumers.archiving,
    "B3": consumers.effects,
    "B4": requests.posting,
    "B5": requests.latencies,
    "B6": stream.streaming,
    "B7": ledger.booking,
    "B8": growth.growing,
    "B9": _traced,
    "B10": whole.starting,
    "imports": imports.handing_in,
    "round": round_in_worker.beside_the_api,
    "pages": fieldwork.growing,
    "sync": fieldwork.syncing,
}
# Starting everything, filling a ledger, or waiting for a dead worker's lease is no matter of seconds.
_LEFT_OUT_OF_SHORT = {"B7", "B10", "round"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--short", action="store_true", help="a few of each, nothing is kept")
    length.add_argument("--full", action="store_true", help="eleven repeats instead of five")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"any of {', '.join(FIGURES)}; all by default")
    asked = parser.parse_args()
    if unknown := set(asked.figures) - FIGURES.keys():
        parser.error(f"there is no figure {', '.join(sorted(unknown))}")
    size = SHORT if asked.short else replace(LONG, repeats=11) if asked.full else LONG
    wanted = asked.figures or [no for no in FIGURES if not (asked.short and no in _LEFT_OUT_OF_SHORT)]
    failed = False
    for figure in wanted:
        try:
            measured = asyncio.run(_measure(figure, size))
        except KeyboardInterrupt:
            return 130
        except (RuntimeError, TimeoutError, OSError, subprocess.SubprocessError) as fault:
            print(f"bench: {figure}: {str(fault) or repr(fault)}", file=sys.stderr)
            failed = True
            continue
        print(report.sentence(measured), flush=True)
        if not asked.short:
            report.keep(measured, machine(), versions())
            report.publish()
    return 1 if failed else 0


async def _measure(no: str, size: Size) -> Figure:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{no} {time.monotonic() - began:4.0f} s  {text}", flush=True)

    # Each on servers that no other figure has worn.
    with running() as servers:
        return await FIGURES[no](Bench(servers=servers, size=size, say=say))


if __name__ == "__main__":
    sys.exit(main())
