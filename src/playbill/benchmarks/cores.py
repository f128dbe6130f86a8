"""Where the cores' time goes while something is measured, process by process."""

import os
from collections.abc import Mapping
from pathlib import Path

from playbill.app.process import queued_for_a_core_s
from playbill.core import Clock

_STAT = Path("/proc/stat")
_STEAL = 8
"""The place of the time that a virtual machine's host gave to others, on a line of /proc/stat."""


def steal_ms() -> float:
    """Return how long all cores together have waited for the machine's host, since it began.

    Where there is no host, or it does not say so, that is 0. Source: proc_stat(5).
    """
    fields = _STAT.read_text().partition("\n")[0].split()
    ticks = int(fields[_STEAL]) if len(fields) > _STEAL else 0
    return 1000.0 * ticks / os.sysconf("SC_CLK_TCK")


class CoreTime:
    """Time on a core and time in the queue for one, from its making to ``shares``.

    Args:
        processes: ids by name.
        clock: measures the time between.
    """

    def __init__(self, processes: Mapping[str, int], clock: Clock) -> None:
        self._processes = processes
        self._clock = clock
        self._began_s = clock.elapsed_s()
        self._before = {name: _times_s(pid) for name, pid in processes.items()}

    def shares(self) -> dict[str, dict[str, float]]:
        """Return, of each process that still runs, the share of the time on a core and queued.

        A process that is alone on its core queues hardly at all; where it does, something else
        took part in the measurement.
        """
        seconds = max(self._clock.elapsed_s() - self._began_s, 1e-9)
        found = {}
        for name, pid in self._processes.items():
            if Path(f"/proc/{pid}").exists():
                pairs = zip(_times_s(pid), self._before[name], strict=True)
                on, queued = ((now - then) / seconds for now, then in pairs)
                found[name] = {"on_core": round(on, 3), "queued": round(queued, 3)}
        return found


def _times_s(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), queued_for_a_core_s(pid)
