"""How events change the sums of videos, authors and topics."""

from numba import njit

from playbill.features.arithmetic_kernel import pow2
from playbill.features.layout import LANDMARK_STEP_MS


@njit(nogil=True, cache=True)
def absorb(records, rows, at_ms, signals, slot_signal, slot_decay, half_lives_ms):
    """Add E events to the decayed sums of the rows they name, in order.

    Args:
        records: (R,) records with ``landmark_ms`` and ``slots``.
        rows: (E,) row of each event, -1 for none.
        at_ms: (E,) instants; an event before the row's landmark weighs less, never nothing.
        signals: (E, 8) float32, what each event adds by signal.
        slot_signal: (S,) which signal a slot adds.
        slot_decay: (S,) which half-life a slot has.
        half_lives_ms: (H,) milliseconds.
    """
    slots = slot_signal.shape[0]
    for e in range(rows.shape[0]):
        r = rows[e]
        if r < 0:
            continue
        record = records[r]
        at = at_ms[e]
        sums = record.slots
        if record.landmark_ms == 0:
            record.landmark_ms = at
        elif at - record.landmark_ms >= LANDMARK_STEP_MS:
            back = float(record.landmark_ms - at)
            for s in range(slots):
                sums[s] = sums[s] * pow2(back / half_lives_ms[slot_decay[s]])
            record.landmark_ms = at
        ahead = float(at - record.landmark_ms)
        for s in range(slots):
            gain = signals[e, slot_signal[s]]
            if gain != 0.0:
                sums[s] = sums[s] + gain * pow2(ahead / half_lives_ms[slot_decay[s]])
