import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import canonical_json, content_digest, file_digest

laws = settings(max_examples=80, deadline=None, derandomize=True)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), 1 << 63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def shuffled(value):
    """Return an equal value whose objects were filled in the opposite order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(list(value))}
    return [shuffled(part) for part in value] if isinstance(value, list) else value


def test_the_canonical_form_is_sorted_dense_and_utf8():
    value = {"b": [1, 2.5, None, True], "a": "ü"}
    assert canonical_json(value) == '{"a":"ü","b":[1,2.5,null,true]}'.encode()
    assert content_digest(canonical_json(value)) == (
        "sha256:5cffe7b2256261270211e66d136e0fc423a603024179f1fb99fe31e771368b2f"
    )


@laws
@given(value=json_values)
def test_a_value_has_one_canonical_form_and_comes_back_from_it(value):
    form = canonical_json(value)
    assert canonical_json(shuffled(value)) == form
    assert json.loads(form) == value


@laws
@given(one=json_values, other=json_values)
def test_values_with_one_digest_are_equal(one, other):
    same = content_digest(canonical_json(one)) == content_digest(canonical_json(other))
    assert not same or one == other


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_has_no_canonical_form(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"share": number})


def test_the_digest_of_nothing_is_the_sha256_of_nothing():
    assert content_digest(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 3])
def test_a_file_has_the_digest_of_its_bytes_whatever_its_size(tmp_path, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert file_digest(path) == "sha256:" + hashlib.sha256(content).hexdigest()
    assert file_digest(path) == content_digest(content)


def test_the_digest_of_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / "gone")
