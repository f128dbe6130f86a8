"""A recipe for the ranker, searched for on the rows that validate, with every trial on record."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from playbill.contracts import Settings
from playbill.core import DependencyUnavailable, InvalidInput, content_digest
from playbill.training.available import require_extra
from playbill.training.dataset import Dataset
from playbill.training.progress import OnProgress, within
from playbill.training.provenance import libraries, settings_read
from playbill.training.ranker_training import train_ranker
from playbill.training.split import quick_split

if TYPE_CHECKING:
    import optuna

BATCHES = 128, 256, 512, 1_024, 2_048, 4_096
RATES = 1e-4, 1e-2
MOST_EPOCHS = 10
SEARCHED = ("learning_rate", "batch_rows", "epochs")
_FAILED = "failed"


class SearchAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a search may spend."""

    trials: int = 20
    minutes: float | None = None
    """No trial begins after so long; None for no limit."""
    seeds: int = 1
    """Trainings of one trial, each with its seed; their mean counts."""
    day_offset_h: int = 0
    rows_from_ms: int | None = None


def search(
    dataset: Dataset,
    settings: Settings,
    history: Path,
    asked: SearchAsked,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Return what was tried, and the best of it.

    The first trial is the settings as they are. The rows that report are not looked at. What was
    tried before on the same rows with the same other settings is in the history, and counts; a
    search that was stopped goes on.

    Keys: study, trials (number, values, losses by seed, loss, state), best, settings_now (loss of
    the first trial), note.

    Args:
        dataset: a built data set.
        settings: the recipe to begin with; the first seed.
        history: an SQLite file of all trials, made when it is not there.
        asked: budget.
        on_progress: told of the stage "search".

    Raises:
        InvalidInput: the rows are unfit to train on.
        DependencyUnavailable: Optuna is not installed, or the history cannot be written.
    """
    require_extra(("optuna",), extra="search")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows, histories = dataset.rows_for(settings, asked.rows_from_ms), dataset.histories()
    split = quick_split(rows.known_at_ms(), settings.training.holdout, asked.day_offset_h)
    done, report = 0, within(on_progress, "search")

    def tried(trial: "optuna.Trial") -> float:
        nonlocal done
        losses = []
        for number in range(asked.seeds):
            recipe = _recipe(trial, settings, settings.training.seed + number)
            losses.append(min(_finite(train_ranker(rows, split, recipe, histories).record)))
        trial.set_user_attr("losses", losses)
        done += 1
        report(done / asked.trials)
        return float(np.mean(losses))

    try:
        study = _study(history, dataset, settings, asked)
        study.optimize(
            tried,
            n_trials=asked.trials,
            timeout=None if asked.minutes is None else 60.0 * asked.minutes,
            catch=(InvalidInput,),
        )
    except (OSError, optuna.exceptions.StorageInternalError) as error:
        raise DependencyUnavailable(
            f"the history {history} cannot be written: {error}",
            hint="free space or choose a folder that can be written",
        ) from error
    return _report(study)


def _recipe(trial: "optuna.Trial", settings: Settings, seed: int) -> Settings:
    """Return the settings with what a trial suggests."""
    training = msgspec.structs.replace(
        settings.training,
        learning_rate=trial.suggest_float("learning_rate", *RATES, log=True),
        batch_rows=trial.suggest_categorical("batch_rows", BATCHES),
        epochs=trial.suggest_int("epochs", 1, MOST_EPOCHS),
        seed=seed,
    )
    return msgspec.structs.replace(settings, training=training)


def _finite(record: dict[str, Any]) -> list[float]:
    return [loss for loss in record["validation_losses"] if loss is not None]


def _study(
    history: Path, dataset: Dataset, settings: Settings, asked: SearchAsked
) -> "optuna.Study":
    """Return the study of these rows and settings, with the settings as its first trial."""
    import optuna

    training = settings.training
    study = optuna.create_study(
        storage=f"sqlite:///{history}",
        study_name=study_name(dataset, settings, asked),
        sampler=optuna.samplers.TPESampler(seed=training.seed),
        load_if_exists=True,
    )
    if not study.trials:
        study.enqueue_trial(
            {
                "learning_rate": min(max(training.learning_rate, RATES[0]), RATES[1]),
                "batch_rows": min(BATCHES, key=lambda size: abs(size - training.batch_rows)),
                "epochs": min(training.epochs, MOST_EPOCHS),
            }
        )
    return study


def study_name(dataset: Dataset, settings: Settings, asked: SearchAsked) -> str:
    """Return a name that follows from all that a loss follows from but for what is searched."""
    read = settings_read(settings)
    for name in (*SEARCHED, "rows_in_memory_gib"):
        del read["training"][name]
    found = {
        "data set": msgspec.to_builtins(dataset.report),
        "settings": read,
        "seeds": asked.seeds,
        "day_offset_h": asked.day_offset_h,
        "rows_from_ms": asked.rows_from_ms,
        "libraries": libraries(),
    }
    return content_digest(msgspec.json.encode(found, order="sorted"))


def _report(study: "optuna.Study") -> dict[str, Any]:
    trials = [
        {
            "number": trial.number,
            "values": trial.params,
            "losses": trial.user_attrs.get("losses", []),
            "loss": trial.value,
            "state": "tried" if trial.value is not None else _FAILED,
        }
        for trial in study.trials
    ]
    usable = [trial for trial in trials if trial["state"] != _FAILED]
    if not usable:
        raise InvalidInput(
            f"none of {len(trials)} trials could be trained",
            hint="playbill train says why",
        )
    best = min(usable, key=_loss)
    return {
        "study": study.study_name,
        "trials": trials,
        "best": best,
        "settings_now": trials[0]["loss"],
        "note": "losses are log losses on the rows that validate, summed over the tasks; the best "
        "of many trials looks better than it is, so judge it on the rows that report",
    }


def _loss(trial: dict[str, Any]) -> float:
    return float(trial["loss"])
