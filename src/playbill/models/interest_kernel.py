"""A viewer's interests and how a candidate crosses them, in the numbers that serve and train."""

import numpy as np
from numba import njit

_NOTHING = np.float32(0.0)
_HOW = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**_HOW)
def add_up(videos, actions, codes, step, deeds, out):
    """Fill (W,) the mean of video plus deed over what a viewer did lately; zeros for nothing.

    Args:
        videos: (H,) rows; those that the codes do not reach count as zeros.
        actions: (H,) bits of ``history_action``, 0 where there is no video.
        codes: (I, W) int8, W videos' coordinates in steps.
        step: float32, what one step is worth.
        deeds: (256, W) float32 by bits.
        out: (W,) float32.
    """
    out[:] = _NOTHING
    count = 0
    for h in range(actions.shape[0]):
        if actions[h] == 0:
            continue
        count += 1
        row = np.int64(videos[h])
        for w in range(out.shape[0]):
            out[w] += deeds[actions[h], w]
            if row < codes.shape[0]:
                out[w] += np.float32(codes[row, w]) * step
    if count:
        share = np.float32(1.0) / np.float32(count)
        for w in range(out.shape[0]):
            out[w] *= share


@njit(**_HOW)
def cross(row, interests, codes, step, out):
    """Fill (W,) the product of a viewer's interests and a candidate's coordinates."""
    for w in range(interests.shape[0]):
        mine = np.float32(codes[row, w]) * step if row < codes.shape[0] else _NOTHING
        out[w] = interests[w] * mine


@njit(**_HOW)
def fill_ranker_input(features, places, rows, user, codes, step, deeds, out):
    """Fill (C, F + 2W) what the ranker is asked about C candidates of one viewer.

    Args:
        features: (N, F) float32.
        places: (C,) int64, where each candidate stands among them.
        rows: (C,) int64 of the candidates.
        user: (1,) ``USER_RECORD``.
        codes: (I, W) int8.
        step: float32.
        deeds: (256, W) float32.
        out: (C, F + 2W) float32: features, interests, crossed interests.
    """
    count, width = features.shape[1], codes.shape[1]
    interests, near = np.empty(width, np.float32), np.zeros((rows.shape[0], width), np.int8)
    # So little is done for each here that memory is asked for many codes at once.
    for c in range(rows.shape[0]):
        if rows[c] < codes.shape[0]:
            near[c] = codes[rows[c]]
    add_up(user[0].history, user[0].history_action, codes, step, deeds, interests)
    for c in range(rows.shape[0]):
        for f in range(count):
            out[c, f] = features[places[c], f]
        for w in range(width):
            out[c, count + w] = interests[w]
        cross(c, interests, near, step, out[c, count + width :])


@njit(**_HOW)
def fill_crossed(rows, videos, actions, codes, step, deeds, out):
    """Fill (N, 2W) interests and crossed interests of N rows, each with its own history.

    Args:
        rows: (N,) int64 of the candidates.
        videos: (N, H) uint32.
        actions: (N, H) uint8.
        codes: (I, W) int8.
        step: float32.
        deeds: (256, W) float32.
        out: (N, 2W) float32.
    """
    width = codes.shape[1]
    for n in range(rows.shape[0]):
        add_up(videos[n], actions[n], codes, step, deeds, out[n, :width])
        cross(rows[n], out[n, :width], codes, step, out[n, width:])
