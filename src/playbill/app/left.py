"""What trainings left for others to begin with: found again, and cleared away."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playbill.app.wiring import Wiring
from playbill.contracts import Manifest, Settings
from playbill.core import DependencyUnavailable, InvalidInput
from playbill.core.durable import sync_folder
from playbill.features import features_digest
from playbill.registry import BundleStore

if TYPE_CHECKING:
    from playbill.training.warm_start import Left


def left_by(wiring: Wiring, store: BundleStore, digest: str) -> "Left":
    """Return what the training of a bundle left.

    Raises:
        NotFound: there is no such bundle, or what it left was cleared away.
        InvalidInput: it reads other features, or the file is damaged.
        DependencyUnavailable: the file cannot be read.
    """
    from playbill.training.warm_start import Left

    manifest = store.manifest(digest)
    if manifest.features != features_digest():
        raise InvalidInput(
            f"{digest[:19]}… reads features {manifest.features[:19]}…, this version computes "
            f"{features_digest()[:19]}…",
            hint="train without --warm",
        )
    if not same_long_views(manifest, wiring.settings):
        raise InvalidInput(
            f"{digest[:19]}… was taught other long views than labels.long_view_longest asks for",
            hint="train without --warm",
        )
    warm = int(manifest.training.get("warm_in_a_row", 0))
    return Left.load(_path(wiring.layout.networks, digest), digest, manifest.data, warm)


def same_long_views(manifest: Manifest, settings: Settings) -> bool:
    """Return whether a bundle was taught the long views that the settings ask for."""
    rule = manifest.data.get("long_views")
    return (rule and rule["longest"]) == settings.labels.long_view_longest


def is_left(wiring: Wiring, digest: str) -> bool:
    """Return whether something is kept of the training of a bundle."""
    return _path(wiring.layout.networks, digest).exists()


@contextmanager
def draft_of_left(folder: Path) -> Iterator[Path]:
    """Yield where a training may write what it leaves; what is not kept by then goes.

    Raises:
        DependencyUnavailable: the folder is none, or cannot be written.
    """
    draft = folder / "draft.pt"
    try:
        draft.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def keep_left(folder: Path, made: Path, digest: str, others: Collection[str]) -> None:
    """Keep what the training of a bundle left, and that of some others; the rest goes.

    Raises:
        DependencyUnavailable: the folder cannot be written.
    """
    kept = {_path(folder, each).name for each in (digest, *others)}
    try:
        made.replace(_path(folder, digest))
        sync_folder(folder)
        for path in folder.glob("*.pt"):
            if path.name not in kept:
                path.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> DependencyUnavailable:
    return DependencyUnavailable(
        f"{folder} cannot be written: {error}", hint="make the folder writable"
    )


def _path(folder: Path, digest: str) -> Path:
    return folder / f"{digest.removeprefix('sha256:')[:16]}.pt"
