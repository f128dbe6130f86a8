"""Scanning inverted lists of 8-bit codes: the best of thousands in one pass."""

import numpy as np
from numba import njit

from playbill.features.prefetch_kernel import LINE_BYTES, ask_line
from playbill.retrieval.dot_kernel import dot
from playbill.retrieval.hits_kernel import best_in_front, hit_of, permitted, score_of

LARGEST_CODE = np.float32(127.0)
_BLOCK = 256
"""So many scores are compared with one bar."""
_AHEAD = 64
"""So many codes before it is read, a code is asked for: one page of memory."""
_NUMBER_BYTES = 4
_SPARE = 4
"""One in so many hits beyond those that are wanted is kept for the gate to take away."""


@njit(nogil=True, cache=True)
def _code(vector, code):
    """Fill the 8-bit code of a vector, as 16-bit numbers, and return what one step is worth."""
    largest = np.float32(1e-12)
    for d in range(vector.shape[0]):
        largest = max(largest, abs(vector[d]))
    step = np.float32(largest / LARGEST_CODE)
    for d in range(vector.shape[0]):
        code[d] = np.int16(np.rint(vector[d] / step))
    return step


@njit(nogil=True, cache=True)
def _scores(coded, part, code, step, out):
    """Fill the score of each code of a part.

    Args:
        coded: (N, D) int8 codes and (N,) float32 scales.
        part: first and last.
        code: (D,) int16.
        step: of the code.
        out: float32, as long as the part.
    """
    codes, scales = coded
    first, last = part
    at, size = codes.ctypes.data, codes.shape[1]
    for n in range(last - first):
        ask_line(at + min(first + n + _AHEAD, last - 1) * size)
        out[n] = np.float32(dot(codes, first + n, code)) * scales[first + n] * step


@njit(nogil=True, cache=True)
def _insert(names, scores, count, name, score):
    """Put a name that is good enough among the best, best first; return how many there are now."""
    place = min(count, names.shape[0] - 1)
    while place > 0 and scores[place - 1] < score:
        names[place], scores[place] = names[place - 1], scores[place - 1]
        place -= 1
    names[place], scores[place] = name, score
    return min(count + 1, names.shape[0])


@njit(nogil=True, cache=True)
def _at_least(scores, count, bar, places):
    """Fill the places of scores that are not below a bar, without a branch; return how many."""
    found = 0
    for n in range(count):
        places[found] = n
        found += scores[n] >= bar
    return found


@njit(nogil=True, cache=True)
def _best_of(coded, part, code, step, work, names, best, count):
    """Take codes ``first`` to ``last`` into the best ``count`` so far; return how many there are.

    Args:
        coded: (N, D) codes and (N,) scales.
        part: first and last.
        code: (D,) int16.
        step: of the code.
        work: scores and places of a block.
        names: (K,) int64, the best so far.
        best: (K,) float32, their scores.
        count: of them.
    """
    scores, places = work
    first, last = part
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        _scores(coded, (begin, end), code, step, scores)
        bar = best[count - 1] if count == best.shape[0] else np.float32(-np.inf)
        for p in range(_at_least(scores, end - begin, bar, places)):
            score = scores[places[p]]
            if count < best.shape[0] or score > best[count - 1]:
                count = _insert(names, best, count, begin + places[p], score)
    return count


@njit(nogil=True, cache=True)
def _nearest_lists(tree, code, step, work, groups, lists):
    """Fill ``lists`` with those nearest to a code, of the groups nearest to it; return how many.

    Args:
        tree: (S, D) codes and (S,) scales of groups, (S + 1,) where their lists begin, (L, D)
            codes and (L,) scales of lists.
        code: (D,) int16.
        step: of the code.
        work: scores and places of a block.
        groups: (G,) int64, for as many groups as are looked into.
        lists: (P,) int64.
    """
    group_codes, group_scales, group_starts, list_codes, list_scales = tree
    best = np.empty(groups.shape[0], np.float32)
    coded, every = (group_codes, group_scales), (0, group_codes.shape[0])
    chosen = _best_of(coded, every, code, step, work, groups, best, 0)
    best = np.empty(lists.shape[0], np.float32)
    coded = (list_codes, list_scales)
    count = 0
    for c in range(chosen):
        part = (group_starts[groups[c]], group_starts[groups[c] + 1])
        count = _best_of(coded, part, code, step, work, lists, best, count)
    return count


@njit(nogil=True, cache=True)
def _work():
    """Return room for the scores of a block, and for places in it."""
    return np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.int64)


@njit(nogil=True, cache=True)
def assign(tree, vectors, groups_looked_into, owner):
    """Fill (M,) the list nearest to each of (M, D) vectors."""
    code = np.empty(vectors.shape[1], np.int16)
    groups = np.empty(min(groups_looked_into, tree[0].shape[0]), np.int64)
    nearest, work = np.empty(1, np.int64), _work()
    for m in range(vectors.shape[0]):
        step = _code(vectors[m], code)
        _nearest_lists(tree, code, step, work, groups, nearest)
        owner[m] = nearest[0]


@njit(nogil=True, cache=True)
def _look_through(segments, lists, code, step, work, gate, best):
    """Fill the best hits of some lists, in no order.

    Args:
        segments: as in ``scan``.
        lists: (P,) int64, nearest first.
        code: (D,) int16.
        step: of the code.
        work: scores and places of a block.
        gate: as in ``scan``.
        best: (2 K,) uint64.

    Returns:
        How many hits there are, at most K, and whether more were found.
    """
    scores, places = work
    keep = best.shape[0] // 2
    count, checked, cut = 0, 0, False
    bar, bar_score = np.uint64(0), np.float32(-np.inf)
    for segment in segments:
        starts, codes, scales, rows = segment
        for p in range(lists.shape[0]):
            last = starts[lists[p] + 1]
            if p + 1 < lists.shape[0]:
                _ask_for(starts[lists[p + 1]], starts[lists[p + 1] + 1], codes, scales, rows)
            for begin in range(starts[lists[p]], last, _BLOCK):
                end = min(begin + _BLOCK, last)
                _scores((codes, scales), (begin, end), code, step, scores)
                for n in places[: _at_least(scores, end - begin, bar_score, places)]:
                    hit = hit_of(scores[n], rows[begin + n])
                    if hit < bar or rows[begin + n] < 0:
                        continue
                    best[count] = hit
                    count += 1
                    if count == best.shape[0]:
                        if gate is not None:
                            count = permitted(best, checked, count, gate)
                        if count > keep:
                            best_in_front(best, count, keep)
                            count, bar, cut = keep, best[keep - 1], True
                            bar_score = score_of(bar)
                        checked = count
    if gate is not None:
        count = permitted(best, checked, count, gate)
    if count > keep:
        best_in_front(best, count, keep)
        count, cut = keep, True
    return count, cut


@njit(nogil=True, cache=True)
def _ask_for(first, last, codes, scales, rows):
    """Ask for how a list begins, and for the numbers beside all its codes."""
    size = codes.shape[1]
    for offset in range(first * size, min(first + _AHEAD, last) * size, LINE_BYTES):
        ask_line(codes.ctypes.data + offset)
    for offset in range(first * _NUMBER_BYTES, last * _NUMBER_BYTES, LINE_BYTES):
        ask_line(scales.ctypes.data + offset)
        ask_line(rows.ctypes.data + offset)


@njit(nogil=True, cache=True)
def scan(tree, segments, queries, effort, gate, hits, found):
    """Fill the best hits of each of Q queries, in no order.

    Most videos may be shown, so the gate first looks at somewhat more hits than are wanted. Only
    where that leaves too few does it look at everything that is near.

    Args:
        tree: groups of lists, as ``_nearest_lists`` takes them.
        segments: a tuple of them, all over the tree's lists: (L + 1,) where lists begin, (N, D)
            int8 codes list by list, (N,) float32 scales, (N,) int32 rows, -1 for none.
        queries: (Q, D) float32.
        effort: how many groups and how many lists are looked into for each query.
        gate: None, or items (I,), a region's bit and an age: what must not be shown there is
            passed over.
        hits: (Q, K) uint64.
        found: (Q,) int64, how many hits each query has.
    """
    wanted = hits.shape[1]
    groups = np.empty(min(effort[0], tree[0].shape[0]), np.int64)
    lists = np.empty(min(effort[1], tree[3].shape[0]), np.int64)
    best = np.empty(2 * (wanted + wanted // _SPARE + 1), np.uint64)
    code, work = np.empty(queries.shape[1], np.int16), _work()
    for q in range(queries.shape[0]):
        step = _code(queries[q], code)
        near = lists[: _nearest_lists(tree, code, step, work, groups, lists)]
        count, cut = _look_through(segments, near, code, step, work, None, best)
        if gate is not None:
            count = permitted(best, 0, count, gate)
            if count < wanted and cut:
                count, _ = _look_through(segments, near, code, step, work, gate, best)
        if count > wanted:
            best_in_front(best, count, wanted)
            count = wanted
        hits[q, :count] = best[:count]
        found[q] = count
