"""``python -m bench``: run every measurement, print a table, write JSON."""

import argparse
import json
import os
import platform
from pathlib import Path

from bench.feeds import measure_feeds
from bench.fold import measure_fold
from bench.ingest import measure_ingest
from bench.learning import measure_ranker, measure_towers
from bench.measure import Measurement
from bench.replay import measure_replay
from bench.slate import measure_slate

ALL = {
    "ingest": measure_ingest,
    "fold": measure_fold,
    "replay": measure_replay,
    "slate": measure_slate,
    "ranker": measure_ranker,
    "towers": measure_towers,
    "feeds": measure_feeds,
}


def hardware() -> str:
    """Return one line on the machine."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Python {platform.python_version()}"
    )


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--only", choices=sorted(ALL), action="append")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    found: list[Measurement] = []
    for name, measure in ALL.items():
        if arguments.only and name not in arguments.only:
            continue
        print(f"{name} …", flush=True)
        found.append(measure(arguments.repeats))
    print(f"\n{hardware()}; each measured on one core, median of {arguments.repeats}\n")
    print(f"{'what':10}{'median':>14}{'least':>14}{'most':>14}{'goal':>14}   unit")
    for row in found:
        goal = f"{row.goal:,.0f}" if row.goal else "none"
        print(
            f"{row.name:10}{row.median:14,.0f}{min(row.rates):14,.0f}{max(row.rates):14,.0f}"
            f"{goal:>14}   {row.unit}"
        )
        for note in row.notes:
            print(f"{'':10}{note}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    report = {"hardware": hardware(), "measurements": [row.as_json() for row in found]}
    (arguments.out / "bench.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
