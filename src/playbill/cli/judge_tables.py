"""An evaluation as tables for people."""

from typing import Any

from rich.table import Table

from playbill.cli.shared import out

_GAINS = ("auc", "gauc", "gauc_one_snapshot")


def print_ranking(report: dict[str, Any]) -> None:
    """Print a quick or a rolling report."""
    table = Table(title=f"{report['protocol']}: {report['rows']:,} rows held out")
    for heading in (
        "task",
        "AUC",
        "GAUC",
        "GAUC, viewer read once a day",
        "log loss",
        "calibration",
    ):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    for task, found in report["metrics"].items():
        table.add_row(
            task,
            *(_ranged(found, name) for name in _GAINS),
            _figure(found["log_loss"]),
            _figure(found["calibration"]),
        )
    out.print(table)
    if report["baselines"]:
        out.print(_gains(report))
    out.print(report["note"], highlight=False)


def _gains(report: dict[str, Any]) -> Table:
    """Return by how much the ranker is above each baseline, task by task."""
    table = Table(title="above the others: paired differences with 95 % intervals")
    for heading in ("other", "task", "its AUC", "AUC", "GAUC", "GAUC, viewer read once a day"):
        table.add_column(heading, justify="left" if heading in ("other", "task") else "right")
    for name, tasks in report["gains"].items():
        for task, gain in tasks.items():
            theirs = _figure(report["baselines"][name][task]["auc"])
            table.add_row(name, task, theirs, *(_ranged(gain, figure) for figure in _GAINS))
    return table


def print_staleness(report: dict[str, Any]) -> None:
    """Print what rankers lose by growing old."""
    table = Table(title=f"staleness: rankers of {report['days']} days, beside fresh ones")
    for heading in ("days old", "rows", "task", "AUC", "above fresh: AUC", "GAUC",
                    "GAUC, viewer read once a day"):  # fmt: skip
        table.add_column(heading, justify="left" if heading == "task" else "right")
    for part in report["curve"]:
        for task, found in part["tasks"].items():
            above = (_ranged(found["above_fresh"], name) for name in _GAINS)
            rows = f"{part['rows']:,}"
            table.add_row(str(part["age_days"]), rows, task, _figure(found["auc"]), *above)
    out.print(table)
    out.print(report["note"], highlight=False)


def print_retrieval(report: dict[str, Any]) -> None:
    """Print where each viewer's last video stands."""
    title = f"leave-one-out: {report['viewers']:,} viewers, {report['videos']:,} videos"
    table = Table(title=f"{title}, {report['seeds']} seeds")
    cut = report["cut"]
    for heading in ("ranked by", f"HR@{cut}", "spread", f"NDCG@{cut}", "spread"):
        table.add_column(heading, justify="left" if heading == "ranked by" else "right")
    for name, found in report["sources"].items():
        figures = ("hit_rate", "hit_rate_spread", "ndcg", "ndcg_spread")
        table.add_row(name, *(f"{found[figure]:.4f}" for figure in figures))
    out.print(table)
    out.print(_lists(report["lists"], cut))
    weights = ", ".join(f"{run['counts_weigh']:g}" for run in report["runs"])
    out.print(f"in the blend, counts weigh {weights}", highlight=False)
    out.print(report["note"], highlight=False)


def _lists(lists: dict[str, dict[str, float]], cut: int) -> Table:
    """Return what the first places are like, source by source."""
    table = Table(title=f"the first {cut} of every viewer, first seed")
    headings = {
        "coverage": "coverage",
        "novelty": "novelty, bits",
        "top_videos": "top 1 % of videos",
        "top_authors": "top 1 % of authors",
        "age_days": "age, days",
    }
    table.add_column("ranked by")
    for heading in headings.values():
        table.add_column(heading, justify="right")
    for name, found in lists.items():
        table.add_row(name, *(f"{found[figure]:,.3f}" for figure in headings))
    return table


def print_cold_start(report: dict[str, Any]) -> None:
    """Print how new videos and new viewers are placed."""
    videos = report["videos"]
    parts = {f"{videos['held']:,} new videos of {videos['of']:,}": videos}
    parts |= {
        f"new viewers after {size} videos": found for size, found in report["viewers"].items()
    }
    cut = report["cut"]
    table = Table(title=f"cold-start: {report['seeds']} seeds, a tenth held out")
    for heading in ("foretold", "viewers", "ranked by", f"HR@{cut}", f"NDCG@{cut}"):
        table.add_column(heading, justify="left" if "r" in heading[:2] else "right")
    for name, part in parts.items():
        for source, found in part["sources"].items():
            figures = (f"{found[figure]:.4f}" for figure in ("hit_rate", "ndcg"))
            table.add_row(name, f"{part['viewers']:,}", source, *figures)
        margin = (_ranged_gain(part["above_popularity"][figure]) for figure in ("hit_rate", "ndcg"))
        table.add_row(name, "", "towers above popularity", *margin, end_section=True)
    out.print(table)
    out.print(report["note"], highlight=False)


def _ranged_gain(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['gain']:+.4f} [{low:+.4f}, {high:+.4f}]"


def print_policies(report: dict[str, Any]) -> None:
    """Print what other policies are worth."""
    title = f"off-policy: {report['feeds']:,} feeds, {report['by_chance']:,} places by chance"
    table = Table(title=title)
    for heading in ("policy", "reward", "IPS", "self-normalised", "doubly robust", "effective"):
        table.add_column(heading, justify="left" if heading in ("policy", "reward") else "right")
    for reward, value in report["logged"].items():
        table.add_row("as logged", reward, f"{value:.4f}", "", "", f"{report['places']:,}")
    named = {f"explore_share {share}": found for share, found in report["shares"].items()}
    named |= {f"order of {digest[:15]}…": found for digest, found in report["orders"].items()}
    for name, rewards in named.items():
        for reward, found in rewards.items():
            if "refused" in found:
                table.add_row(name, reward, "not told", "", "", "")
                continue
            estimates = (_estimated(found[how]) for how in ("ips", "snips", "dr"))
            table.add_row(name, reward, *estimates, f"{found['effective_sample']:,.0f}")
    out.print(table)
    refused = {found["refused"] for each in named.values() for found in each.values()
               if "refused" in found}  # fmt: skip
    for why in sorted(refused):
        out.print(f"not told: {why}", highlight=False)
    drafted = report["interleaving"]
    if drafted is not None:
        preference = _ranged(drafted, "preference")
        feeds = f"over {drafted['feeds']:,} feeds with a click"
        out.print(f"drafting against {drafted['theirs'][:15]}…: {preference} {feeds}",
                  highlight=False)  # fmt: skip
    out.print(report["note"], highlight=False)


def _estimated(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    low, high = found["interval"]
    return f"{found['value']:.4f} [{low:.4f}, {high:.4f}]"


def _figure(value: Any) -> str:
    return "none" if value is None else f"{value:.4f}"


def _ranged(found: dict[str, Any], name: str) -> str:
    interval = found.get(f"{name}_interval")
    text = _figure(found[name])
    return f"{text} [{interval[0]:.4f}, {interval[1]:.4f}]" if interval else text
