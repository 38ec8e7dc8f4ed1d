"""An envelope is written once and read by everyone; what it cannot be read from is refused by name."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Envelope, Unreadable

words = st.text(min_size=1, max_size=40)
instants = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
envelopes = st.builds(
    Envelope,
    id=words,
    source=words,
    type=words,
    subject=words,
    time=instants,
    recordedtime=instants,
    dataschema=words,
    sequence=st.integers(1, 9_999_999_999),
    actor=words,
    correlationid=words,
    causationid=words,
    traceparent=st.none() | words,
    data=st.dictionaries(st.text(), values, max_size=4),
)

SOUND: dict[str, Any] = Envelope(
    id="e1",
    source="/jiedui/pairing",
    type="jiedui.commitment.expired",
    subject="c1",
    time="2026-03-02T01:15:20.417Z",
    recordedtime="2026-03-02T01:15:20.452Z",
    dataschema="/schemas/json/jiedui.commitment.expired.json#v1",
    sequence=12,
    actor="pairing",
    correlationid="k1",
    causationid="k1",
    traceparent=None,
    data={},
).to_dict()


@given(envelopes)
def test_what_is_written_is_read_back_the_same(envelope: Envelope) -> None:
    assert Envelope.of(json.loads(json.dumps(envelope.to_dict()))) == envelope


def test_a_sequence_has_ten_digits() -> None:
    assert SOUND["sequence"] == "0000000012"


@given(st.dictionaries(st.text(), values, max_size=4))
def test_unknown_attributes_are_ignored(unknown: dict[str, Any]) -> None:
    assert Envelope.of(unknown | SOUND).to_dict() == SOUND


@given(values | st.dictionaries(st.sampled_from(sorted(SOUND)), values))
def test_anything_else_is_refused_by_name_and_never_by_another_error(raw: Any) -> None:
    with pytest.raises(Unreadable):
        Envelope.of(raw)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("id", ""),
        ("id", 7),
        ("subject", None),
        ("time", "2026-02-30T00:00:00Z"),
        ("time", "2026-03-02"),
        ("time", "2026-03-02T01:15:20"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("recordedtime", "yesterday"),
        ("sequence", 12),
        ("sequence", "0000000000"),
        ("sequence", "12"),
        ("sequence", "-000000001"),
        ("sequence", "٠٠٠٠٠٠٠٠١٢"),
        ("data", None),
        ("data", []),
    ],
)
def test_an_attribute_that_cannot_be_is_refused(attribute: str, value: Any) -> None:
    with pytest.raises(Unreadable, match=attribute):
        Envelope.of(SOUND | {attribute: value})


@pytest.mark.parametrize("attribute", sorted(SOUND.keys() - {"datacontenttype"}))
def test_a_missing_attribute_is_refused(attribute: str) -> None:
    with pytest.raises(Unreadable, match=attribute):
        Envelope.of({name: value for name, value in SOUND.items() if name != attribute})
