"""Training again while serving: in a process of its own, and for rows that are new."""

import msgspec

from playbill.app.learning import Trained, Training, reasons_of, train
from playbill.app.left import is_left, same_long_views
from playbill.app.process import say
from playbill.app.verbs import Home
from playbill.core import Conflict, DependencyUnavailable, InvalidInput, NotFound
from playbill.features import features_digest


def retrain(home: Home) -> Trained | None:
    """Train, and let the bundle serve unless it is worse; None where too little is new.

    Raises:
        InvalidInput: the log holds too little to learn from.
        DependencyUnavailable: a table or a bundle cannot be written.
    """
    asked = Training(
        **home.days(),
        unless_worse=True,
        warm=begins_warm(home),
        fewest_new=home.settings.retraining.fewest_new,
    )
    try:
        trained = _trained(home, asked)
    except Conflict as conflict:
        say(f"not trained again: {conflict.message}")
        return None
    if trained.against is not None and not trained.promoted:
        say(f"{trained.digest} is {', '.join(reasons_of(trained.against))}; it does not serve")
    return trained


def _trained(home: Home, asked: Training) -> Trained:
    """Train, from nothing where the champion cannot be begun with."""
    try:
        return train(home.wiring, asked)
    except Conflict:
        raise
    except (InvalidInput, NotFound, DependencyUnavailable) as error:
        if not asked.warm:
            raise
        say(f"trained from nothing: {error.message}")
        return train(home.wiring, msgspec.structs.replace(asked, warm=False))


def begins_warm(home: Home) -> bool:
    """Return whether the champion is to be begun with.

    Not too often in a row, not where that was tried and is not served, not without what it left,
    and not where a bundle that would tell is damaged.
    """
    most, store = home.settings.retraining.warm_in_a_row, home.bundles
    champion = store.champion()
    if not most or champion is None or not is_left(home.wiring, champion):
        return False
    try:
        newest, manifest = (store.manifest(each) for each in (store.digests()[-1], champion))
    except InvalidInput:
        return False
    tried = newest.training.get("begun_with") == champion
    fits = manifest.features == features_digest() and same_long_views(manifest, home.settings)
    return fits and not tried and int(manifest.training.get("warm_in_a_row", 0)) < most
