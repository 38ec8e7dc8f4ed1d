"""Seals: what has been booked cannot be changed without its showing.

A seal is SHA-256 over the last seal and the digests (`entries.py`) of all entries booked since, in
the order of their numbers: each as 64 hexadecimal digits with a line feed behind it. The first
follows on `FIRST`. Each seal is published, so it stands in the archive too, which is another
service's: who changes an entry and makes all seals anew still cannot change those.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.funding import LedgerSealed
from services.funding.domain.entries import Entry, entry_id
from services.kit.decision import Decision

FIRST = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Seal:
    """Seal number `no` is of `entries` entries, the last of which has the number `until_no`.

    Its id is the last entry's, so that in the order of ids a seal stands where it was set.
    """

    id: str
    no: int
    previous: str
    seal: str
    entries: int
    until_no: int


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The end of the chain of seals. Apart from the ledger's own state, so that sealing makes nobody wait who books."""

    id: str = "ledger"
    no: int = 0
    until_no: int = 0
    seal: str = FIRST


class Hasher:
    """Takes digests one by one."""

    def __init__(self, previous: str) -> None:
        self._hash = hashlib.sha256(f"{previous}\n".encode())

    def take(self, digest: str) -> None:
        self._hash.update(f"{digest}\n".encode())

    @property
    def seal(self) -> str:
        return self._hash.hexdigest()


def seal_entries(chain: Chain, since: Sequence[Entry]) -> Decision[Chain | None]:
    """Seals the entries that were booked since the last seal; nothing where there are none."""
    if not since:
        return Decision(None)
    hasher = Hasher(chain.seal)
    for entry in since:
        hasher.take(entry.digest)
    until_no = since[-1].no
    seal = Seal(
        id=entry_id(until_no),
        no=chain.no + 1,
        previous=chain.seal,
        seal=hasher.seal,
        entries=len(since),
        until_no=until_no,
    )
    sealed = Chain(no=seal.no, until_no=until_no, seal=seal.seal)
    return Decision(sealed, (sealed, seal), (LedgerSealed(seal=seal.seal, entries=seal.entries, until_no=until_no),))
