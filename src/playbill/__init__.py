"""Playbill: events in, a learned home feed out, and a feed that always comes back."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playbill.app.verbs import Home as Home

__version__ = "0.1.0"

__all__ = ["Home", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the verbs on first use, so that ``import playbill`` costs nothing."""
    if name == "Home":
        from playbill.app.verbs import Home

        return Home
    raise AttributeError(f"module 'playbill' has no attribute {name!r}")
