"""Training again while serving: in a process of its own, and for rows that are new."""

from playbill.app.learning import Trained, Training, train
from playbill.app.left import is_left
from playbill.app.process import say
from playbill.app.verbs import Home
from playbill.core import Conflict
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
        trained = train(home.wiring, asked)
    except Conflict as conflict:
        say(f"not trained again: {conflict.message}")
        return None
    if trained.against is not None and not trained.promoted:
        say(
            f"{trained.digest} is worse at {', '.join(trained.against['worse'])}; it does not serve"
        )
    return trained


def begins_warm(home: Home) -> bool:
    """Return whether the champion is to be begun with: not too often in a row, and if it can be."""
    most = home.settings.retraining.warm_in_a_row
    champion = home.bundles.champion()
    if not most or champion is None or not is_left(home.wiring, champion):
        return False
    manifest = home.bundles.manifest(champion)
    return manifest.features == features_digest() and (
        int(manifest.training.get("warm_in_a_row", 0)) < most
    )
