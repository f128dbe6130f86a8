"""Which budgets of time contain which, and whether they add up: docs/budgets.md."""

import msgspec

from playbill.core import InvalidInput

STAGES = ("user_store_ms", "source_budget_ms", "scorer_budget_ms")
"""The settings of stages that have a budget of their own within ``budget_ms``."""
REST_MS = 5.0
"""What the stages without one are left at least: features, light scorer, slate, words, record."""
_ROUNDING_MS = 1e-6
ON_THE_WAY = ("way_ms", "pressure_ms", "budget_ms")
"""What a client's time is spent on, one after the other."""


def check_budgets(serving: msgspec.Struct, hang_s: float) -> None:
    """Return if every budget holds what it is divided into.

    Args:
        serving: ``ServingSettings``.
        hang_s: after how many seconds a worker counts as hung.

    Raises:
        InvalidInput: one does not; it is named with what it would have to hold.
    """
    said: dict[str, float] = msgspec.structs.asdict(serving)
    _check(said, "promise_ms", ON_THE_WAY)
    _check(said, "budget_ms", STAGES, REST_MS)
    if hang_s * 1000.0 <= said["budget_ms"]:
        raise InvalidInput(
            f"http.hang_s is {hang_s:g}, but a feed may take serving.budget_ms = "
            f"{said['budget_ms']:g}: its worker would be taken for hung",
            field="http.hang_s",
            hint="raise hang_s above budget_ms, or lower budget_ms",
        )


def _check(
    said: dict[str, float], whole: str, parts: tuple[str, ...], rest_ms: float = 0.0
) -> None:
    """Raise where parts and a rest do not fit into the whole."""
    needed_ms = sum(said[part] for part in parts) + rest_ms
    if needed_ms > said[whole] + _ROUNDING_MS:
        terms = [f"{part} = {said[part]:g}" for part in parts]
        terms += [f"{rest_ms:g} for the rest"] if rest_ms else []
        raise InvalidInput(
            f"serving.{whole} is {said[whole]:g}, but {' + '.join(terms)} make {needed_ms:g}",
            field=f"serving.{whole}",
            hint=f"lower {', '.join(parts[:-1])} or {parts[-1]}, or raise {whole}",
        )
