"""`make run`: Kafka, MongoDB, Zipkin and the eight programs on this machine, the example programme, and the feed.

    checks → Kafka and MongoDB → topics → programs and Zipkin → example (until it was finished once)
           → ready: what there is → the feed, until Ctrl-C

Whatever ends it, nothing stays behind: children are asked to end, killed when they do not, and killed by the
system should this process itself be killed.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from functools import partial

import httpx
from aiokafka.errors import KafkaError

from deploy import checks, feed, kafka, mongod, summary
from deploy.access import Tokens
from deploy.detach import detached, end_with_make
from deploy.display import Display
from deploy.example.load import LoadFailed, load
from deploy.home import Home, State
from deploy.programs import Infrastructure, listening, programs, servers
from deploy.settings import Settings
from deploy.supervisor import Failed, Supervisor


def up(settings: Settings) -> int:
    """Run all until a signal or a failure; detached, return when ready. Gives the exit code."""
    if settings.detach:
        return detached(partial(_run, settings), Home(settings.home).log / "runner.log")
    end_with_make()
    return _run(settings, at_ready=lambda: None)


def _run(settings: Settings, at_ready: Callable[[], None]) -> int:
    home = Home(settings.home)
    try:
        lock = home.lock("runner")
        if lock is None:
            raise checks.Unready(f"it runs already (process {home.pid('runner')}): make stop ends it")
        with lock:
            infrastructure = Infrastructure.of(settings)
            _check(settings, infrastructure)
            home.enter()
            try:
                asyncio.run(_until_stopped(settings, home, infrastructure, at_ready))
            finally:
                home.leave()
    except (checks.Unready, Failed, LoadFailed) as fault:
        return _told(str(fault))
    except OSError as fault:
        return _told(f"{fault.filename or settings.home}: {fault.strerror}")
    return 0


def _told(reason: str) -> int:
    print(f"jiedui: {reason}", file=sys.stderr, flush=True)
    return 1


def _check(settings: Settings, infrastructure: Infrastructure) -> None:
    if settings.env == "production":
        raise checks.Unready(
            "JIEDUI_ENV=production: this runs a programme with tokens of its own making, on one machine"
        )
    checks.java()
    if infrastructure.mongodb_port is not None and mongod.binary() is None:
        raise checks.Unready(mongod.NO_BINARY)
    checks.disk(settings.home, settings.min_free_mb)
    checks.ports(listening(settings, infrastructure))


async def _until_stopped(
    settings: Settings, home: Home, infrastructure: Infrastructure, at_ready: Callable[[], None]
) -> None:
    supervisor = Supervisor(home.log, home.run)
    run = Run(settings, home, infrastructure, supervisor)
    work = asyncio.create_task(run(at_ready))

    def stop() -> None:
        if not work.cancelling():
            work.cancel()
        else:  # asked a second time: no more patience
            supervisor.kill()

    loop = asyncio.get_running_loop()
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(asked, stop)
    try:
        await work
    except asyncio.CancelledError:
        if not run.ready:
            raise Failed("stopped before all was ready") from None
    finally:
        await supervisor.stop()


class Run:
    """From nothing to ready, and on until cancelled. Raises Failed or LoadFailed."""

    def __init__(self, settings: Settings, home: Home, infrastructure: Infrastructure, supervisor: Supervisor) -> None:
        self._settings = settings
        self._home = home
        self._infrastructure = infrastructure
        self._supervisor = supervisor
        self.ready = False

    async def __call__(self, at_ready: Callable[[], None]) -> None:
        settings = self._settings
        tokens = Tokens(settings)
        with Display() as display:
            await self._start(display)
            # Another issuer's tokens are not ours to make, so what needs one is left to its users.
            programme = None if settings.oidc_issuer else await self._programme(tokens, display)
        self._supervisor.settle()
        self.ready = True
        print("\n".join(summary.lines(programme, settings, self._infrastructure, tokens)), flush=True)
        at_ready()
        if programme is None or settings.detach:
            await self._supervisor.guard(asyncio.Event().wait())
        else:
            await self._supervisor.guard(feed.follow(settings.notify_port, tokens, after=programme.position))

    async def _programme(self, tokens: Tokens, display: Display) -> summary.Programme:
        if not self._home.example_is_loaded():
            addresses = {service: f"http://127.0.0.1:{port}" for service, port in self._settings.api_ports.items()}
            await self._supervisor.guard(load(addresses, tokens, display))
            self._home.mark_example_loaded()
        try:
            return await self._supervisor.guard(summary.read(self._settings, tokens))
        except httpx.HTTPError as fault:
            raise Failed(f"the programme cannot be read: {fault}") from fault

    async def _start(self, display: Display) -> None:
        settings, infrastructure = self._settings, self._infrastructure
        try:
            first = await asyncio.to_thread(servers, self._home, settings, infrastructure)
        except RuntimeError as fault:
            raise Failed(str(fault)) from fault
        then = programs(settings, infrastructure)
        self._home.write_state(
            State(
                kafka_bootstrap=infrastructure.kafka_bootstrap,
                mongodb_uri=infrastructure.mongodb_uri,
                ports={child.name: list(child.ports) for child in (*first, *then)},
            )
        )
        await self._supervisor.start(first, lambda done, total: display("servers", done, total))
        await self._supervisor.guard(_topics(infrastructure.kafka_bootstrap))
        await self._supervisor.start(then, lambda done, total: display("programs", done, total))


async def _topics(bootstrap: str) -> None:
    try:
        await kafka.create_topics(bootstrap)
    except (KafkaError, RuntimeError) as fault:
        raise Failed(f"topics cannot be created on Kafka at {bootstrap}: {fault}") from fault
