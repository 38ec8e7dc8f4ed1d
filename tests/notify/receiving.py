"""Receivers on loopback: an HTTP server that answers as it is told, a mail server, and notify's post room."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import AsyncMessage

from services.kit.service import Context
from services.notify.main import service
from services.notify.settings import MailServer
from services.notify.streams.outgoing.send import Sender, send
from services.notify.streams.outgoing.tell import tell_next
from tests.conftest import free_ports
from tests.notify.conftest import Newsroom

Answer = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    """One post as it came."""

    headers: dict[str, str]
    body: bytes


def status(code: int, **headers: str) -> Answer:
    """Answers with this status and nothing else."""

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {code} X", "content-length: 0", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await writer.drain()

    return answer


@dataclass
class Receiver:
    """Answers each post by the next of `answers`, the last one for ever."""

    port: int
    answers: list[Answer] = field(default_factory=lambda: [status(204)])
    requests: list[Request] = field(default_factory=list)
    under_way: int = 0
    most_at_once: int = 0
    serving: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self.serving.add(task)
            task.add_done_callback(self.serving.discard)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                request = Request(headers, await reader.readexactly(int(headers["content-length"])))
                self.requests.append(request)
                self.under_way += 1
                self.most_at_once = max(self.most_at_once, self.under_way)
                try:
                    await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request, writer)
                finally:
                    self.under_way -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiver(*answers: Answer) -> AsyncIterator[Receiver]:
    made = Receiver(free_ports(1)[0])
    made.answers = list(answers) or made.answers
    server = await asyncio.start_server(made.serve, "127.0.0.1", made.port)
    try:
        yield made
    finally:
        server.close()
        for task in made.serving:
            task.cancel()
        await asyncio.gather(*made.serving, return_exceptions=True)


class Mailbox(AsyncMessage):
    """A mail server's memory. `refuse` answers each mail instead of taking it; it takes `wait_s` for each.

    `refuse_senders` answers whoever wants to send.
    """

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s
        self.mails: list[EmailMessage] = []
        self.tries: list[bytes] = []
        self.refuse: list[str] = []
        self.refuse_senders: list[str] = []
        self.server: MailServer

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.refuse_senders:
            return self.refuse_senders.pop(0)
        envelope.mail_from = address
        return "250 go on"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.tries.append(envelope.content)
        await asyncio.sleep(self.wait_s)
        if self.refuse:
            return self.refuse.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 taken"

    async def handle_message(self, message: Any) -> None:
        raise NotImplementedError


@asynccontextmanager
async def mailbox(wait_s: float = 0.0) -> AsyncIterator[Mailbox]:
    box = Mailbox(wait_s)
    (port,) = free_ports(1)
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.server = MailServer.of(f"smtp://127.0.0.1:{port}?from=notices@jiedui.example")
    try:
        yield box
    finally:
        controller.stop()


class PostRoom:
    """One worker's telling and sending, at a time of its own."""

    def __init__(self, newsroom: Newsroom, after: timedelta, **settings: Any) -> None:
        changed = newsroom.settings.model_copy(update={"clock_offset": after} | settings)
        self.context = Context.of(replace(service(), name=newsroom.name), changed, "worker")
        self.sender = Sender(self.context)

    async def tell(self) -> None:
        while await self.context.transact(tell_next, "telling"):
            pass

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The worker's own loop, as long as this lasts."""
        sending = asyncio.create_task(send(self.context))
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def work(self) -> int:
        """Tells what is new and sends what is due, until nothing is; answers how many tries were made."""
        await self.tell()
        tries = 0
        while begun := await self.sender.begin_due():
            tries += begun
            await self.sender.idle()
        return tries


@asynccontextmanager
async def post_room(newsroom: Newsroom, after: timedelta = timedelta(), **settings: Any) -> AsyncIterator[PostRoom]:
    room = PostRoom(newsroom, after, **settings)
    try:
        yield room
    finally:
        await room.sender.close()
        room.context.database.client.close()
