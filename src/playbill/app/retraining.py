"""Training again while serving: in a process of its own, and for rows that are new."""

from playbill.app.learning import Trained, Training, train
from playbill.app.process import say
from playbill.app.verbs import Home
from playbill.core import Conflict


def retrain(home: Home) -> Trained | None:
    """Train, and let the bundle serve unless it is worse; None where too little is new.

    Raises:
        InvalidInput: the log holds too little to learn from.
        DependencyUnavailable: a table or a bundle cannot be written.
    """
    asked = Training(
        **home.days(),
        unless_worse=True,
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
