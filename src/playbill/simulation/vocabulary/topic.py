"""What one topic needs to sound like itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the world and the words its titles and handles are made of."""

    name: str
    """Its id and what people read."""
    median_duration_s: int
    """Half of its videos play longer."""
    subjects: tuple[str, ...]
    """What ``{a}`` in a template becomes."""
    details: tuple[str, ...]
    """What ``{b}`` becomes."""
    templates: tuple[str, ...]
    """Titles with places for ``{a}``, ``{b}`` and a number ``{n}``."""
    handles: tuple[str, ...]
    """Nouns that its authors put into their names."""

    @property
    def label(self) -> str:
        """Return the name as it reads inside a sentence."""
        return self.name.replace("-", " ")


def phrases(text: str) -> tuple[str, ...]:
    """Return the phrases of a text that separates them by semicolons."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(";"))
