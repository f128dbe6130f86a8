"""What each part of the ranker is worth: the same recipe without it, on the same rows."""

from playbill.contracts import Settings
from playbill.features import FEATURES
from playbill.features.definitions import Fact, FactKind, Scope
from playbill.training.dataset import Histories, Rows
from playbill.training.progress import OnProgress
from playbill.training.ranker_rows import Ablation
from playbill.training.ranker_training import train_ranker
from playbill.training.row_scorer import RowScorer, Scorer
from playbill.training.split import Split


def _of(scope: Scope, *facts: FactKind) -> tuple[str, ...]:
    """Return the features of a scope, and some facts."""
    return tuple(
        feature.name
        for feature in FEATURES
        if (feature.fact in facts if isinstance(feature, Fact) else feature.scope is scope)
    )


_RECENT = ("in_history", "recent_same_topic", "recent_same_author", "recent_long")

ABLATIONS: dict[str, Ablation] = {
    "without ids": Ablation(ids=True),
    "without crossed interests": Ablation(crossing=True),
    "without viewer x topic": Ablation(_of(Scope.USER_TOPIC, FactKind.RECENT_SAME_TOPIC)),
    "without viewer x author": Ablation(
        _of(Scope.USER_AUTHOR, FactKind.RECENT_SAME_AUTHOR, FactKind.FOLLOWS_AUTHOR)
    ),
    "without calibration": Ablation(calibration=True),
}
WITHOUT_HISTORY = "without history"
"""No interests, and no feature of the viewer's recent videos."""


def fit_ablations(
    rows: Rows,
    split: Split,
    settings: Settings,
    histories: Histories,
    on_progress: OnProgress | None = None,
) -> dict[str, Scorer]:
    """Return rankers that do without one part each, by what that is.

    Args:
        rows: of all parts; those that report are not looked at.
        split: which rows train and which validate.
        settings: the recipe.
        histories: of the rows' snapshots.
        on_progress: told of a stage each.
    """
    found: dict[str, Scorer] = {}
    asked = {WITHOUT_HISTORY: Ablation(_RECENT), **ABLATIONS}
    for name, without in asked.items():
        read = None if name == WITHOUT_HISTORY else histories
        trained = train_ranker(
            rows, split, settings, read, without=without, on_progress=_named(name, on_progress)
        )
        found[name] = RowScorer.of(
            trained.graph, trained.interests, histories, settings.training.threads
        )
    return found


def _named(name: str, on_progress: OnProgress | None) -> OnProgress | None:
    return None if on_progress is None else lambda stage, share: on_progress(name, share)
