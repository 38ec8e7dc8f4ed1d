"""The two programs of a service: `python -m services.<name>.main api` and `… worker`."""

import gc
import os
import sys
from socket import socket
from types import FrameType
from typing import NoReturn

import uvicorn
from pydantic import ValidationError

from services.kit import crash, ending, logs, tracing
from services.kit.app import create_app
from services.kit.service import Context, Service
from services.kit.settings import Settings, explain
from services.kit.worker import run_worker

PROGRAMS = ("api", "worker")
_STOP_S = 8


def run(service: Service, settings_class: type[Settings]) -> None:
    """Reads the settings, starts logs and traces, runs what the command line names.

    Exit codes: 0 stopped, 1 failed, 2 wrong usage.
    """
    if len(sys.argv) != 2 or sys.argv[1] not in PROGRAMS:
        _stop(f"usage: python -m services.{service.name}.main {'|'.join(PROGRAMS)}", code=2)
    program = sys.argv[1]
    ending.at_a_signal()
    try:
        settings = settings_class()  # type: ignore[call-arg]
        crash.arm(f"{service.name}-{program}", settings.crash_at, settings.home)
        logs.start(f"{service.name}-{program}")
        tracing.start(f"{service.name}-{program}")
        settle()
        if program == "api":
            _run_api(service, settings)
        else:
            run_worker(service, settings)
    except ValidationError as error:
        _stop(explain(error))
    except (ValueError, OSError) as error:
        _stop(str(error))


class _Server(uvicorn.Server):
    """Tells the app that it stops; uvicorn by itself waits for streams that know nothing of it.

    Once it has ended it raises the signal again, and `ending.at_a_signal` takes it.
    """

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        ending.in_time()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._context.stopping.set()
        await super().shutdown(sockets)


def settle() -> None:
    """Spares the garbage collector what is there for ever, and what a batch holds until it is written.

    A batch of 2,000 events makes 60,000 objects and few cycles; collecting at every 700 of them took a
    fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _run_api(service: Service, settings: Settings) -> None:
    app = create_app(service, settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_STOP_S,
        server_header=False,
    )
    server = _Server(config, app.state.context)
    server.run()
    if not server.started:
        raise OSError(f"the API could not start on port {settings.port}")


def _stop(reason: str, code: int = 1) -> NoReturn:
    print(reason, file=sys.stderr, flush=True)  # noqa: T201
    # The health check's thread would keep the process alive.
    os._exit(code)
