"""How events change viewers' rows."""

import numpy as np
from numba import njit

from playbill.features.arithmetic_kernel import mixed, pow2
from playbill.features.layout import (
    FOLLOWS,
    HISTORY,
    LANDMARK_STEP_MS,
    NO_ROW,
    NO_TOPIC,
    SEEN_PER_GENERATION,
    SEEN_WORDS,
    TOPICS_PER_ITEM,
    USER_AUTHORS,
    USER_TOPICS,
    Detail,
)

# Numba takes plain numbers as constants, not the members of an enumeration.
_SEEN = int(Detail.SEEN)
_ACTION = int(Detail.ACTION)
_FOLLOWED = int(Detail.FOLLOWED)
_REGION = int(Detail.REGION)
_BITS = np.uint64(SEEN_WORDS * 64 - 1)


@njit(nogil=True, cache=True)
def _holds(words, h):
    """Return whether one generation of the filter holds a mixed row."""
    for probe in range(3):
        bit = (h >> np.uint64(10 * probe)) & _BITS
        if not (words[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1):
            return False
    return True


@njit(nogil=True, cache=True)
def seen_before(user, row):
    """Return whether the filter remembers a video; it may err towards yes, 3.3 % when full."""
    h = mixed(row)
    return _holds(user.seen[0], h) or _holds(user.seen[1], h)


@njit(nogil=True, cache=True)
def times_shown(seen, row):
    """Return in how many of the (2, W) generations of a filter a video is: 0, 1 or 2."""
    h = mixed(row)
    return int(_holds(seen[0], h)) + int(_holds(seen[1], h))


@njit(nogil=True, cache=True)
def _remember_seen(user, row):
    """Remember a video among the newest, also one that only the older generation holds."""
    h = mixed(row)
    if _holds(user.seen[0], h):
        return
    if user.seen_count >= SEEN_PER_GENERATION:
        for word in range(SEEN_WORDS):
            user.seen[1][word] = user.seen[0][word]
            user.seen[0][word] = np.uint64(0)
        user.seen_count = 0
    words = user.seen[0]
    for probe in range(3):
        bit = (h >> np.uint64(10 * probe)) & _BITS
        place = bit >> np.uint64(6)
        words[place] = words[place] | (np.uint64(1) << (bit & np.uint64(63)))
    user.seen_count = user.seen_count + 1


@njit(nogil=True, cache=True)
def _remember_history(user, row, at_s, action):
    """Keep the newest videos acted upon, one entry a video, newest first; ties keep their order."""
    count = np.int64(user.history_count)
    at = count
    for i in range(count):
        if user.history[i] == row:
            action = action | user.history_action[i]
            at_s = max(at_s, user.history_at_s[i])
            at = i
            break
    if at == count:
        if count == HISTORY:
            if at_s < user.history_at_s[HISTORY - 1]:
                return
            at = HISTORY - 1
        else:
            user.history_count = count + 1
    while at > 0 and user.history_at_s[at - 1] <= at_s:
        user.history[at] = user.history[at - 1]
        user.history_at_s[at] = user.history_at_s[at - 1]
        user.history_action[at] = user.history_action[at - 1]
        at -= 1
    user.history[at] = row
    user.history_at_s[at] = at_s
    user.history_action[at] = action


@njit(nogil=True, cache=True)
def place_of(names, sums, name, absent):
    """Return the place of a name in a small table, taking over the lightest when it is new."""
    size = names.shape[0]
    lightest = 0
    weight = 1e300
    for i in range(size):
        if names[i] == name:
            return i
        total = -1.0
        if names[i] != absent:
            total = 0.0
            for s in range(sums.shape[1]):
                total += sums[i, s]
        if total < weight:
            weight = total
            lightest = i
    names[lightest] = name
    for s in range(sums.shape[1]):
        sums[lightest, s] = 0.0
    return lightest


@njit(nogil=True, cache=True)
def settle(user, at, tables, half_lives_ms):
    """Move the landmark to ``at`` when the old one is an hour back, and scale every sum."""
    if user.landmark_ms == 0:
        user.landmark_ms = at
        return
    if at - user.landmark_ms < LANDMARK_STEP_MS:
        return
    back = float(user.landmark_ms - at)
    _, user_decay, _, topic_decay, _, author_decay = tables
    for s in range(user_decay.shape[0]):
        user.slots[s] = user.slots[s] * pow2(back / half_lives_ms[user_decay[s]])
    for s in range(topic_decay.shape[0]):
        factor = pow2(back / half_lives_ms[topic_decay[s]])
        for i in range(USER_TOPICS):
            user.topic_slots[i, s] = user.topic_slots[i, s] * factor
    for s in range(author_decay.shape[0]):
        factor = pow2(back / half_lives_ms[author_decay[s]])
        for i in range(USER_AUTHORS):
            user.author_slots[i, s] = user.author_slots[i, s] * factor
    user.landmark_ms = at


@njit(nogil=True, cache=True)
def _add(sums, gains, slot_signal, slot_decay, ahead, half_lives_ms):
    for s in range(slot_signal.shape[0]):
        gain = gains[slot_signal[s]]
        if gain != 0.0:
            sums[s] = sums[s] + gain * pow2(ahead / half_lives_ms[slot_decay[s]])


@njit(nogil=True, cache=True)
def follow(user, author):
    """Put an author in front of those followed, dropping the oldest when the list is full."""
    count = np.int64(user.follow_count)
    at = count
    for i in range(count):
        if user.follows[i] == author:
            at = i
            break
    if at == count:
        if at == FOLLOWS:
            at = FOLLOWS - 1
        else:
            user.follow_count = at + 1
    while at > 0:
        user.follows[at] = user.follows[at - 1]
        at -= 1
    user.follows[0] = author


@njit(nogil=True, cache=True)
def absorb_users(users, numbers, at_ms, signals, rows, items, details, tables, half_lives_ms):
    """Fold E events into viewers' rows, in order.

    Args:
        users: (U,) ``USER_RECORD``, changed in place.
        numbers: (E,) which of ``users`` did it.
        at_ms: (E,) instants.
        signals: (E, S) float32, what each event adds, by ``Signal``.
        rows: (E,) the video's row, -1 for none or unknown.
        items: (I,) ``ITEM_RECORD``.
        details: (E, D) int64 by ``Detail``.
        tables: slot signals and half-lives of user, user-topic and user-author, in turn.
        half_lives_ms: (H,) milliseconds.
    """
    user_signal, user_decay, topic_signal, topic_decay, author_signal, author_decay = tables
    for e in range(numbers.shape[0]):
        user = users[numbers[e]]
        at = at_ms[e]
        settle(user, at, tables, half_lives_ms)
        if user.first_at_ms == 0 or at < user.first_at_ms:
            user.first_at_ms = at
        if at >= user.last_at_ms:
            user.last_at_ms = at
            if details[e, _REGION] != 0:
                user.region = details[e, _REGION]
        ahead = float(at - user.landmark_ms)
        gains = signals[e]
        _add(user.slots, gains, user_signal, user_decay, ahead, half_lives_ms)
        if details[e, _FOLLOWED] >= 0:
            follow(user, np.uint32(details[e, _FOLLOWED]))
        row = rows[e]
        if row < 0:
            continue
        item = items[row]
        for t in range(TOPICS_PER_ITEM):
            topic = item.topics[t]
            if topic != NO_TOPIC:
                place = place_of(user.topics, user.topic_slots, topic, NO_TOPIC)
                sums = user.topic_slots[place]
                _add(sums, gains, topic_signal, topic_decay, ahead, half_lives_ms)
        place = place_of(user.authors, user.author_slots, item.author, NO_ROW)
        sums = user.author_slots[place]
        _add(sums, gains, author_signal, author_decay, ahead, half_lives_ms)
        if details[e, _SEEN] != 0:
            _remember_seen(user, row)
        if details[e, _ACTION] != 0:
            _remember_history(user, np.uint32(row), np.uint32(at // 1000), details[e, _ACTION])
