"""One sentence a video, with names where they can be found."""

import pytest

from playbill.features import NO_TOPIC
from playbill.retrieval import SOURCES
from playbill.serving.because import because

TOPIC, AUTHOR = 3, 8


class Known:
    def topic_name(self, topic):
        return "tea" if topic == TOPIC else None

    def author_name(self, author):
        return "mia" if author == AUTHOR else None


def sentence(source, about=(TOPIC, AUTHOR), region="north", familiarity=None):
    return because(Known(), source, about, region, familiarity)


@pytest.mark.parametrize(
    ("source", "about", "said"),
    [
        ("followed", (TOPIC, AUTHOR), "You follow mia"),
        ("followed", (TOPIC, 1), "By somebody you follow"),
        ("fresh", (TOPIC, AUTHOR), "New in tea"),
        ("fresh", (NO_TOPIC, AUTHOR), "New"),
        ("trending", (TOPIC, AUTHOR), "Popular in north"),
        ("similar", (TOPIC, AUTHOR), "Like videos you watched"),
        ("explore", (TOPIC, AUTHOR), "New to most people: a first look"),
    ],
)
def test_a_sentence_names_what_is_known(source, about, said):
    assert sentence(source, about) == said


def test_acquaintance_goes_before_most_sources_and_needs_a_name():
    assert sentence("vector", familiarity=(0.8, 0.8)) == "Because you watch tea"
    assert sentence("vector", familiarity=(0.1, 0.8)) == "More from mia"
    assert sentence("vector", (1, AUTHOR), familiarity=(0.8, 0.8)) == "More from mia"
    assert sentence("vector", (1, 1), familiarity=(0.8, 0.8)) == "Picked for you"
    assert sentence("explore", familiarity=(0.8, 0.8)) == "New to most people: a first look"


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_a_sentence_where_nothing_has_a_name(source):
    assert sentence(source, (NO_TOPIC, 1), region=None)
