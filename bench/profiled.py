"""`python -m bench.profiled FILE MODULE …`: as cProfile's own `-o FILE -m MODULE`, also for what ends by `os._exit`."""

import cProfile
import os
import runpy
import sys
from typing import NoReturn

_exit = os._exit


def main(file: str, module: str) -> None:
    profiler = cProfile.Profile()

    def keep_and_exit(code: int) -> NoReturn:
        profiler.disable()
        profiler.dump_stats(file)
        _exit(code)

    os._exit = keep_and_exit  # type: ignore[assignment]
    sys.argv = sys.argv[2:]
    profiler.enable()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        keep_and_exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
