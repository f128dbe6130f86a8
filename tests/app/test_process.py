"""What the supervisor knows of a process from outside."""

import os
import subprocess
import sys
from contextlib import contextmanager

from live_home import until
from playbill.app.process import queued_for_a_core_s

SPIN = """import os
os.sched_setaffinity(0, [{core}])
while True:
    pass
"""


@contextmanager
def spinning(core: int, count: int):
    processes = [
        subprocess.Popen([sys.executable, "-c", SPIN.format(core=core)]) for _ in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_two_processes_on_one_core_queue_for_it():
    core = min(os.sched_getaffinity(0))
    with spinning(core, 2) as processes:
        for process in processes:
            until(lambda pid=process.pid: queued_for_a_core_s(pid) > 0.05, "it queued")


def test_a_process_that_is_gone_queues_for_nothing():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert queued_for_a_core_s(process.pid) == 0.0
