"""Training needs libraries that serving must not load; importing this says so before anything."""

from importlib.util import find_spec

from playbill.core import DependencyUnavailable

NEEDED = ("deltalake", "duckdb", "onnx", "pyarrow", "torch")


def require_extra(needed: tuple[str, ...] = NEEDED, extra: str = "train") -> None:
    """Do nothing when every library of an extra is installed.

    Raises:
        DependencyUnavailable: names those that are missing.
    """
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise DependencyUnavailable(
            f"training needs {', '.join(missing)}, which this machine lacks",
            hint=f"pip install 'playbill[{extra}]'",
        )


require_extra()
