"""Made-up programmes of any size for the matching: each commitment may go to 40 counties at most."""

import numpy as np

from services.pairing.domain.snapshot import Instance

CATEGORIES = 3
REACH = 40
SLOTS_A_SHARE = 1.1


def instance(commitments: int, counties: int, seed: int = 1) -> Instance:
    """As `read_snapshot` makes it: a few more slots than shares, so that every level decides."""
    rng = np.random.default_rng(seed)
    need_county = np.repeat(np.arange(counties), CATEGORIES)
    needs = len(need_county)
    category = rng.integers(0, CATEGORIES, commitments)
    open_shares = rng.integers(1, 4, commitments)
    mean = max(1, round(SLOTS_A_SHARE * open_shares.sum() / needs))
    slots = rng.integers(0, 2 * mean + 1, needs)
    reach = min(REACH, counties)
    pair_commitment = np.repeat(np.arange(commitments), reach)
    county = np.concatenate([rng.choice(counties, reach, replace=False) for _ in range(commitments)])
    pair_need = county * CATEGORIES + category[pair_commitment]
    order = np.lexsort((county, pair_commitment))
    pair_commitment, pair_need = pair_commitment[order], pair_need[order]
    allowed = slots[pair_need] > 0
    pair_commitment, pair_need = pair_commitment[allowed], pair_need[allowed]
    pairs = len(pair_need)
    live = np.zeros(needs, dtype=np.int64)
    return Instance(
        seed=seed,
        commitments=[f"commitment-{no:07}" for no in range(commitments)],
        open=open_shares,
        counties=[f"{100000 + no}" for no in range(counties)],
        county_live=np.zeros(counties, dtype=np.int64),
        need_county=need_county,
        slots=slots,
        live=live,
        band=rng.integers(1, 6, needs),
        severity=rng.integers(0, 1001, needs),
        pair_commitment=pair_commitment,
        pair_need=pair_need,
        preference=rng.choice([0, 0, 0, 0, 1, 2], pairs),
        kept=rng.random(pairs) < 0.02,
        pinned=np.zeros(pairs, dtype=bool),
    )
