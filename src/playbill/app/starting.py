"""What a server does while the updater still recovers: everything that needs no state."""

import asyncio
from functools import partial

from playbill.app.kernels import Part, all_ran, help_out, in_turns
from playbill.app.wiring import Wiring
from playbill.core import DependencyUnavailable
from playbill.features.adapters.shared_items import SharedItems
from playbill.serving import BoardRow
from playbill.serving.warm_up import PARTS

_LOOK_S = 0.01
_HELP_AFTER_S = 1.0
"""Kernels that the cache holds are loaded in less; whoever only helps would load them in vain."""


async def until_recovered(
    wiring: Wiring, row: BoardRow, place: int, stopping: asyncio.Event, *, ranks: bool
) -> bool:
    """Compile what requests call, and return True once the updater has recovered.

    The heart beats meanwhile. Past the home's start the updater is not waited for: it may be gone,
    and feeds come all the same.

    Args:
        wiring: of a running home.
        row: the process's own.
        place: its number; processes with different ones begin with different kernels.
        stopping: ends the wait; then this returns False.
        ranks: whether this process calls the kernels itself, or only helps those that do.
    """
    began_s = wiring.clock.elapsed_s()
    warming: asyncio.Task[None] | None = None
    while not stopping.is_set():
        now_s = wiring.clock.elapsed_s()
        row.beat(now_s)
        patient = not ranks and now_s - began_s < _HELP_AFTER_S
        if not ranks and all_ran(wiring.layout.kernels, PARTS):
            patient = False
        elif warming is None and not patient:
            warming = _begun(wiring, place, ranks)
        done = not patient and (warming is None or warming.done())
        if done and wiring.layout.recovered.exists():
            if warming is not None:
                await warming
            return True
        await asyncio.sleep(_LOOK_S)
    return False


def _begun(wiring: Wiring, place: int, ranks: bool) -> asyncio.Task[None] | None:
    """Begin to compile in a thread, once there are arrays of the types that kernels meet."""
    try:
        items = wiring.items(create=False)
    except DependencyUnavailable:
        return None
    return asyncio.ensure_future(asyncio.to_thread(_compile, wiring, items, place, ranks))


def _compile(wiring: Wiring, items: SharedItems, place: int, ranks: bool) -> None:
    parts: dict[str, Part] = {
        name: partial(part, items, wiring.clock, wiring.settings) for name, part in PARTS.items()
    }
    share = in_turns if ranks else help_out
    share(wiring.layout.kernels, parts, place)
