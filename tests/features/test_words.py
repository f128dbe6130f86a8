"""What is read of a title."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from playbill.features import NO_WORD, WORD_CODES, WORDS_PER_ITEM, title_words


def told(title: str) -> list[int]:
    return [code for code in title_words(title) if code != NO_WORD]


@given(st.text(max_size=300))
def test_any_title_gives_codes_that_fit_their_record(title):
    codes = title_words(title)
    assert len(codes) == WORDS_PER_ITEM
    assert all(NO_WORD <= code <= WORD_CODES for code in codes)
    assert np.array(codes, np.uint16).tolist() == codes
    first_none = codes.index(NO_WORD) if NO_WORD in codes else WORDS_PER_ITEM
    assert set(codes[first_none:]) <= {NO_WORD}
    assert len(told(title)) <= len(set(told(title))) + 1


def test_case_width_and_what_stands_between_words_make_no_difference():
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in "1995")
    assert told("Toy Story (1995)") == told(f"TOY-story… {wide}!") != told("Toy Stories (1995)")


def test_a_word_counts_once_and_the_first_dozen_count():
    words = [f"word{number}" for number in range(20)]
    assert told(" ".join(["again", "again", *words])) == told(" ".join(["again", *words[:11]]))


def test_where_no_space_stands_between_words_pairs_of_letters_are_words():
    cat, cats_play = set(told("小猫")), set(told("两只小猫玩耍"))
    assert cat < cats_play
    assert len(cats_play) == 5


def test_marks_belong_to_their_letters():
    """Vowels and tones above and below letters, in scripts with spaces and without."""
    assert len(told("हिन्दी गाने सुनो")) == len(told("বাংলা গান শুনুন")) == 3
    assert set(told("गाने")) < set(told("हिन्दी गाने"))
    assert set(told("มือ")) < set(told("มือถือ"))


def test_a_word_of_another_script_stays_whole_beside_pairs():
    assert set(told("iPhone")) < set(told("iPhone手机评测"))
    assert set(told("python")) < set(told("Python入門2024"))
    assert set(told("2024")) < set(told("Python入門2024"))


def test_pictures_are_no_words_and_what_selects_them_says_nothing():
    assert told("\u2764\ufe0f love") == told("love")
    assert told("\U0001f468\u200d\U0001f469\u200d\U0001f467 family") == told("family")
    assert told("1\ufe0f\u20e3 first") == told("1 first")


def test_letters_that_are_spelt_in_two_ways_are_one():
    assert told("\u0130stanbul") == told("istanbul") == told("ISTANBUL")
    hello = "\u0645\u0631\u062d\u0628\u0627"
    with_vowels = "\u0645\u064e\u0631\u0652\u062d\u0628\u064b\u0627"
    assert told(hello) == told(with_vowels)


def test_a_title_of_nothing_says_nothing():
    assert title_words("…  !") == [NO_WORD] * WORDS_PER_ITEM


def test_codes_stay_what_they_were():
    """A bundle knows words by their codes: other codes need another LAYOUT_VERSION."""
    assert told("Toy Story (1995)") == [29975, 4750, 20886]
