"""A model is one bundle: a folder of files and the manifest that names every one of them."""

from typing import Any

import msgspec

MANIFEST_FILE = "manifest.json"
BUNDLE_FORMAT = 3


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle is made of. Its canonical JSON's SHA-256 is the bundle's name."""

    format: int
    """Layout of the folder; a server refuses one it does not know."""
    created_at_ms: int
    """When the folder was sealed."""
    home: str | None = None
    """Id of the home whose log it was trained on, the only one that serves it; None for bundles
    from before homes had ids, which any home serves."""
    features: str
    """Hash of the feature definitions it was trained on; must equal the server's."""
    feature_names: list[str]
    """The columns that its networks read, in order."""
    files: dict[str, str]
    """Every file but the manifest, by relative name, with its SHA-256."""
    value_weights: dict[str, float]
    """Utility of one action, by task."""
    data: dict[str, Any]
    """The data set: table version, rows, first and last instant, split."""
    training: dict[str, Any]
    """Seed, epochs, code version, library versions, hardware, and every setting that was read."""
    metrics: dict[str, Any]
    """What was measured on held-out rows when it was made."""
