"""Garbage in small portions: nobody waits for a pass over everything that is remembered."""

import gc


def collect_in_portions() -> None:
    """Set what there is aside for good, and leave young objects to ``collect_young``.

    A process remembers some hundred thousand objects. The interpreter's own full passes go over all
    of them, for half a second, while it holds its lock. What we keep for long holds no cycles; what
    an error leaves in one is young when it is let go.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def collect_young() -> None:
    """Free the cycles among what was made since the last time but one."""
    gc.collect(1)
