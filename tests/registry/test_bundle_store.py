"""Bundles on a real disk: sealed, verified to the byte, promoted by one pointer."""

import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.contracts import BUNDLE_FORMAT, MANIFEST_FILE, Manifest
from playbill.core import (
    DependencyUnavailable,
    InvalidInput,
    NotFound,
    canonical_json,
    content_digest,
)
from playbill.registry import BundleStore, verify_bundle

FILES = {"light.npz": b"weights", "index/codes.npy": b"\0" * 300, "index/keys.npy": b"keys"}
NOBODY = "sha256:" + "0" * 64


def _manifest(created_at_ms: int = 1_000, **fields) -> Manifest:
    return Manifest(
        **{
            "format": BUNDLE_FORMAT,
            "created_at_ms": created_at_ms,
            "features": "sha256:features",
            "feature_names": ["a", "b"],
            "files": {},
            "value_weights": {"click": 1.0},
            "data": {"rows": 10},
            "training": {"seed": 7},
            "metrics": {},
            **fields,
        }
    )


def _draft(home: Path, files=FILES) -> Path:
    draft = home / "draft"
    for name, data in files.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_bytes(data)
    return draft


@pytest.fixture
def store(tmp_path):
    return BundleStore(tmp_path / "bundles")


@pytest.fixture
def bundle(store, tmp_path):
    """Return the folder and the digest of a sealed bundle."""
    digest = store.add(_draft(tmp_path), _manifest())
    return store.path(digest), digest


def test_a_sealed_bundle_names_every_file_and_verifies(bundle, store, tmp_path):
    folder, digest = bundle
    manifest = verify_bundle(folder, digest)
    assert manifest == store.manifest(digest)
    assert manifest.files == {name: content_digest(data) for name, data in FILES.items()}
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert not (tmp_path / "draft").exists()


def test_the_digest_is_that_of_the_canonical_manifest(bundle):
    folder, digest = bundle
    text = (folder / MANIFEST_FILE).read_bytes()
    assert digest == content_digest(text)
    assert text == canonical_json(json.loads(text))
    assert folder.name == digest.removeprefix("sha256:")[:16]


def test_equal_content_has_an_equal_digest_and_anything_else_another(store, tmp_path):
    digests = [
        store.add(_draft(tmp_path), _manifest()),
        store.add(_draft(tmp_path), _manifest()),
        store.add(_draft(tmp_path, {**FILES, "light.npz": b"other"}), _manifest()),
        store.add(_draft(tmp_path), _manifest(created_at_ms=1_001)),
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_bundle_may_hold_a_file_named_like_the_manifest_in_a_folder(store, tmp_path):
    digest = store.add(_draft(tmp_path, {**FILES, f"index/{MANIFEST_FILE}": b"{}"}), _manifest())
    assert f"index/{MANIFEST_FILE}" in store.manifest(digest).files


def test_a_manifest_in_the_draft_is_replaced_and_not_listed(store, tmp_path):
    digest = store.add(_draft(tmp_path, {**FILES, MANIFEST_FILE: b"old"}), _manifest())
    assert store.manifest(digest).files.keys() == FILES.keys()


def test_a_link_is_not_sealed(store, tmp_path):
    draft = _draft(tmp_path)
    (draft / "link.npy").symlink_to(draft / "light.npz")
    with pytest.raises(InvalidInput, match=r"link\.npy is no plain file"):
        store.add(draft, _manifest())
    assert store.digests() == []


def test_the_same_bundle_again_mends_a_damaged_one(bundle, store, tmp_path):
    folder, digest = bundle
    (folder / "light.npz").write_bytes(b"damaged")
    assert store.add(_draft(tmp_path), _manifest()) == digest
    verify_bundle(folder, digest)
    assert not (tmp_path / "draft").exists()


def _alter(folder: Path) -> None:
    (folder / "light.npz").write_bytes(b"weighty")


def _shorten(folder: Path) -> None:
    (folder / "index/codes.npy").write_bytes(b"\0" * 299)


def _remove(folder: Path) -> None:
    (folder / "index/keys.npy").unlink()


def _add(folder: Path) -> None:
    (folder / "index/extra.npy").write_bytes(b"")


def _link_in(folder: Path) -> None:
    (folder / "extra.npz").symlink_to(folder / "light.npz")


def _link_a_folder_in(folder: Path) -> None:
    (folder / "extra").symlink_to(folder.parent, target_is_directory=True)


def _replace_by_a_link(folder: Path) -> None:
    aside = folder.parent / "aside.npz"
    (folder / "light.npz").rename(aside)
    (folder / "light.npz").symlink_to(aside)


def _replace_a_folder_by_a_link(folder: Path) -> None:
    aside = folder.parent / "aside"
    (folder / "index").rename(aside)
    (folder / "index").symlink_to(aside, target_is_directory=True)


def _replace_by_a_folder(folder: Path) -> None:
    (folder / "light.npz").unlink()
    (folder / "light.npz").mkdir()


def _replace_by_a_pipe(folder: Path) -> None:
    (folder / "light.npz").unlink()
    os.mkfifo(folder / "light.npz")


TAMPERINGS = [
    (_alter, "light.npz was altered"),
    (_shorten, "index/codes.npy was altered"),
    (_remove, "not listed: index/keys.npy"),
    (_add, "not listed: index/extra.npy"),
    (_link_in, "not listed: extra.npz"),
    (_link_a_folder_in, "not listed: extra"),
    (_replace_by_a_link, "light.npz was altered"),
    (_replace_a_folder_by_a_link, "index/codes.npy, index/keys.npy"),
    (_replace_by_a_folder, "not listed: light.npz"),
    (_replace_by_a_pipe, "light.npz was altered"),
]


@pytest.mark.parametrize(
    ("tamper", "named"), TAMPERINGS, ids=[tamper.__name__[1:] for tamper, _ in TAMPERINGS]
)
def test_whatever_is_done_to_a_bundle_is_refused_and_named(bundle, store, tamper, named):
    folder, digest = bundle
    tamper(folder)
    with pytest.raises(InvalidInput, match=named) as refusal:
        verify_bundle(folder, digest)
    assert refusal.value.code == "bundle_refused"
    assert folder.name in refusal.value.message
    with pytest.raises(InvalidInput, match=named):
        store.promote(digest)
    assert store.champion() is None


@law(40)
@given(
    name=st.sampled_from([*FILES, MANIFEST_FILE]),
    where=st.floats(0.0, 0.999),
    mask=st.integers(1, 255),
)
def test_no_byte_of_a_bundle_can_be_altered(tmp_path_factory, name, where, mask):
    home = tmp_path_factory.mktemp("home")
    store = BundleStore(home / "bundles")
    digest = store.add(_draft(home), _manifest())
    file = store.path(digest) / name
    data = bytearray(file.read_bytes())
    data[int(where * len(data))] ^= mask
    file.write_bytes(data)
    with pytest.raises(InvalidInput):
        verify_bundle(store.path(digest), digest)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "its manifest is not the one of"),
        (b"{", "its manifest is not the one of"),
        (b"\xff\xfe", "its manifest is not the one of"),
        (None, "its manifest cannot be read: No such file"),
    ],
)
def test_another_manifest_is_refused(bundle, text, message):
    folder, digest = bundle
    if text is None:
        (folder / MANIFEST_FILE).unlink()
    else:
        (folder / MANIFEST_FILE).write_bytes(text)
    with pytest.raises(InvalidInput, match=message):
        verify_bundle(folder, digest)


def test_a_manifest_of_another_bundle_is_refused(bundle, store, tmp_path):
    folder, digest = bundle
    other = store.add(_draft(tmp_path), _manifest(created_at_ms=2_000))
    shutil.copy(store.path(other) / MANIFEST_FILE, folder / MANIFEST_FILE)
    with pytest.raises(InvalidInput, match=f"its manifest is not the one of {digest}"):
        verify_bundle(folder, digest)


@pytest.mark.parametrize("text", [b"[]", b'{"format": "one"}', b'{"format": 3}', b"\xff\xfe", b"{"])
def test_a_manifest_that_is_none_is_refused_even_under_its_own_digest(tmp_path, text):
    (tmp_path / MANIFEST_FILE).write_bytes(text)
    with pytest.raises(InvalidInput, match="its manifest cannot be read") as refusal:
        verify_bundle(tmp_path, content_digest(text))
    assert refusal.value.code == "bundle_refused"


def test_a_format_that_this_version_does_not_know_is_refused_by_its_number(store, tmp_path):
    digest = store.add(_draft(tmp_path), _manifest(format=BUNDLE_FORMAT + 1))
    with pytest.raises(InvalidInput, match="format 4; this version reads 3"):
        store.promote(digest)


def test_a_later_format_with_fields_of_its_own_is_refused_by_its_number_too(bundle):
    folder, _ = bundle
    fields = json.loads((folder / MANIFEST_FILE).read_bytes())
    text = canonical_json({**fields, "format": 4, "towers": 3})
    (folder / MANIFEST_FILE).write_bytes(text)
    with pytest.raises(InvalidInput, match="format 4; this version reads 3"):
        verify_bundle(folder, content_digest(text))


def test_a_bundle_of_another_home_is_refused_and_both_are_named(tmp_path):
    ours, theirs = "a" * 32, "b" * 32
    folder = tmp_path / "bundles"
    digest = BundleStore(folder, theirs).add(_draft(tmp_path), _manifest(home=theirs))
    BundleStore(folder, theirs).promote(digest)
    (folder / "champion").unlink()
    for store, here in (
        (BundleStore(folder, ours), f"this is home {ours}"),
        (BundleStore(folder), "this home has no id yet"),
    ):
        for refused in (store.promote, store.manifest, store.verify):
            with pytest.raises(InvalidInput, match=f"made in home {theirs}.*; {here}") as refusal:
                refused(digest)
            assert refusal.value.code == "bundle_refused"
            assert "playbill train" in refusal.value.hint
        assert store.champion() is None
        assert store.digests() == [digest]


def test_the_home_of_a_bundle_cannot_be_rewritten(tmp_path):
    ours, theirs = "a" * 32, "b" * 32
    store = BundleStore(tmp_path / "bundles", ours)
    digest = store.add(_draft(tmp_path), _manifest(home=theirs))
    file = store.path(digest) / MANIFEST_FILE
    file.write_bytes(file.read_bytes().replace(theirs.encode(), ours.encode()))
    with pytest.raises(InvalidInput, match="its manifest is not the one of"):
        store.promote(digest)


def test_a_bundle_from_before_homes_had_ids_is_served_anywhere(tmp_path):
    digest = BundleStore(tmp_path / "bundles").add(_draft(tmp_path), _manifest())
    file = BundleStore(tmp_path / "bundles").path(digest) / MANIFEST_FILE
    fields = json.loads(file.read_bytes())
    del fields["home"]
    text = canonical_json(fields)
    older = content_digest(text)
    store = BundleStore(tmp_path / "bundles", "a" * 32)
    file.write_bytes(text)
    file.parent.rename(store.path(older))
    store.promote(older)
    assert store.champion() == older


def test_nobody_is_champion_before_the_first_promotion(bundle, store):
    assert store.champion() is None


@pytest.mark.parametrize("kind", ["a folder", "no text"])
def test_a_pointer_that_cannot_be_read_is_not_taken_for_none(bundle, store, tmp_path, kind):
    pointer = tmp_path / "bundles" / "champion"
    if kind == "a folder":
        pointer.mkdir()
    else:
        pointer.write_bytes(b"\xff\xfe")
    with pytest.raises(DependencyUnavailable, match="champion cannot be read") as found:
        store.champion()
    assert "bundles/champion" in found.value.hint


def test_a_file_that_cannot_be_read_is_a_refusal_that_names_it(bundle, store, monkeypatch):
    folder, digest = bundle
    opened = Path.open

    def refuse(path, *arguments, **named):
        if path.name == "codes.npy":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidInput, match=r"codes\.npy cannot be read: Permission") as refusal:
        verify_bundle(folder, digest)
    assert refusal.value.code == "bundle_refused"


def test_a_manifest_that_cannot_be_read_is_listed_by_its_folder(bundle, store):
    folder, digest = bundle
    (folder / MANIFEST_FILE).unlink()
    (folder / MANIFEST_FILE).mkdir()
    assert store.digests() == [digest[: len("sha256:") + 16]]


def test_the_pointer_names_the_one_promoted_last(bundle, store, tmp_path):
    _, first = bundle
    second = store.add(_draft(tmp_path), _manifest(created_at_ms=2_000))
    for digest in (first, second, first):
        store.promote(digest)
        assert store.champion() == digest
    assert BundleStore(tmp_path / "bundles").champion() == first


@pytest.mark.parametrize("digest", [NOBODY, "", ".", "..", "sha256:", "champion", "../bundles"])
def test_a_bundle_that_is_not_there_cannot_be_promoted_or_read(bundle, store, digest):
    with pytest.raises(NotFound, match="there is no bundle") as refusal:
        store.promote(digest)
    assert "playbill models" in refusal.value.hint
    with pytest.raises(NotFound):
        store.manifest(digest)
    assert store.champion() is None


def test_a_digest_that_differs_behind_the_folders_name_is_refused(bundle, store):
    _, digest = bundle
    other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    with pytest.raises(InvalidInput, match="its manifest is not the one of"):
        store.promote(other)


def test_a_bundle_and_its_promotion_are_on_the_disk_before_they_are_confirmed(
    store, tmp_path, monkeypatch
):
    seen, real = [], os.fsync

    def fsync(handle):
        folder = Path(os.readlink(f"/proc/self/fd/{handle}"))
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        seen.append((folder, names))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    digest = store.add(_draft(tmp_path), _manifest())
    assert seen[-1] == (tmp_path / "bundles", {store.path(digest).name})
    store.promote(digest)
    assert seen[-1] == (tmp_path / "bundles", {store.path(digest).name, "champion"})


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_promotion_that_fails_half_way_leaves_the_pointer_as_it_was(
    bundle, store, tmp_path, monkeypatch, step
):
    _, first = bundle
    store.promote(first)
    second = store.add(_draft(tmp_path), _manifest(created_at_ms=2_000))

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        if step == "write":
            full.setattr(os, "fsync", refuse)
        else:
            full.setattr(Path, "replace", refuse)
        with pytest.raises(OSError, match="No space"):
            store.promote(second)
    assert store.champion() == first
    store.promote(second)
    assert store.champion() == second


def test_the_pointer_is_replaced_never_rewritten(bundle, store, tmp_path):
    """Whoever has the old one open goes on reading the whole of it."""
    _, first = bundle
    store.promote(first)
    with (tmp_path / "bundles" / "champion").open() as pointer:
        store.promote(store.add(_draft(tmp_path), _manifest(created_at_ms=2_000)))
        assert pointer.read() == first


def test_bundles_are_listed_oldest_first(store, tmp_path):
    created = {
        store.add(_draft(tmp_path), _manifest(created_at_ms=instant)): instant
        for instant in (3_000, 1_000, 2_000)
    }
    store.promote(next(iter(created)))
    assert store.digests() == sorted(created, key=created.__getitem__)


def test_no_store_lists_nothing(tmp_path):
    store = BundleStore(tmp_path / "nothing")
    assert store.digests() == []
    assert store.champion() is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b'{"created_at_ms": 5}'])
def test_a_bundle_with_a_damaged_manifest_is_listed_by_its_folder_and_refused(
    bundle, store, tmp_path, text
):
    _, digest = bundle
    other = store.add(_draft(tmp_path), _manifest(created_at_ms=2_000))
    (store.path(other) / MANIFEST_FILE).write_bytes(text)
    damaged = other[: len("sha256:") + 16]
    assert store.digests() == [damaged, digest]
    with pytest.raises(InvalidInput, match="its manifest is not the one of"):
        store.manifest(damaged)


def test_a_draft_that_cannot_be_sealed_leaves_the_store_as_it_was(store, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        store.add(_draft(tmp_path), _manifest())
    assert store.digests() == []
    assert (tmp_path / "draft").exists()


def test_values_that_json_cannot_say_are_not_sealed(store, tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.add(_draft(tmp_path), _manifest(metrics={"auc": float("nan")}))
    assert store.digests() == []


def test_a_manifest_comes_back_as_it_was_told(bundle, store):
    _, digest = bundle
    found = msgspec.structs.replace(store.manifest(digest), files={})
    assert found == _manifest()
