"""`jiedui worker`: one more worker of a service, in a slot of its own."""

import os
from collections.abc import Callable
from itertools import count
from typing import NoReturn

from deploy.checks import free_from
from deploy.home import Home
from deploy.programs import environment, program
from deploy.settings import Settings


def run_worker(service: str, settings: Settings, *, fail: Callable[[str], NoReturn]) -> NoReturn:
    """Become a worker of `service`. Its slot is the smallest one free, and free again when it ends, however it ends;
    slot 0 is the worker of `make run`."""
    home = Home(settings.home)
    state = home.state()
    bootstrap = state.kafka_bootstrap if state else settings.kafka_bootstrap
    uri = state.mongodb_uri if state else settings.mongodb_uri
    if bootstrap is None or uri is None:
        fail("nothing runs here: make run first, or set JIEDUI_KAFKA_BOOTSTRAP and JIEDUI_MONGODB_URI")
    slot = _free_slot(home, service)
    port = free_from(settings.worker_ports[service] + 10 * slot)
    print(f"one more worker of {service}, slot {slot}: http://127.0.0.1:{port}/readyz", flush=True)
    zipkin_port = state.ports["zipkin"][0] if state else settings.zipkin_port
    env = {
        **environment(settings, kafka_bootstrap=bootstrap, mongodb_uri=uri, zipkin_port=zipkin_port),
        "JIEDUI_WORKER_SLOT": str(slot),
        f"JIEDUI_{service.upper()}_WORKER_PORT": str(port),
    }
    command = program(service, "worker")
    os.execvpe(command[0], command, env)


def _free_slot(home: Home, service: str) -> int:
    for slot in count(1):
        if lock := home.lock(f"{service}-worker-{slot}"):
            # The worker that this process becomes keeps the copy open, and so the lock.
            os.set_inheritable(os.dup(lock.fileno()), True)
            lock.close()
            return slot
    raise AssertionError("there is always one more")
