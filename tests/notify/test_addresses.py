"""No request goes to where it should not: not by an address, not by a name, not by a name that changes its mind."""

import asyncio
import socket
import threading
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from services.notify.streams.outgoing.addresses import AddressRefused, allowed, parse, place, resolve
from services.notify.streams.outgoing.webhook import Webhooks
from tests.notify.receiving import receiver, status

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "198.18.0.1",
    ],
)  # fmt: skip
def test_private_and_local_addresses_are_refused(address: str) -> None:
    assert not allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::808:808"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert allowed(ip_address(address), ())


def test_a_network_that_the_operator_allows_is_allowed_and_no_other() -> None:
    assert allowed(ip_address("127.0.0.9"), LOOPBACK)
    assert not allowed(ip_address("::1"), LOOPBACK)
    assert not allowed(ip_address("10.0.0.1"), LOOPBACK)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]"])
async def test_however_loopback_is_spelled_nothing_is_sent_there(host: str) -> None:
    async with receiver() as hook:
        outcome = await Webhooks(()).post(f"http://{host}:{hook.port}/", {}, b"{}")
        assert outcome.status == "failed"
        assert hook.requests == []
        assert hook.serving == set()


async def test_a_name_that_answers_differently_the_second_time_is_looked_up_once_and_its_address_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def changing(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        address = "10.0.0.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async with receiver() as hook:
        monkeypatch.setattr(socket, "getaddrinfo", changing)
        outcome = await Webhooks(()).post(f"http://rebinding.example:{hook.port}/", {}, b"{}")
        assert "private or local" in (outcome.detail or "")
        assert hook.requests == []
    assert asked == ["rebinding.example"]


async def test_of_a_hosts_addresses_only_the_allowed_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port)) for at in ("10.0.0.1", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert await resolve("two.example", 80, LOOPBACK) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        await resolve("two.example", 80, ())


async def test_a_name_whose_look_up_hangs_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    real, over = socket.getaddrinfo, threading.Event()

    def hanging(host: str, *more: Any, **named: Any) -> list[Any]:
        if host == "hangs.example":
            over.wait(60)
        return real("127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    waiting = [asyncio.create_task(resolve("hangs.example", 80, LOOPBACK)) for _ in range(64)]
    try:
        # As a task, so that all of them have begun before it.
        assert await asyncio.create_task(resolve("answers.example", 80, LOOPBACK)) == ["127.0.0.1"]
        assert not any(task.done() for task in waiting)
    finally:
        over.set()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_redirect_is_not_followed() -> None:
    async with receiver() as inner, receiver(status(302, location=inner.url)) as outer:
        outcome = await Webhooks(LOOPBACK).post(outer.url, {}, b"{}")
        assert (outcome.status, outcome.code) == ("failed", 302)
        assert inner.requests == []


@pytest.mark.parametrize(
    "url", ["", "example.org", "//example.org/", "http://", "mailto:a@b.org", "http://a b/", "http://a:99999/",
            "http://a/#x", "http://u@a/", "javascript:alert(1)", "http://a:0/", "http://a\n/", "file:///etc/passwd", "http://[fe80::1%25eth0]/",
            "https://例子.中国/", "https://example.org/路径"],
)  # fmt: skip
def test_what_is_no_url_for_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(url)


def test_one_host_and_port_is_one_receiver() -> None:
    assert place("https://EXAMPLE.org/a") == place("https://example.org:443/b?c") == "example.org:443"
