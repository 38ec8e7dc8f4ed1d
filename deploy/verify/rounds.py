"""Each completed round is what it says: its snapshot, its pairs, its proof."""

import json
import zlib
from collections.abc import Iterator
from hashlib import sha256

from deploy.verify.cut import Cut
from services.pairing.domain.certificate import Certificate, faults_of
from services.pairing.domain.network import build
from services.pairing.domain.snapshot import read_snapshot


def rounds_are_proved_best(cut: Cut) -> Iterator[str]:
    """By the certificates that are stored with them; nothing is solved again."""
    for round in cut.find("pairing", "rounds", {"status": "completed"}, "_id", "snapshot_sha256", "result"):
        try:
            faults = list(_faults(cut, round["_id"], round["snapshot_sha256"], round["result"]))
        except (ValueError, KeyError, zlib.error) as error:
            faults = [f"what is kept of it cannot be read: {type(error).__name__}: {error}"]
        for fault in faults:
            yield f"pairing: round {round['_id']}: {fault}"


def _faults(cut: Cut, id: str, digest: str, result: dict[str, list[dict[str, int]]]) -> Iterator[str]:
    content = b"".join(zlib.decompress(part) for part in _parts(cut, id, "snapshot"))
    if sha256(content).hexdigest() != digest:
        yield "its snapshot is not the one whose SHA-256 it names"
        return
    model = build(read_snapshot(json.loads(content)))
    plan = json.loads(b"".join(zlib.decompress(part) for part in _parts(cut, id, "pairs")))
    stated = [(str(one["level"]), one["value"]) for one in result["objective"]]
    proof = Certificate.from_bytes(b"".join(_parts(cut, id, "certificate")), len(model.network.supply))
    yield from faults_of(model, [(commitment, county) for commitment, county, _ in plan], stated, proof)
    proposed = {
        (pairing["commitment_id"], pairing["county_code"])
        for pairing in cut.find("pairing", "pairings", {"round_id": id}, "_id", "commitment_id", "county_code")
    }
    for commitment, county in sorted({(commitment, county) for commitment, county, _ in plan} ^ proposed):
        yield f"commitment {commitment} with county {county} is in its plan or its pairings, and not in both"


def _parts(cut: Cut, id: str, of: str) -> Iterator[bytes]:
    return (part["content"] for part in cut.find("pairing", "round_parts", {"round_id": id, "of": of}, "no", "content"))
