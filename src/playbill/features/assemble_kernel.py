"""Reading: from records and a row to feature vectors, for all candidates at once."""

import numpy as np
from numba import njit

from playbill.features.arithmetic_kernel import log1p, pow2
from playbill.features.definitions import Fact, FactKind, Rate, Scope, Volume
from playbill.features.layout import (
    HISTORY,
    LONG,
    NO_TOPIC,
    RECENT,
    TOPICS_PER_ITEM,
    USER_AUTHORS,
    USER_TOPICS,
)

_HOUR_MS = 3_600_000.0

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
_ITEM = int(Scope.ITEM)
_AUTHOR = int(Scope.AUTHOR)
_TOPIC = int(Scope.TOPIC)
_USER = int(Scope.USER)
_USER_TOPIC = int(Scope.USER_TOPIC)
_USER_AUTHOR = int(Scope.USER_AUTHOR)


@njit(nogil=True, cache=True)
def _read_sums(values, start, sums, count, decay, age_ms, half_lives_ms, share):
    """Add ``share`` of decayed sums to ``values[start : start + count]``."""
    known = -1
    factor = 0.0
    for s in range(count):
        half_life = decay[start + s]
        if half_life != known:
            factor = pow2(-age_ms / half_lives_ms[half_life]) * share
            known = half_life
        values[start + s] += sums[s] * factor


@njit(nogil=True, cache=True)
def _read_user(values, facts, user, at_ms, base, decay, half_lives_ms):
    """Fill what is the same for every candidate."""
    age = float(at_ms - user.landmark_ms)
    width = base[_USER_TOPIC] - base[_USER]
    _read_sums(values, base[_USER], user.slots, width, decay, age, half_lives_ms, 1.0)
    if user.first_at_ms > 0:
        facts[_USER_TENURE] = log1p((at_ms - user.first_at_ms) / _HOUR_MS)
        facts[_USER_IDLE] = log1p((at_ms - user.last_at_ms) / _HOUR_MS)
    recent = min(int(user.history_count), RECENT)
    long_views = 0
    for i in range(recent):
        if user.history_action[i] & LONG:
            long_views += 1
    facts[_RECENT_LONG] = long_views / recent if recent > 0 else 0.0


@njit(nogil=True, cache=True)
def _read_history(makers, subjects, user, items):
    """Fill authors and first topics of the viewer's recent videos, read once a request."""
    for i in range(user.history_count):
        other = items[user.history[i]]
        makers[i] = other.author
        subjects[i] = other.topics[0]


@njit(nogil=True, cache=True)
def _read_item_facts(facts, item, row, user, makers, subjects, at_ms):
    """Fill the facts of one candidate and one viewer."""
    facts[_ITEM_AGE] = log1p((at_ms - item.created_at_ms) / _HOUR_MS)
    facts[_ITEM_DURATION] = log1p(item.duration_ms / 1000.0)
    facts[_FOLLOWS_AUTHOR] = 0.0
    for i in range(user.follow_count):
        if user.follows[i] == item.author:
            facts[_FOLLOWS_AUTHOR] = 1.0
    count = int(user.history_count)
    recent = min(count, RECENT)
    topic = item.topics[0]
    same_topic = 0
    same_author = 0
    met = 0
    for i in range(count):
        met += user.history[i] == row
        same_author += makers[i] == item.author
    if topic != NO_TOPIC:
        for i in range(recent):
            same_topic += subjects[i] == topic
    facts[_IN_HISTORY] = 1.0 if met > 0 else 0.0
    facts[_RECENT_SAME_TOPIC] = same_topic / recent if recent > 0 else 0.0
    facts[_RECENT_SAME_AUTHOR] = log1p(float(same_author))
    if item.language == 0 or user.language == 0:
        facts[_LANGUAGE_MATCH] = 0.5
    else:
        facts[_LANGUAGE_MATCH] = 1.0 if item.language == user.language else 0.0


@njit(nogil=True, cache=True)
def _read_item_sums(values, item, state, user, at_ms, base, decay, half_lives_ms):
    """Fill the sums of one candidate: its own, its author's, its topics', the viewer's of both."""
    _, authors, topics = state
    for s in range(base[_USER]):
        values[s] = 0.0
    for s in range(base[_USER_TOPIC], values.shape[0]):
        values[s] = 0.0
    age = float(at_ms - item.landmark_ms)
    width = base[_AUTHOR] - base[_ITEM]
    _read_sums(values, base[_ITEM], item.slots, width, decay, age, half_lives_ms, 1.0)
    author = authors[item.author]
    age = float(at_ms - author.landmark_ms)
    width = base[_TOPIC] - base[_AUTHOR]
    _read_sums(values, base[_AUTHOR], author.slots, width, decay, age, half_lives_ms, 1.0)
    count = 0
    for t in range(TOPICS_PER_ITEM):
        if item.topics[t] != NO_TOPIC:
            count += 1
    age_user = float(at_ms - user.landmark_ms)
    for t in range(TOPICS_PER_ITEM):
        name = item.topics[t]
        if name == NO_TOPIC:
            continue
        share = 1.0 / count
        topic = topics[name]
        age = float(at_ms - topic.landmark_ms)
        width = base[_USER] - base[_TOPIC]
        _read_sums(values, base[_TOPIC], topic.slots, width, decay, age, half_lives_ms, share)
        for i in range(USER_TOPICS):
            if user.topics[i] == name:
                sums = user.topic_slots[i]
                width = base[_USER_AUTHOR] - base[_USER_TOPIC]
                first = base[_USER_TOPIC]
                _read_sums(values, first, sums, width, decay, age_user, half_lives_ms, share)
                break
    for i in range(USER_AUTHORS):
        if user.authors[i] == item.author:
            sums = user.author_slots[i]
            width = values.shape[0] - base[_USER_AUTHOR]
            _read_sums(values, base[_USER_AUTHOR], sums, width, decay, age_user, half_lives_ms, 1.0)
            break


@njit(nogil=True, cache=True)
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
    code, a, b, prior, strength, base, decay = program
    values = np.zeros(decay.shape[0])
    facts = np.zeros(_FACTS)
    facts[_HOUR_SIN] = hour[0]
    facts[_HOUR_COS] = hour[1]
    items = state[0]
    makers = np.empty(HISTORY, np.uint32)
    subjects = np.empty(HISTORY, np.uint16)
    _read_history(makers, subjects, user, items)
    _read_user(values, facts, user, at_ms, base, decay, half_lives_ms)
    for c in range(rows.shape[0]):
        row = rows[c]
        item = items[row]
        _read_item_sums(values, item, state, user, at_ms, base, decay, half_lives_ms)
        _read_item_facts(facts, item, row, user, makers, subjects, at_ms)
        for f in range(code.shape[0]):
            if code[f] == _RATE:
                above = values[a[f]] + prior[f] * strength[f]
                out[c, f] = above / (values[b[f]] + strength[f])
            elif code[f] == _VOLUME:
                out[c, f] = log1p(values[a[f]])
            elif code[f] == _FACT:
                out[c, f] = facts[a[f]]
            else:
                out[c, f] = np.nan


@njit(nogil=True, cache=True)
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
