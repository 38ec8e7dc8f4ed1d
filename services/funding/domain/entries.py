"""Entries: what was booked, and the digest by which each is known again.

The digest is SHA-256 over the entry's canonical form: the JSON of RFC 8785 (no white space, names
in alphabetical order, UTF-8) of all its fields but the digest itself, written as `GET /entries/{id}`
shows them. Seals are made of digests (`seals.py`), so that what a seal stands for can be computed
by hand from what the API answers.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from schemas.money import to_amount

EntryType = Literal[
    "pledged", "unpledged", "reserved", "tranche_released", "spent", "returned", "transferred", "reversed"
]
# IATI's transaction types: outgoing pledge, outgoing commitment, disbursement, expenditure.
# What undoes another entry has its type, as IATI shows it by a negative value.
IATI_TYPES: Mapping[EntryType, int] = {
    "pledged": 12,
    "unpledged": 12,
    "reserved": 2,
    "returned": 2,
    "tranche_released": 3,
    "transferred": 3,
    "spent": 4,
}


@dataclass(frozen=True, kw_only=True)
class Posting:
    account_id: str
    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A booking. `partner_ids` are the partners whose money it moves; `reverses` is the entry that it undoes."""

    id: str
    no: int
    type: EntryType
    iati_type: int
    booked_on: date
    recorded_at: datetime
    postings: tuple[Posting, ...]
    commitment_id: str
    partner_ids: tuple[str, ...]
    project_id: str | None = None
    milestone_no: int | None = None
    payee: str | None = None
    reference: str | None = None
    reverses: str | None = None
    reason: str | None = None
    digest: str = ""

    @property
    def version(self) -> int:
        """An entry never changes."""
        return 1

    @property
    def amount(self) -> int:
        return sum(posting.amount for posting in self.postings if posting.amount > 0)

    @property
    def currency(self) -> str:
        return self.postings[0].currency


def entry_id(no: int) -> str:
    """Twelve digits, so that ids are in the order of the numbers."""
    return f"{no:012d}"


def canonical(entry: Entry) -> bytes:
    """The bytes that its digest is of."""
    at = entry.recorded_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = {
        "booked_on": entry.booked_on.isoformat(),
        "commitment_id": entry.commitment_id,
        "iati_type": entry.iati_type,
        "id": entry.id,
        "milestone_no": entry.milestone_no,
        "no": entry.no,
        "partner_ids": entry.partner_ids,
        "payee": entry.payee,
        "postings": [
            {
                "account_id": posting.account_id,
                "amount": to_amount(posting.amount, posting.currency),
                "currency": posting.currency,
            }
            for posting in entry.postings
        ],
        "project_id": entry.project_id,
        "reason": entry.reason,
        "recorded_at": at,
        "reference": entry.reference,
        "reverses": entry.reverses,
        "type": entry.type,
    }
    return _encode(shown).encode()


def digest_of(entry: Entry) -> str:
    """In hexadecimal."""
    return hashlib.sha256(canonical(entry)).hexdigest()


# All values are texts, whole numbers or null, for which this is the form of RFC 8785.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
