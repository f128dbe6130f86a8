"""Other processes that write or read a log, and say what they did line by line."""

import subprocess
import sys
from contextlib import contextmanager

WRITER = """
import resource, sys
from pathlib import Path
from playbill.contracts import Batch, BatchKind
from playbill.core import DependencyUnavailable
from playbill.events.adapters.sqlite_log import SqliteEventLog
folder, largest_file, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if largest_file:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
writer = SqliteEventLog(folder).writer("worker-1")
number = 0
while True:
    group = [Batch(BatchKind.EVENTS, number, b"%09d" % (number + n) * size) for n in range(3)]
    try:
        offset = writer.append(group, number)
    except DependencyUnavailable as refusal:
        print("refused", refusal.code, refusal.message, flush=True)
        sys.stdin.read()
        break
    number += 3
    print(offset, flush=True)
"""

READER = """
import sys
from pathlib import Path
from playbill.events.adapters.sqlite_log import SqliteEventLog
log = SqliteEventLog(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    found = log.read("worker-1", int(line), 100)
    print(log.last_offset("worker-1"), *[stored.payload.hex() for stored in found], flush=True)
"""


@contextmanager
def running(script, *arguments):
    """Run a script with its own pipes; it is killed at the end of the block."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(process, line):
    """Return the line with which a process answers one line."""
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()
