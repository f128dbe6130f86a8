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
_RUN = re.compile(r"\w+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of languages that are written without spaces."""


def title_words(title: str) -> list[int]:
    """Return (12,) codes of the different words of a title in their order, then ``NO_WORD``.

    Letters of any width and case are alike. Where a language is written without spaces, each two
    letters that stand together are a word.
    """
    plain = unicodedata.normalize("NFKC", title).casefold()
    words = dict.fromkeys(word for run in _RUN.findall(plain) for word in _words_of(run))
    codes = [key64(word) % WORD_CODES + 1 for word in list(words)[:WORDS_PER_ITEM]]
    return codes + [NO_WORD] * (WORDS_PER_ITEM - len(codes))


def _words_of(run: str) -> list[str]:
    """Return the words of letters and digits that stand together."""
    if len(run) < 3 or not _UNSPACED.search(run):
        return [run]
    return [run[place : place + 2] for place in range(len(run) - 1)]
