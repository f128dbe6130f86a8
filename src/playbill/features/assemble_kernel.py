"""Reading: from records and a row to feature vectors, for all candidates at once.

Candidates are taken in blocks of ``LANES``. What is read of their records is laid out by column;
sums, facts and features are then computed along the columns. Whatever is the same for all
candidates is computed once.
"""

import numpy as np
from numba import njit

from playbill.features.arithmetic_kernel import log1p
from playbill.features.decay_kernel import LANES, add_faded, fade
from playbill.features.definitions import VIEWER_FACTS, Fact, FactKind, Rate, Scope, Volume
from playbill.features.layout import (
    GROUP_RECORD,
    HISTORY,
    ITEM_RECORD,
    LONG,
    NO_TOPIC,
    RECENT,
    TOPICS_PER_ITEM,
    USER_AUTHORS,
    USER_TOPICS,
)
from playbill.features.prefetch_kernel import ask_line, ask_records

_HOUR_MS = 3_600_000.0
_ITEM_BYTES, _AUTHOR_BYTES = ITEM_RECORD.itemsize, GROUP_RECORD.itemsize

# Numba takes plain numbers as constants, not the members of an enumeration.
_RATE, _VOLUME, _FACT = Rate.code, Volume.code, Fact.code
_FACTS = len(FactKind)
_ITEM_AGE = int(FactKind.ITEM_AGE)
_ITEM_DURATION = int(FactKind.ITEM_DURATION)
_USER_TENURE = int(FactKind.USER_TENURE)
_USER_IDLE = int(FactKind.USER_IDLE)
_HOUR_SIN = int(FactKind.HOUR_SIN)
_HOUR_COS = int(FactKind.HOUR_COS)
_FOLLOWS_AUTHOR = int(FactKind.FOLLOWS_AUTHOR)
_IN_HISTORY = int(FactKind.IN_HISTORY)
_RECENT_SAME_TOPIC = int(FactKind.RECENT_SAME_TOPIC)
_RECENT_SAME_AUTHOR = int(FactKind.RECENT_SAME_AUTHOR)
_LANGUAGE_MATCH = int(FactKind.LANGUAGE_MATCH)
_RECENT_LONG = int(FactKind.RECENT_LONG)
_OF_THE_VIEWER = tuple(int(fact) for fact in VIEWER_FACTS)
_VIEWERS, _CANDIDATES = 0, 1
_ITEM = int(Scope.ITEM)
_AUTHOR = int(Scope.AUTHOR)
_TOPIC = int(Scope.TOPIC)
_USER = int(Scope.USER)
_USER_TOPIC = int(Scope.USER_TOPIC)
_USER_AUTHOR = int(Scope.USER_AUTHOR)


@njit(nogil=True, cache=True, error_model="numpy")
def _read_user(values, facts, user, at_ms, hour, base, decay, half_lives_ms):
    """Fill what is the same for every candidate, in every lane."""
    first, width = base[_USER], base[_USER_TOPIC] - base[_USER]
    faded = np.empty(width, np.float64)
    fade(user.slots, first, float(at_ms - user.landmark_ms), decay, half_lives_ms, faded)
    for s in range(width):
        values[first + s, :] = user.slots[s] * faded[s]
    facts[_HOUR_SIN, :] = hour[0]
    facts[_HOUR_COS, :] = hour[1]
    if user.first_at_ms > 0:
        facts[_USER_TENURE, :] = log1p((at_ms - user.first_at_ms) / _HOUR_MS)
        facts[_USER_IDLE, :] = log1p((at_ms - user.last_at_ms) / _HOUR_MS)
    recent = min(int(user.history_count), RECENT)
    long_views = 0
    for i in range(recent):
        if user.history_action[i] & LONG:
            long_views += 1
    facts[_RECENT_LONG, :] = long_views / recent if recent > 0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _read_history(makers, subjects, user, items):
    """Fill authors and first topics of the viewer's recent videos, read once a request."""
    for i in range(user.history_count):
        other = items[user.history[i]]
        makers[i] = other.author
        subjects[i] = other.topics[0]


@njit(nogil=True, cache=True, error_model="numpy")
def _read_item_sums(values, rows, items, at_ms, base, decay, half_lives_ms):
    """Add each candidate's own sums."""
    width = base[_AUTHOR] - base[_ITEM]
    raw = np.empty((width, LANES), np.float64)
    ages, ones = np.empty(LANES, np.float64), np.ones(LANES, np.float64)
    for c in range(rows.shape[0]):
        item = items[rows[c]]
        ages[c] = float(at_ms - item.landmark_ms)
        for s in range(width):
            raw[s, c] = item.slots[s]
    add_faded(values, base[_ITEM], width, raw, ages, ones, rows.shape[0], decay, half_lives_ms)


@njit(nogil=True, cache=True, error_model="numpy")
def _read_author_sums(values, makers, authors, at_ms, base, decay, half_lives_ms):
    """Add the sums of each candidate's author; memory is asked for all before any is used."""
    width = base[_TOPIC] - base[_AUTHOR]
    raw = np.empty((width, LANES), np.float64)
    ages, ones = np.empty(LANES, np.float64), np.ones(LANES, np.float64)
    for c in range(makers.shape[0]):
        ages[c] = float(at_ms - authors[makers[c]].landmark_ms)
    for c in range(makers.shape[0]):
        author = authors[makers[c]]
        for s in range(width):
            raw[s, c] = author.slots[s]
    add_faded(values, base[_AUTHOR], width, raw, ages, ones, makers.shape[0], decay, half_lives_ms)


@njit(nogil=True, cache=True, error_model="numpy")
def _read_topic_sums(values, names, shares, topics, at_ms, base, decay, half_lives_ms):
    """Add the mean of the sums of each candidate's topics, one topic of all candidates in turn."""
    width, count = base[_USER] - base[_TOPIC], names.shape[1]
    raw = np.empty((width, LANES), np.float64)
    ages = np.empty(LANES, np.float64)
    for t in range(TOPICS_PER_ITEM):
        met = False
        for c in range(count):
            name = names[t, c]
            if name == NO_TOPIC:
                ages[c] = 0.0
                for s in range(width):
                    raw[s, c] = 0.0
                continue
            met = True
            topic = topics[name]
            ages[c] = float(at_ms - topic.landmark_ms)
            for s in range(width):
                raw[s, c] = topic.slots[s]
        if met:
            add_faded(values, base[_TOPIC], width, raw, ages, shares, count, decay, half_lives_ms)


@njit(nogil=True, cache=True, error_model="numpy")
def _read_user_sums(values, names, shares, makers, user, faded_topic, faded_author, base):
    """Add what the viewer did with each candidate's topics and author."""
    first, beyond = base[_USER_TOPIC], base[_USER_AUTHOR]
    for c in range(makers.shape[0]):
        for t in range(TOPICS_PER_ITEM):
            if names[t, c] == NO_TOPIC:
                continue
            for i in range(USER_TOPICS):
                if user.topics[i] == names[t, c]:
                    for s in range(faded_topic.shape[0]):
                        factor = faded_topic[s] * shares[c]
                        values[first + s, c] += user.topic_slots[i, s] * factor
                    break
        for i in range(USER_AUTHORS):
            if user.authors[i] == makers[c]:
                for s in range(faded_author.shape[0]):
                    values[beyond + s, c] += user.author_slots[i, s] * faded_author[s]
                break


@njit(nogil=True, cache=True, error_model="numpy")
def _read_facts(facts, rows, items, user, makers, names, own, at_ms):
    """Fill the facts of each candidate and the viewer; ``own`` are makers and subjects."""
    own_makers, own_subjects = own
    count = int(user.history_count)
    recent = min(count, RECENT)
    for c in range(rows.shape[0]):
        item = items[rows[c]]
        facts[_ITEM_AGE, c] = (at_ms - item.created_at_ms) / _HOUR_MS
        facts[_ITEM_DURATION, c] = item.duration_ms / 1000.0
        follows = 0
        for i in range(user.follow_count):
            follows += user.follows[i] == makers[c]
        met, same_author, same_topic = 0, 0, 0
        for i in range(count):
            met += user.history[i] == rows[c]
            same_author += own_makers[i] == makers[c]
        if names[0, c] != NO_TOPIC:
            for i in range(recent):
                same_topic += own_subjects[i] == names[0, c]
        facts[_FOLLOWS_AUTHOR, c] = 1.0 if follows > 0 else 0.0
        facts[_IN_HISTORY, c] = 1.0 if met > 0 else 0.0
        facts[_RECENT_SAME_TOPIC, c] = same_topic / recent if recent > 0 else 0.0
        facts[_RECENT_SAME_AUTHOR, c] = float(same_author)
        if item.language == 0 or user.language == 0:
            facts[_LANGUAGE_MATCH, c] = 0.5
        else:
            facts[_LANGUAGE_MATCH, c] = 1.0 if item.language == user.language else 0.0
    for fact in (_ITEM_AGE, _ITEM_DURATION, _RECENT_SAME_AUTHOR):
        known = facts[fact]
        for c in range(rows.shape[0]):
            known[c] = log1p(known[c])


@njit(nogil=True, cache=True, error_model="numpy")
def _whose(code, a, base):
    """Return whether a feature is the viewer's, and so the same for every candidate."""
    if code != _FACT:
        return _VIEWERS if base[_USER] <= a < base[_USER_TOPIC] else _CANDIDATES
    for fact in _OF_THE_VIEWER:
        if a == fact:
            return _VIEWERS
    return _CANDIDATES


@njit(nogil=True, cache=True, error_model="numpy")
def _read_features(told, values, facts, count, program, whose):
    """Fill the rows of ``told`` that are the viewer's, or the candidates'."""
    code, a, b, prior, strength, base, _ = program
    for f in range(code.shape[0]):
        if _whose(code[f], a[f], base) != whose:
            continue
        out = told[f]
        if code[f] == _RATE:
            above, below = values[a[f]], values[b[f]]
            more, weight = prior[f] * strength[f], strength[f]
            for c in range(count):
                out[c] = (above[c] + more) / (below[c] + weight)
        elif code[f] == _VOLUME:
            total = values[a[f]]
            for c in range(count):
                out[c] = log1p(total[c])
        elif code[f] == _FACT:
            known = facts[a[f]]
            for c in range(count):
                out[c] = known[c]
        else:
            for c in range(count):
                out[c] = np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def _read_names(rows, items, makers, names, shares):
    """Fill author, topics and one over the number of topics of each candidate."""
    for c in range(rows.shape[0]):
        item = items[rows[c]]
        makers[c] = item.author
        count = 0
        for t in range(TOPICS_PER_ITEM):
            names[t, c] = item.topics[t]
            count += item.topics[t] != NO_TOPIC
        shares[c] = 1.0 / count if count > 0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _ask_authors(authors_at, rows, items):
    """Ask for the authors of candidates whose own records were asked for a while ago."""
    for c in range(rows.shape[0]):
        ask_line(authors_at + items[rows[c]].author * _AUTHOR_BYTES)


@njit(nogil=True, cache=True, error_model="numpy")
def assemble(out, rows, state, user, at_ms, hour, program, half_lives_ms):
    """Fill ``out`` (C, F) float32 with the features of C candidates for one viewer.

    Args:
        out: (C, F) float32.
        rows: (C,) int64 rows of the candidates.
        state: items (I,), authors (A,), topics (T,) records.
        user: one ``USER_RECORD``.
        at_ms: instant of the request, not before anything the state holds.
        hour: sine and cosine of the hour of the day.
        program: ``Program`` as a tuple: code, a, b, prior, strength, base, decay.
        half_lives_ms: (H,) milliseconds.
    """
    items, authors, topics = state
    base, decay = program[5], program[6]
    values, facts = np.zeros((decay.shape[0], LANES)), np.zeros((_FACTS, LANES))
    told = np.empty((program[0].shape[0], LANES), np.float32)
    makers, shares = np.empty(LANES, np.uint32), np.empty(LANES, np.float64)
    names = np.empty((TOPICS_PER_ITEM, LANES), np.uint16)
    own = np.empty(HISTORY, np.uint32), np.empty(HISTORY, np.uint16)
    items_at, authors_at = items.ctypes.data, authors.ctypes.data
    ask_records(items_at, _ITEM_BYTES, user.history[: user.history_count])
    ask_records(items_at, _ITEM_BYTES, rows[: 2 * LANES])
    _read_history(own[0], own[1], user, items)
    _read_user(values, facts, user, at_ms, hour, base, decay, half_lives_ms)
    _read_features(told, values, facts, LANES, program, _VIEWERS)
    age_ms = float(at_ms - user.landmark_ms)
    faded_topic = np.empty(base[_USER_AUTHOR] - base[_USER_TOPIC], np.float64)
    faded_author = np.empty(decay.shape[0] - base[_USER_AUTHOR], np.float64)
    fade(user.topic_slots[0], base[_USER_TOPIC], age_ms, decay, half_lives_ms, faded_topic)
    fade(user.author_slots[0], base[_USER_AUTHOR], age_ms, decay, half_lives_ms, faded_author)
    for first in range(0, rows.shape[0], LANES):
        block = rows[first : first + LANES]
        count = block.shape[0]
        values[: base[_USER]] = 0.0
        values[base[_USER_TOPIC] :] = 0.0
        _read_names(block, items, makers, names, shares)
        mine, named = makers[:count], names[:, :count]
        ask_records(items_at, _ITEM_BYTES, rows[first + 2 * LANES : first + 3 * LANES])
        if first == 0:
            ask_records(authors_at, _AUTHOR_BYTES, mine)
        _read_item_sums(values, block, items, at_ms, base, decay, half_lives_ms)
        _read_topic_sums(values, named, shares, topics, at_ms, base, decay, half_lives_ms)
        _read_author_sums(values, mine, authors, at_ms, base, decay, half_lives_ms)
        _read_user_sums(values, named, shares, mine, user, faded_topic, faded_author, base)
        _ask_authors(authors_at, rows[first + LANES : first + 2 * LANES], items)
        _read_facts(facts, block, items, user, mine, named, own, at_ms)
        _read_features(told, values, facts, count, program, _CANDIDATES)
        for c in range(count):
            for f in range(told.shape[0]):
                out[first + c, f] = told[f, c]


@njit(nogil=True, cache=True, error_model="numpy")
def assemble_many(out, rows, starts, state, users, at_ms, hours, program, half_lives_ms):
    """Fill ``out`` (N, F) for Q requests laid end to end; request q has rows starts[q]:starts[q+1].

    Replay's form of ``assemble``: (Q,) users, (Q,) instants, (Q, 2) hours, one state.
    """
    for q in range(users.shape[0]):
        first, last = starts[q], starts[q + 1]
        assemble(
            out[first:last],
            rows[first:last],
            state,
            users[q],
            at_ms[q],
            hours[q],
            program,
            half_lives_ms,
        )
