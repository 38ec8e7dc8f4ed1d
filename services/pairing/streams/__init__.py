"""What comes in without a caller: what other services say, rounds that were asked for, days that pass."""

from services.pairing.streams.events import HANDLERS, READS, TOPICS
from services.pairing.streams.expiry import expire_commitments
from services.pairing.streams.imports import run_imports
from services.pairing.streams.rounds import run_rounds

__all__ = ["HANDLERS", "READS", "TOPICS", "expire_commitments", "run_imports", "run_rounds"]
