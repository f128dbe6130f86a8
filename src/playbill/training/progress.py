"""How long work says where it is."""

from collections.abc import Callable

OnProgress = Callable[[str, float], None]
"""Called with the name of a stage and the share of it that is done, 0 to 1."""


def within(on_progress: OnProgress | None, stage: str) -> Callable[[float], None]:
    """Return what reports one stage's share, doing nothing when nobody listens."""
    if on_progress is None:
        return lambda share: None
    return lambda share: on_progress(stage, min(max(share, 0.0), 1.0))
