"""The command `jiedui`. Exit codes: 0 good, 1 failed, 2 wrong usage, 3 `verify` found something."""

import asyncio
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from pydantic import ValidationError

from deploy.settings import Settings
from services.kit.settings import explain

# Commands import what they need themselves: `token` stands in scripts and must not wait for OR-tools.

ServiceName = Literal["pairing", "projects", "funding", "notify"]


class Role(StrEnum):
    PARTNER = "partner"
    OFFICER = "officer"
    COORDINATOR = "coordinator"
    MONITOR = "monitor"
    BOOKKEEPER = "bookkeeper"


app = typer.Typer(
    name="jiedui",
    help="jiedui on one machine. Exit codes: 0 good, 1 failed, 2 wrong usage, 3 verify found something.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _fail(reason: object, code: int = 1) -> NoReturn:
    print(f"jiedui: {reason}", file=sys.stderr)
    raise typer.Exit(code)


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        _fail(explain(error))


@app.command()
def up() -> None:
    """What make run does: start all, load the example programme the first time, follow the feed until Ctrl-C.

    JIEDUI_DETACH=1 returns when all is ready and leaves it running; jiedui stop ends it.
    """
    from deploy.local import up

    raise typer.Exit(up(_settings()))


@app.command()
def stop() -> None:
    """End what runs under JIEDUI_HOME, and wait until it has ended."""
    from deploy.stopping import stop

    print(stop(_settings().home))


@app.command()
def clean() -> None:
    """Remove the data, logs and run files under JIEDUI_HOME. Refused while it runs."""
    from deploy.home import Home

    home = Home(_settings().home)
    if home.in_use():
        _fail("it still runs: make stop first")
    home.remove_data()


@app.command()
def token(
    role: Annotated[list[Role], typer.Option(metavar="ROLE", help=f"{', '.join(Role)}; several may be given.")],
    sub: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who it is; the first role's name if left out.")
    ] = None,
    county: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="County of an officer; several may be given.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option(metavar="ID", help="Id of the partner that a partner acts for.")
    ] = None,
) -> None:
    """Print a bearer token of the local issuer, good for 24 hours. Nothing needs to run.

    Refused with JIEDUI_ENV=production, where tokens come from JIEDUI_OIDC_ISSUER.
    """
    from deploy.access import Tokens

    settings = _settings()
    if settings.env == "production":
        _fail("JIEDUI_ENV=production: there is no local issuer; tokens come from JIEDUI_OIDC_ISSUER")
    print(Tokens(settings)(*role, sub=sub, counties=county or (), partner=partner))


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Show what runs under JIEDUI_HOME: each process, its ports, whether it is ready. Exit code 1 if nothing runs."""
    from deploy.status import read

    found = read(_settings().home)
    if as_json:
        print(json.dumps(found))
    else:
        for child in found["children"]:
            health = "ready" if child["ready"] else "not ready"
            print(f"{child['name']:<16} {child['pid'] or '-':>8}  {health:<10}", *child["ports"])
    if not found["children"]:
        _fail("nothing runs here: make run starts it")


@app.command()
def worker(service: ServiceName) -> None:
    """Run one more worker of SERVICE, beside those there are, until Ctrl-C."""
    from deploy.more import run_worker

    run_worker(service, _settings(), fail=_fail)


@app.command()
def solve(file: Annotated[Path, typer.Argument(help="A snapshot, as GET /rounds/{id}/snapshot gives it.")]) -> None:
    """Match a snapshot and print the pairs as canonical JSON (RFC 8785). Uses no database and no clock."""
    import rfc8785

    from services.pairing.domain import matching

    try:
        snapshot = json.loads(file.read_bytes())
        answer = matching.solve(snapshot)
    except OSError as fault:
        _fail(f"{file}: {fault.strerror}", 2)
    except (ValueError, RecursionError) as fault:
        _fail(f"{file}: {fault}")
    print(rfc8785.dumps(answer).decode())


@app.command()
def verify() -> None:
    """Check that databases and topics fit together; list what does not and end with 3. Works beside what runs."""
    from aiokafka.errors import KafkaError
    from pymongo.errors import PyMongoError

    from deploy.home import Home
    from deploy.verify import verify as faults_of
    from services.kit.clock import Clock

    settings = _settings()
    state = Home(settings.home).state()
    uri = state.mongodb_uri if state else settings.mongodb_uri
    bootstrap = state.kafka_bootstrap if state else settings.kafka_bootstrap
    if uri is None or bootstrap is None:
        _fail("nothing runs here: make run first, or set JIEDUI_MONGODB_URI and JIEDUI_KAFKA_BOOTSTRAP")
    try:
        faults = faults_of(uri, bootstrap, Clock(settings.clock_offset).now())
    except PyMongoError as fault:
        _fail(f"the databases cannot be read: {fault}")
    except KafkaError as fault:
        _fail(f"the topics cannot be read: {fault}")
    for found in faults:
        print(found)
    if faults:
        raise typer.Exit(3)
    print("all fits together")


@app.command()
def trace(event_id: Annotated[str, typer.Argument(metavar="EVENT_ID", help="Of an event in the archive.")]) -> None:
    """Show the way of an event from its command through all programs: service, span, duration, time in the queue."""
    from pymongo.errors import PyMongoError

    from deploy.home import Home
    from deploy.trace import Untraced
    from deploy.trace import trace as trace_of

    settings = _settings()
    state = Home(settings.home).state()
    if state is None:
        _fail("nothing runs here: make run starts it")
    try:
        for line in trace_of(event_id, state.mongodb_uri, state.ports["zipkin"][0]):
            print(line)
    except Untraced as fault:
        _fail(fault)
    except PyMongoError as fault:
        _fail(f"the archive cannot be read: {fault}")


@app.command()
def rebuild(service: Annotated[Literal["notify"], typer.Argument(help="Only notify has read models.")]) -> None:
    """Drop the read models of SERVICE and fold them again from the archive, beside what runs. Tells nobody again."""
    from pymongo.errors import PyMongoError

    from deploy.home import Home
    from deploy.rebuild import rebuild_notify

    settings = _settings()
    state = Home(settings.home).state()
    uri = state.mongodb_uri if state else settings.mongodb_uri
    if uri is None:
        _fail("nothing runs here: make run first, or set JIEDUI_MONGODB_URI")
    try:
        done = asyncio.run(rebuild_notify(uri, settings.home))
    except PyMongoError as fault:
        _fail(f"the database cannot be reached: {fault}")
    print(f"{done.events} events folded again; nobody was told: {done.suppressed} deliveries suppressed")


@app.command()
def load(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Laid out as deploy/example is.")],
) -> None:
    """Load a programme through the public API of what runs, run a round and approve it. Loads nothing twice."""
    from deploy.access import Tokens
    from deploy.display import Display
    from deploy.example.load import LoadFailed
    from deploy.example.load import load as load_programme

    settings = _settings()
    addresses = {service: f"http://127.0.0.1:{port}" for service, port in settings.api_ports.items()}
    try:
        with Display() as display:
            summary = asyncio.run(load_programme(addresses, Tokens(settings), display, directory))
    except LoadFailed as fault:
        _fail(fault)
    created = ", ".join(f"{count} {name}" for name, count in summary.created.items())
    print(f"loaded now: {created}; pairings that stand: {summary.approved}")
    for refusal in summary.refused:
        print(f"not approved: {refusal}")


if __name__ == "__main__":
    app()
