"""The text of a file, whichever program has written it.

A byte order mark decides, and so does UTF-8 where the bytes are UTF-8: nothing else looks like it
by chance. Of the code pages of Windows the one is taken that reads the headings and letters best.
Several may read a short file equally well; then it is said that nobody knows.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from charset_normalizer import from_bytes

from .headings import read_heading

#: The largest file that is read, in bytes.
MAX_FILE_BYTES: Final = 5_000_000

#: So much of a file is looked at to choose its encoding.
_SAMPLE: Final = 20_000

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT: Final = (b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0", b"{\\rtf", b"\x1f\x8b")
#: Signs of which every table has some, and that are two bytes in UTF-16.
_SIGNS: Final = frozenset(b"\r\n@.,;\t ")
_CONTROL_BYTES: Final = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")

#: The code pages of Excel, each with the scripts that are written in it besides ASCII.
_CODE_PAGES: Final = {
    "cp1252": "LATIN",
    "cp1250": "LATIN",
    "cp1254": "LATIN",
    "cp1257": "LATIN",
    "cp1251": "CYRILLIC",
    "cp1253": "GREEK",
    "cp932": "HIRAGANA KATAKANA KATAKANA-HIRAGANA CJK",
    "gb18030": "CJK",
    "big5": "CJK",
    "cp949": "HANGUL CJK",
    "cp1255": "HEBREW",
    "cp1256": "ARABIC",
}
#: Before the code pages of Windows: ends its lines with a carriage return alone.
_MACINTOSH: Final = "mac_roman"

#: The accented letters of the languages that are written in a Latin code page.
_ALPHABETS: Final[dict[str, str]] = {
    "cp1252": "äöüß éèêëàâçîïôûùüœæ áéíóúñü áâãàçéêíóôõú àèéìòù åäöé æøåé éèëïóöü",
    "cp1250": "ąćęłńóśźż áčďéěíňóřšťúůýž áéíóöőúüű ăâîşţșț čćđšž áäčďéíĺľňóôŕšťúýž äöüß",
    "cp1254": "çğıöşüâîû",
    "cp1257": "āčēģīķļņšūž ąčęėįšųūž äöõüšž",
}
_ALPHABETS["mac_roman"] = _ALPHABETS["cp1252"]
#: What differs by less than that of two letters is decided by how common the code page is.
_PRIOR: Final = {"mac_roman": 0.25, "cp1252": 0.2, "cp1250": 0.02, "cp1251": 0.02}
#: "ões" and "ão" are Portuguese; elsewhere it is Hungarian or Romanian read amiss, as "þ" within a
#: word is Turkish and not Icelandic.
_DOUBTFUL: Final = re.compile(r"õ(?!e)|ã(?![oe]|\b)|ă(?=o)|(?<=\w)þ|\bð", re.IGNORECASE)
_CYRILLIC_VOWELS: Final = frozenset("аеёиоуыэюяіїє")
_GREEK_ACCENTS: Final = frozenset("άέήίόύώϊΐϋ")
_WORD: Final = re.compile(r"[^\W\d_]+")
_SPLIT: Final = re.compile(r"[\t;,|\r\n\"]+")


class FileTooLarge(ValueError):
    """The file has more than ``MAX_FILE_BYTES``."""


class UnreadableFile(ValueError):
    """The file is neither text nor a workbook that can be read."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text, and how it was read."""

    text: str
    encoding: str
    #: Whether no other encoding reads it as well.
    is_sure: bool = True
    #: The others that read it about as well.
    rivals: tuple[str, ...] = ()

    def reads_alike(self, text: str) -> bool:
        """Whether a part of it is the same in every encoding that may be the right one."""
        if self.is_sure or text.isascii():
            return True
        content = text.encode(self.encoding, errors="replace")
        return bool(self.rivals) and all(
            content.decode(rival, errors="replace") == text for rival in self.rivals
        )


def decode(content: bytes) -> Decoded:
    """Return a file's text.

    :raises FileTooLarge: over ``MAX_FILE_BYTES``.
    :raises UnreadableFile: if it is no text.
    """
    if len(content) > MAX_FILE_BYTES:
        raise FileTooLarge(len(content))
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decode_as(content, encoding)
    if content.startswith(_NO_TEXT):
        raise UnreadableFile("no text")
    if wide := _wide_encoding(content):
        return _decode_as(content, wide)
    if _CONTROL_BYTES.search(content):
        raise UnreadableFile("no text")
    with suppress(UnicodeDecodeError):
        return Decoded(content.decode("utf-8"), "utf-8")
    return _choose(content)


def _decode_as(content: bytes, encoding: str) -> Decoded:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableFile(encoding) from error
    if "\0" in text:
        raise UnreadableFile(encoding)
    return Decoded(text, encoding)


def _wide_encoding(content: bytes) -> str:
    """Return UTF-16 where it has no mark: every other byte of ASCII is zero then."""
    if len(content) % 2 or b"\0" not in content[:1000]:
        return ""
    sample = content[:_SAMPLE]
    # Of Chinese text few are: the signs of the table and the addresses. Elsewhere a zero is a hole.
    for encoding, low, high in (("utf-16-le", 0, 1), ("utf-16-be", 1, 0)):
        signs = [
            other == 0
            for byte, other in zip(sample[low::2], sample[high::2], strict=False)
            if byte in _SIGNS
        ]
        holes = sample[low::2].count(0)
        if sum(signs) * 2 > len(signs) and holes * 10 <= sample[high::2].count(0):
            return encoding
    return ""


def _choose(content: bytes) -> Decoded:
    almost = content.decode("utf-8", errors="replace")
    broken = almost.count("\ufffd")
    if broken * 20 < sum(char > "\x7f" for char in almost[:_SAMPLE]):
        return Decoded(almost, "utf-8", is_sure=False)  # cut, or of two files
    is_macintosh = b"\r" in content and b"\n" not in content
    sample = _sample_of(content)
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    for encoding in (*_CODE_PAGES, *([_MACINTOSH] if is_macintosh else [])):
        with suppress(UnicodeDecodeError):
            texts[encoding] = sample.decode(encoding)
            scores[encoding] = _score(texts[encoding], encoding)
    if not scores:
        return Decoded(content.decode("latin-1"), "latin-1", is_sure=False)
    best = max(scores, key=lambda encoding: scores[encoding])
    rivals = [
        encoding
        for encoding, score in scores.items()
        if texts[encoding] != texts[best] and score > scores[best] - _MARGIN
    ]
    if rivals and (proposed := _propose(sample)) in rivals:
        rivals = [best, *(rival for rival in rivals if rival != proposed)]
        best = proposed
    try:
        text = content.decode(best)
    except UnicodeDecodeError:
        return Decoded(content.decode(best, errors="replace"), best, is_sure=False)
    is_sure = not rivals and scores[best] >= _SURE
    return Decoded(text, best, is_sure, tuple(rivals) if scores[best] >= _SURE else ())


#: What reads worse than this is nothing that is known.
_SURE: Final = 0.8
#: What reads better by less than this does not read better for certain.
_MARGIN: Final = 0.15


def _sample_of(content: bytes) -> bytes:
    """Return the beginning, and of the rest the lines that are not ASCII."""
    if len(content) <= _SAMPLE:
        return content
    head = content[: content.rfind(b"\n", 0, _SAMPLE) + 1] or content[:_SAMPLE]
    size = 0
    lines = [head]
    for line in content[len(head) :].split(b"\n"):
        if not line.isascii():
            lines.append(line + b"\n")
            size += len(line)
            if size > _SAMPLE:
                break
    return b"".join(lines)


def _propose(sample: bytes) -> str:
    """Return what charset-normalizer takes it for."""
    found = from_bytes(sample, cp_isolation=list(_CODE_PAGES)).best()
    return found.encoding if found is not None else ""


def _score(text: str, encoding: str) -> float:
    """Return how well a text reads: a heading that is known counts more than all letters."""
    known = 0
    for cell in _SPLIT.split(text[:4000])[:200]:
        words_of = [word for word in _WORD.findall(cell) if not word.isascii()]
        if words_of and min(_quality(word, encoding) for word in words_of) > 0:
            known += _is_known(cell.strip())
    words = Counter(word for word in _WORD.findall(text) if not word.isascii())
    total = sum(words.values())
    good = sum(_quality(word, encoding) * count for word, count in words.items())
    if encoding in _ALPHABETS:
        good *= _share_of_language(words, encoding)
    # What is no letter at all: a sign of another code page's, a control, a private character.
    odd = sum(char > "\x7f" and not char.isalpha() and char not in _PUNCTUATION for char in text)
    letters = sum(char > "\x7f" and char.isalpha() for char in text) or 1
    reads = good / total if total else 0.0
    return 2.0 * min(known, 3) + reads - 2.0 * odd / (letters + odd) + _PRIOR.get(encoding, 0.0)


def _share_of_language(words: Counter[str], encoding: str) -> float:
    """Return which part of the accented letters one language of a code page has, at best."""
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for char in _DOUBTFUL.sub("?", word).lower():
            if char > "\x7f" or char == "?":
                letters[char] += count
    total = letters.total() or 1
    return max(
        sum(count for char, count in letters.items() if char in alphabet) / total
        for alphabet in _ALPHABETS[encoding].split()
    )


#: Signs that are common.
_PUNCTUATION: Final = (
    "\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2026\u20ac\u00ab\u00bb\u00a0\u00b0\u00a7\u2022\u00a9\u00ae\u2122"
    "\u3000\u3001\u3002\u30fb\u30fc\uff08\uff09\u300c\u300d\uff0c\uff1a"
)


@lru_cache(maxsize=512)
def _is_known(cell: str) -> bool:
    return read_heading(cell).is_known


def _quality(word: str, encoding: str) -> float:
    """Return how much a word that is not ASCII looks like one, from -1 to 1."""
    scripts = {unicodedata.name(char, "?").partition(" ")[0] for char in word}
    own = _CODE_PAGES.get(encoding, "LATIN").split()
    if not scripts <= {*own, "LATIN", "FULLWIDTH", "IDEOGRAPHIC"} or scripts == {"FULLWIDTH"}:
        return -1.0
    if len(scripts) > 1 and "LATIN" in scripts and "LATIN" not in own:
        return -0.5  # of two scripts: "Иvаn" is a misreading
    lower = word.lower()
    cased = word.islower() or word[1:].islower() or word.isupper()
    if own == ["LATIN"]:
        share = sum(char > "\x7f" for char in word) / len(word)
        return (0.4 if share > 0.6 else 1.0) * (1.0 if cased else 0.3)
    if own == ["CYRILLIC"]:
        vowels = sum(char in _CYRILLIC_VOWELS for char in lower) / len(word)
        return (0.9 if 0.2 <= vowels <= 0.8 or len(word) < 3 else 0.1) if cased else -0.5
    if own == ["GREEK"]:
        accents = sum(char in _GREEK_ACCENTS for char in lower)
        return (0.9 if accents == 1 or len(word) < 3 else 0.3) if cased else -0.5
    if "CJK" in own:
        return _quality_of_ideographs(word, encoding)
    return 0.6


#: What of each code page is in everyday use: the first level of the national standards.
_COMMON: Final = {
    "cp932": ("shift_jis", 0x8140, 0x9872),
    "gb18030": ("gb2312", 0xB0A1, 0xD7F9),
    "big5": ("big5", 0xA440, 0xC67E),
    "cp949": ("euc_kr", 0xB0A1, 0xC8FE),
}


def _quality_of_ideographs(word: str, encoding: str) -> float:
    standard, first, last = _COMMON[encoding]
    good = 0.0
    for char in word:
        code = char.encode(standard, "ignore")
        if len(code) == 2 and first <= int.from_bytes(code) <= last:
            good += 1
        elif "HALFWIDTH" in unicodedata.name(char, ""):
            good -= 1.0
        elif char > "\x7f":
            good -= 0.7
    good /= len(word)
    if encoding == "cp932":
        kana = sum("\u3040" <= char <= "\u30ff" for char in word)
        good += 0.1 * kana / len(word)
    if encoding == "cp949" and any("\u4e00" <= char <= "\u9fff" for char in word):
        good -= 0.4  # Korean is written without them nowadays
    return good
