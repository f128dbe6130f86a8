"""What a new bundle must be beside the one that serves."""

from typing import TYPE_CHECKING, Any

from playbill.contracts import Settings
from playbill.core import Conflict, InvalidInput
from playbill.registry import BundleStore

if TYPE_CHECKING:
    from playbill.training import Dataset


def require_new(store: BundleStore, rows: int, fewest_new: int) -> None:
    """Refuse a data set that holds hardly more than the champion's.

    Raises:
        Conflict: fewer impressions are new than asked for.
    """
    champion = store.champion()
    if champion is None or not fewest_new:
        return
    new = rows - int(store.manifest(champion).data["rows"])
    if new < fewest_new:
        raise Conflict(
            f"{new:,} impressions came since the champion's data set; {fewest_new:,} are asked for",
            hint="wait for more, or run playbill train",
        )


def beside_champion(
    store: BundleStore, dataset: "Dataset", digest: str, settings: Settings, day_offset_h: int
) -> dict[str, Any] | None:
    """Return how a sealed bundle does beside the champion, None where that one cannot be asked.

    A champion of another format or other features, or with a damaged file, cannot serve either.
    """
    from playbill.training import compare_bundles

    champion = store.champion()
    if champion is None or champion == digest:
        return None
    try:
        ours, theirs = ((store.path(each), store.verify(each)) for each in (digest, champion))
    except InvalidInput:
        return None
    if ours[1].features != theirs[1].features:
        return None
    found = compare_bundles(dataset, ours, theirs, settings, day_offset_h)
    return {"champion": champion, **found}
