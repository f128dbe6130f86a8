"""What a title says, as a few small numbers.

Source: docs/decisions/0045-titles-are-read-word-by-word.md
"""

import re
import unicodedata

from playbill.core import key64

WORDS_PER_ITEM = 12
"""Words of a title that are read, the first ones."""
NO_WORD = 0
WORD_CODES = 65_535
"""Words share so many codes, from 1 on."""
_PLAIN = re.compile("[0-9a-z]+")
_LONGEST = 160
"""Characters that are read of a title that is not all ASCII, as they are and as they are spelt
out: some are spelt as eighteen."""
_SILENT = dict.fromkeys([*range(0xFE00, 0xFE10), 0x20E3, *range(0x064B, 0x0653), 0x0640])
"""What letters and digits are as well without: selectors of a picture or a key, Arabic vowels and
the stroke that draws a word out."""
_JOINERS = "\u200c\u200d"
"""Stand within words of languages that join letters."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
"""Letters of languages that are written without spaces, with what stands above and below them."""


def title_words(title: str) -> list[int]:
    """Return (12,) codes of the different words of a title in their order, then ``NO_WORD``.

    A word is letters, digits and marks that stand together; letters of any width and case are
    alike. Where a language is written without spaces, each two that stand together are a word.
    """
    if title.isascii():
        found = _PLAIN.findall(title.lower())
    else:
        plain = unicodedata.normalize("NFKC", title[:_LONGEST])[:_LONGEST].casefold()
        # A capital dotted I is an i, and a dot that it already has.
        plain = plain.replace("i\u0307", "i").translate(_SILENT)
        apart = "".join(letter if _in_words(letter) else " " for letter in plain)
        found = [word for run in apart.split() for word in _words_of(run)]
    words = dict.fromkeys(found)
    codes = [key64(word) % WORD_CODES + 1 for word in list(words)[:WORDS_PER_ITEM]]
    return codes + [NO_WORD] * (WORDS_PER_ITEM - len(codes))


def _in_words(letter: str) -> bool:
    """Return whether a character is a letter, a digit, a mark on one, or joins two."""
    return unicodedata.category(letter)[0] in "LNM" or letter in _JOINERS


def _words_of(run: str) -> list[str]:
    """Return the words of characters that stand together."""
    found, done = list[str](), 0
    for match in _UNSPACED.finditer(run):
        found += [run[done : match.start()], *_pairs(match.group())]
        done = match.end()
    found.append(run[done:])
    return [word for word in found if any(map(str.isalnum, word))]


def _pairs(stretch: str) -> list[str]:
    """Return each two characters that stand together; one that stands alone is a word."""
    return [stretch[place : place + 2] for place in range(max(len(stretch) - 1, 1))]
