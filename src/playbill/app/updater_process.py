"""The updater as a process."""

import signal

from playbill.app.checkpointing import Checkpoints
from playbill.app.collecting import collect_in_portions, collect_young
from playbill.app.process import join_family, say
from playbill.app.stopping import Stop
from playbill.app.wiring import Wiring
from playbill.core import DependencyUnavailable

PLACE = 0
_RETRY_S = 0.5


def run_updater(wiring: Wiring) -> None:
    """Recover, then move state along until told to stop; a last checkpoint on the way out.

    Raises:
        DependencyUnavailable: the user store is gone; a new process rebuilds it.
    """
    stop = Stop()
    signal.signal(signal.SIGTERM, stop.ask)
    _, row = join_family(PLACE, wiring)
    clock, settings = wiring.clock, wiring.settings
    users = wiring.users(writer=True)
    items = wiring.items(create=True)
    updater = wiring.updater(users, items)
    checkpoints = Checkpoints(updater, users, row)
    updater.recover(lambda epoch: row.beat(clock.elapsed_s()), say)
    collect_in_portions()
    row.ready()
    items.touch()
    interval_s = settings.epochs.interval_ms / 1000.0
    checkpoint_at_s = clock.elapsed_s() + settings.epochs.checkpoint_s
    while not stop.asked():
        started_s = clock.elapsed_s()
        row.beat(started_s)
        if not users.present():
            raise DependencyUnavailable("the user store's file is gone; it is rebuilt from the log")
        if not items.present():
            raise DependencyUnavailable("the mapped item state is gone; it is made anew")
        try:
            report = updater.step()
        except DependencyUnavailable as error:
            if error.code != "log_unavailable":
                raise
            row.add("errors")
            stop.wait(_RETRY_S)
            continue
        if report is not None:
            row.add("epochs")
            row.add("folded", report.events)
            row.add("unknown_videos", report.unknown_videos)
            row.add("unknown_authors", report.unknown_authors)
            row.add("video_keys_taken", report.video_keys_taken)
            row.add("videos_without_room", report.videos_without_room)
        if checkpoints.look() and started_s >= checkpoint_at_s:
            checkpoint_at_s = started_s + settings.epochs.checkpoint_s
            checkpoints.begin()
        collect_young()
        if report is None or not report.more:
            stop.wait(max(0.0, interval_s - (clock.elapsed_s() - started_s)))
    while updater.step() is not None:
        row.beat(clock.elapsed_s())
    users.sync()
    checkpoints.write()
    users.close()
