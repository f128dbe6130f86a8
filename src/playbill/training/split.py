"""Which rows train, which validate, which report: always in the order of time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.core import DAY_MS, HOUR_MS, InvalidInput

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FEWEST_DAYS = 4
"""From so many days on a split goes by days."""
_FEWEST_ROWS = 64
_PARTIAL_DAY = 0.2


@dataclass(frozen=True, slots=True)
class Split:
    """Rows before ``train_until_ms`` train, then validate, then report; the rest is not used."""

    train_until_ms: int
    validate_until_ms: int
    report_until_ms: int
    by: str

    def train(self, at_ms: Ints) -> Mask:
        """Return (N,) True for rows that train."""
        return at_ms < self.train_until_ms

    def validate(self, at_ms: Ints) -> Mask:
        """Return (N,) True for rows that choose and calibrate."""
        return (at_ms >= self.train_until_ms) & (at_ms < self.validate_until_ms)

    def report(self, at_ms: Ints) -> Mask:
        """Return (N,) True for rows that are only scored."""
        return (at_ms >= self.validate_until_ms) & (at_ms < self.report_until_ms)


def local_days(at_ms: Ints, day_offset_h: int) -> Ints:
    """Return (N,) the number of the day since 1970, days beginning ``day_offset_h`` before UTC's.

    KuaiRand's days are Beijing's: an offset of 8.
    """
    return (at_ms + day_offset_h * HOUR_MS) // DAY_MS


def quick_split(at_ms: Ints, holdout: float, day_offset_h: int = 0) -> Split:
    """Return the split of the quick protocol.

    Over four days or more the last day reports and the one before validates; a last day of less
    than a fifth of the usual rows is taken together with the one before it. Over less, shares of
    the rows do, in the order of time: nothing happens in much of so short a span.

    Args:
        at_ms: (N,) instants of the rows.
        holdout: share of the rows that reports, and as much that validates.
        day_offset_h: when days begin, in hours before midnight UTC.

    Raises:
        InvalidInput: a part would be empty, or fewer than 64 rows would train.
    """
    if not len(at_ms):
        raise InvalidInput(
            "there are no rows to split whose labels are known yet",
            hint="serve feeds or import a history",
        )
    bounds = day_bounds(at_ms, day_offset_h)
    if len(bounds) > FEWEST_DAYS:
        split = Split(bounds[-3], bounds[-2], bounds[-1], "days")
    else:
        in_order, share = np.sort(at_ms), max(1, round(len(at_ms) * holdout))
        validate, report = (int(in_order[max(0, len(at_ms) - n * share)]) for n in (2, 1))
        split = Split(validate, report, int(in_order[-1]) + 1, "shares")
    return _checked(split, at_ms)


def rolling_splits(at_ms: Ints, days: int = 5, day_offset_h: int = 0) -> list[Split]:
    """Return a split for each of the last days: it reports, the day before validates.

    Raises:
        InvalidInput: the rows cover fewer than ``days`` + 2 days.
    """
    bounds = day_bounds(at_ms, day_offset_h)
    if len(bounds) - 1 < days + 2:
        raise InvalidInput(
            f"the rows cover {max(len(bounds) - 1, 0)} days; rolling over {days} needs {days + 2}",
            hint="use the quick protocol, or wait for more days",
        )
    places = range(len(bounds) - 1 - days, len(bounds) - 1)
    return [_checked(Split(bounds[k - 1], bounds[k], bounds[k + 1], "days"), at_ms) for k in places]


def day_bounds(at_ms: Ints, day_offset_h: int) -> list[int]:
    """Return where the days that have rows begin, and where the last one ends, in milliseconds."""
    if not len(at_ms):
        return []
    days, counts = np.unique(local_days(at_ms, day_offset_h), return_counts=True)
    begins = [int(day) * DAY_MS - day_offset_h * HOUR_MS for day in days]
    end = begins[-1] + DAY_MS
    if len(begins) > 1 and counts[-1] < _PARTIAL_DAY * np.median(counts):
        del begins[-1]
    return [*begins, end]


def _checked(split: Split, at_ms: Ints) -> Split:
    sizes = [int(part(at_ms).sum()) for part in (split.train, split.validate, split.report)]
    if sizes[0] < _FEWEST_ROWS or not sizes[1] or not sizes[2]:
        raise InvalidInput(
            f"{sizes[0]:,} rows would train, {sizes[1]:,} validate and {sizes[2]:,} report; "
            f"at least {_FEWEST_ROWS}, 1 and 1 are needed",
            hint="collect more impressions, or spread them over more time",
        )
    return split
