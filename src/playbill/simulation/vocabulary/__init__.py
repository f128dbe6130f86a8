"""Forty topics and the words their titles and handles are made of."""

from playbill.simulation.vocabulary.food import FOOD
from playbill.simulation.vocabulary.games import GAMES
from playbill.simulation.vocabulary.life import LIFE
from playbill.simulation.vocabulary.making import MAKING
from playbill.simulation.vocabulary.outdoors import OUTDOORS
from playbill.simulation.vocabulary.science import SCIENCE
from playbill.simulation.vocabulary.sport import SPORT
from playbill.simulation.vocabulary.stage import STAGE
from playbill.simulation.vocabulary.topic import Topic

GROUPS: tuple[tuple[Topic, ...], ...] = (
    FOOD,
    SPORT,
    GAMES,
    STAGE,
    MAKING,
    SCIENCE,
    OUTDOORS,
    LIFE,
)
"""Topics whose viewers overlap stand in one group."""

TOPICS: tuple[Topic, ...] = tuple(topic for group in GROUPS for topic in group)
"""Every topic; its place here is its column everywhere in the simulation."""

__all__ = ["GROUPS", "TOPICS", "Topic"]
