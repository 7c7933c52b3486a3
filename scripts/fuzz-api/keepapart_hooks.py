"""Streams of records, whose form JSON Schema can't describe: a JSON value in each line."""

import json

import schemathesis
from hypothesis import strategies as st

numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=8,
)
records = values.filter(lambda value: not isinstance(value, list))
streams = st.lists(records, min_size=1, max_size=20).map(
    lambda stream: "".join(json.dumps(record) + "\n" for record in stream).encode()
)
schemathesis.openapi.media_type("application/x-ndjson", streams)
