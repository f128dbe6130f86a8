"""How many steps a training takes: enough on few rows, not too many on many."""

from dataclasses import dataclass

FEWEST_STEPS_PER_PASS = 32
SMALLEST_BATCH = 32
MOST_PASSES = 30
"""Over few rows; a larger setting is kept."""


@dataclass(frozen=True, slots=True)
class StepPlan:
    """``passes`` over the rows, each of ``per_pass`` steps of ``batch_rows``."""

    batch_rows: int
    per_pass: int
    passes: int

    @property
    def steps(self) -> int:
        """Return how many steps there are in all."""
        return self.per_pass * self.passes


def plan_steps(
    rows: int, batch_rows: int, passes: int, *, fewest: int = 0, most: int | None = None
) -> StepPlan:
    """Return a plan: smaller batches, then more passes, until few rows make enough steps.

    Args:
        rows: to learn from.
        batch_rows: largest batch.
        passes: over the rows, at least.
        fewest: steps that there should be; passes are added, up to 30.
        most: steps that there may be; a pass then takes a share of the rows.
    """
    batch = min(batch_rows, max(rows // FEWEST_STEPS_PER_PASS, SMALLEST_BATCH))
    per_pass = max(-(-rows // batch), 1)
    passes = max(passes, min(-(-fewest // per_pass), MOST_PASSES))
    if most is not None:
        per_pass = min(per_pass, max(most // passes, 1))
    return StepPlan(batch, per_pass, passes)
