"""The page of an evaluation: what is foretold beside what came, and every figure there is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playbill.benchmarks.page import bars, lines, table, write_page

_RANKING = ("auc", "gauc", "gauc_one_snapshot", "log_loss", "normalised_entropy", "calibration")


def write_evaluation(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report of any protocol as a page that needs nothing else.

    Raises:
        OSError: the file cannot be written.
    """
    told = _PARTS.get(report["protocol"], _of_ranking)
    write_page(path, f"Evaluation: {report['protocol']}", report, told(report))


def _of_staleness(report: Mapping[str, Any]) -> list[str]:
    parts, curve = [], report["curve"]
    ages = [float(part["age_days"]) for part in curve]
    for task in curve[0]["tasks"]:
        above = [part["tasks"][task]["above_fresh"]["auc"] for part in curve]
        if None not in above:
            y = [max(-1_000.0 * each, 0.0) for each in above]
            parts.append(lines(f"AUC of {task} lost by days of age, in thousandths", ages, y, ""))
    rows = [
        {
            "days old": part["age_days"],
            "rows": part["rows"],
            "task": task,
            "AUC": found["auc"],
            **{f"above fresh: {key}": _range(found["above_fresh"], key) for key in _RANKING[:3]},
        }
        for part in curve
        for task, found in part["tasks"].items()
    ]
    return [*parts, table("By age", rows)]


def _of_retrieval(report: Mapping[str, Any]) -> list[str]:
    rows = [{"ranked by": name, **found} for name, found in report["sources"].items()]
    shares = [(name, 100.0 * found["hit_rate"]) for name, found in report["sources"].items()]
    lists = [{"ranked by": name, **found} for name, found in report["lists"].items()]
    parts = [bars(f"HR@{report['cut']}", shares, "%"), table("Sources", rows)]
    return [*parts, table(f"The first {report['cut']} of every viewer, first seed", lists)]


def _of_cold_start(report: Mapping[str, Any]) -> list[str]:
    found = {"new videos": report["videos"]}
    found |= {f"new viewers after {size}": part for size, part in report["viewers"].items()}
    parts = []
    for name, part in found.items():
        shares = [(by, 100.0 * figures["hit_rate"]) for by, figures in part["sources"].items()]
        parts.append(bars(f"HR@{report['cut']} of {name}", shares, "%"))
    rows = [
        {"foretold": name, "viewers": part["viewers"], "ranked by": by, **figures}
        for name, part in found.items()
        for by, figures in part["sources"].items()
    ]
    margins = [
        {"foretold": name, "figure": figure, **margin}
        for name, part in found.items()
        for figure, margin in part["above_popularity"].items()
    ]
    return [*parts, table("Sources", rows), table("Towers above popularity", margins)]


def _of_policies(report: Mapping[str, Any]) -> list[str]:
    named = {f"explore_share {share}": found for share, found in report["shares"].items()}
    named |= {f"order of {digest}": found for digest, found in report["orders"].items()}
    rows = [
        {
            "policy": name,
            "reward": reward,
            **{how: _interval(found.get(how)) for how in ("ips", "snips", "dr")},
            "effective sample": found.get("effective_sample"),
            "not told": found.get("refused"),
        }
        for name, rewards in named.items()
        for reward, found in rewards.items()
    ]
    logged = [{"reward": name, "of one place": value} for name, value in report["logged"].items()]
    parts = [table("As logged", logged), table("Other policies", rows)]
    if report["interleaving"]:
        parts.append(table("Drafted feeds", [report["interleaving"]]))
    return parts


def _interval(found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    low, high = found["interval"]
    return f"{found['value']:.5f} [{low:.5f}, {high:.5f}]"


def _of_ranking(report: Mapping[str, Any]) -> list[str]:
    parts = []
    rankers = {"the ranker": report["metrics"], **report["baselines"]}
    for task, found in report["metrics"].items():
        if found["auc"] is not None:
            order = [(name, 1_000.0 * tasks[task]["auc"]) for name, tasks in rankers.items()]
            parts.append(bars(f"AUC of {task}, in thousandths", order, ""))
    for task in report["metrics"]:
        rows = [{"ranker": name, **_told(tasks[task])} for name, tasks in rankers.items()]
        parts.append(table(f"{task}", rows))
    gains = [
        {"baseline": name, "task": task, **{key: _range(gain, key) for key in _RANKING[:3]}}
        for name, tasks in report["gains"].items()
        for task, gain in tasks.items()
    ]
    if gains:
        parts.append(table("Above the baselines, paired, with 95 % intervals", gains))
    for dimension, values in report["slices"].items():
        rows = [
            {dimension: value, "rows": found["rows"], "task": task, **found[task]}
            for value, found in values.items()
            for task in report["metrics"]
        ]
        parts.append(table(f"By {dimension.replace('_', ' ')}", rows))
    return parts


def _told(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: _range(found, name) for name in _RANKING}


def _range(found: Mapping[str, Any], name: str) -> str:
    value, interval = found.get(name), found.get(f"{name}_interval")
    if value is None:
        return ""
    ends = f" [{interval[0]:.4f}, {interval[1]:.4f}]" if interval else ""
    return f"{value:.4f}{ends}"


_PARTS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "staleness": _of_staleness,
    "leave-one-out": _of_retrieval,
    "cold-start": _of_cold_start,
    "off-policy": _of_policies,
}
"""What is drawn, by protocol; the others judge rankers."""
