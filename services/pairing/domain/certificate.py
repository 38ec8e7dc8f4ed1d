"""The proof of a round, and its check. Neither needs a solver.

The certificate has a potential for each node at each level: the six named ones, then the hashes of
counters 0, 1, …. A flow is lexicographically the best if on every residual arc the vector of reduced
costs is lexicographically ≥ 0, for then no residual cycle makes it better. Its pairs are the only
best ones if no pair lies on a cycle of residual arcs whose vector is zero.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.pairing.domain.network import LEVELS, Model, objective
from services.pairing.domain.proof import on_residual_cycle
from services.pairing.domain.snapshot import Instance, Ints, Mask


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """`potentials`: a row a level, a column a node."""

    potentials: Ints

    def to_bytes(self) -> bytes:
        """Little-endian numbers of 64 bits, row by row, compressed."""
        return zlib.compress(self.potentials.astype("<i8").tobytes(), 1)

    @classmethod
    def from_bytes(cls, content: bytes, nodes: int) -> "Certificate":
        """Raises ValueError or zlib.error where it is of another network, or broken."""
        return cls(potentials=np.frombuffer(zlib.decompress(content), dtype="<i8").reshape(-1, nodes))


def costs(model: Model, levels: int) -> Ints:
    """Each arc's cost at each level of a certificate: a row a level."""
    lots = [model.lots(counter) for counter in range(levels - len(LEVELS))]
    return -np.concatenate((model.values, *(lot[None] for lot in lots)))


def chosen_of(instance: Instance, pairs: Sequence[Sequence[str]]) -> Mask:
    """The pairs [commitment, county] as a mask over the instance's. Raises KeyError for one that is not allowed."""
    commitment_no = {id: no for no, id in enumerate(instance.commitments)}
    county_no = {code: no for no, code in enumerate(instance.counties)}
    # The instance's pairs are sorted by commitment and county.
    keys = instance.pair_commitment * len(county_no) + instance.need_county[instance.pair_need]
    wanted = np.array([commitment_no[id] * len(county_no) + county_no[code] for id, code in pairs], dtype=np.int64)
    at = np.searchsorted(keys, wanted)
    there = np.append(keys, -1)[at] == wanted
    if not there.all():
        raise KeyError(" with ".join(pairs[int(np.argmin(there))]))
    chosen = np.zeros(len(keys), dtype=bool)
    chosen[at] = True
    return chosen


def faults_of(
    model: Model,
    pairs: Sequence[Sequence[str]],
    stated: Sequence[tuple[str, int]],
    certificate: Certificate,
) -> Iterator[str]:
    """Why `pairs` are not proved to be the only best ones, or not worth the `stated` levels; nothing if all is well."""
    instance, network = model.instance, model.network
    try:
        chosen = chosen_of(instance, pairs)
    except KeyError as pair:
        yield f"pair {pair} is not allowed"
        return
    if not chosen[instance.pinned].all():
        yield "a pinned pair is missing"
        return
    worth = objective(instance, chosen)
    if list(worth.items()) != list(stated):
        yield f"the pairs are worth {worth}"
    flow = model.flow_of(chosen)
    if (flow < 0).any() or (flow > network.capacity).any():
        yield "more pairs than open shares or slots"
        return
    balance = network.supply.copy()
    np.subtract.at(balance, network.tail, flow)
    np.add.at(balance, network.head, flow)
    if balance.any():
        yield "what flows in does not flow out"
        return
    if len(certificate.potentials) <= len(LEVELS):
        yield "the certificate has too few levels"
        return
    forward, backward = flow < network.capacity, flow > 0
    for cost, potential in zip(costs(model, len(certificate.potentials)), certificate.potentials, strict=True):
        reduced = cost + potential[network.tail] - potential[network.head]
        if (reduced[forward] < 0).any() or (reduced[backward] > 0).any():
            yield "a better set of pairs is not ruled out"
            return
        forward &= reduced == 0
        backward &= reduced == 0
    # Both directions of an arc at once are no cycle of other pairs: a pair's arc has capacity 1.
    free = forward | backward
    loose = np.flatnonzero(free[: model.pair_arcs])
    if on_residual_cycle(network, free=free, flow=flow, arcs=loose).any():
        yield "another set of pairs is as good"
