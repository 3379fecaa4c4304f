"""Did you mean gmail.com? A whole address to offer in place of one that looks mistyped.

A suggestion is only ever offered, never taken: the person who invites decides. So what counts is
that no alarm is false. Hence only the large providers' names are compared, by one slip of the
finger that leaves the first letter alone, and only endings that no registry runs are put right.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: The large providers, and the endings under which they hand out addresses.
PROVIDERS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(endings.split())
    for name, endings in {
        "gmail": "com",
        "googlemail": "com de co.uk",
        "hotmail": (
            "com fr de it es be ch nl no se dk fi gr ca rs com.ar com.br com.au com.tr com.mx "
            "co.uk co.jp co.th co.kr co.il co.nz co.za cl hu cz sg my ph lv lt sk ee"
        ),
        "outlook": (
            "com fr de it es be at ie pt dk cl cz hu in jp kr lv ph ro sa sg sk com.au com.br "
            "com.ar com.gr com.tr com.vn co.id co.il co.nz co.th co.uk my org"
        ),
        "yahoo": (
            "com fr de it es be nl no se dk fi gr ca ro pl ie in at ch cz hu cl cn net com.ar "
            "com.br com.au com.mx com.tr com.tw com.hk com.cn com.ph com.sg com.my com.vn "
            "com.co com.pe com.ve co.uk co.jp co.in co.id co.kr co.nz co.th co.za"
        ),
        "icloud": "com",
        "protonmail": "com ch",
        "rocketmail": "com",
        "comcast": "net",
        "wanadoo": "fr nl es",
        "t-online": "de",
    }.items()
}

#: Endings that are a slip of the finger and that no registry runs.
ENDINGS: Final = {
    wrong: right
    for right, slips in {
        "com": "con cmo ocm comm coom ccom vom xom cpm clm ckm cim c0m cok conm comn comc",
        "net": "nte nett nwt ner ent neet",
        "org": "ogr rog orgg prg irg ofg oorg",
    }.items()
    for wrong in slips.split()
}

#: What is left of .com after one slip, though it is a country's ending as well.
_SHORTENED_COM: Final = frozenset({"co", "cm", "om"})

# Not the end of a word in another script: "müller@x.org" is no "ller@x.org".
_PLAIN: Final = re.compile(
    r"(?<![\w.%+'-])[a-z0-9_.%+'-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)++(?![\w@])", re.IGNORECASE
)
#: How people spell "@" and "." where they hide an address: in brackets, or as words.
_AT: Final = r"(?:at|ät|arroba|chez|snabel-a|kukac|a)"
_DOT_WORD: Final = r"(?:dot|punkt|punto|point|ponto|kropka|nokta|d0t)"
_DOT_BETWEEN: Final = r"\s+[(\[{<]?\s*" + _DOT_WORD + r"\s*[)\]}>]?\s+"
_SPELT_OUT: Final = re.compile(
    r"(?P<local>[^\s@]+?(?:" + _DOT_BETWEEN + r"[^\s@]+?)*)"
    r"\s*(?:@|\s(?:at|ät|arroba|snabel-a|kukac)\s|[(\[{<]\s*(?:@|" + _AT + r")\s*[)\]}>])\s*"
    r"(?P<domain>[^\s@]+(?:" + _DOT_BETWEEN + r"[^\s@]+)*)",
    re.IGNORECASE,
)
_DOT: Final = re.compile(
    _DOT_BETWEEN + r"|\s*[(\[{<]\s*(?:" + _DOT_WORD + r"|\.)\s*[)\]}>]\s*", re.IGNORECASE
)
_COMMA: Final = re.compile(r"([^\s@]+@[^\s@.,]+),(\S+)")
#: What stands before each line of a list.
_LIST_MARK: Final = re.compile(r"(?:[-*+•·–—>]+|\(?\d{1,4}[.)]|\[[ xX]?\])\s+")
#: What stands behind it in archives of lists: "ana at x.org (Ana Doe)".
_COMMENT: Final = re.compile(r"\s+\([^()@]*\)\s*\Z")
#: "ana_x.org#EXT#@tenant": how Entra ID names a guest whose address is ana@x.org.
_GUEST: Final = re.compile(r"([^\s@]+)_([^\s@_]+\.[^\s@_]+)#ext#@\S+", re.IGNORECASE)

#: A longer text is not one mistyped address; and the search would take its time.
_LONGEST: Final = 320


def suggest_for_address(address: str) -> str:
    """Return the address that was probably meant, or nothing where this one looks right.

    :param address: a valid address, its domain in lower case.
    """
    local, _, domain = address.rpartition("@")
    meant = f"{local.lstrip('-=+/#!*') or local}@{_domain_meant(domain)}"
    return "" if meant == address else meant


def suggest_for_text(text: str) -> tuple[str, ...]:
    """Return what a text that is no address may have been meant as, the best guess first.

    The caller has to check them: a guess need not be a valid address.
    """
    if len(text) > _LONGEST:
        return ()
    guesses = []
    text = unicodedata.normalize("NFKC", text).strip()
    text = _LIST_MARK.sub("", text, count=1) if _LIST_MARK.match(text) else text
    text = _COMMENT.sub("", text).strip("\"'<>()[]{}*.")
    if match := _GUEST.fullmatch(text):
        guesses.append(f"{match[1]}@{match[2]}")
    if match := _COMMA.fullmatch(text):
        guesses.append(f"{match[1]}.{match[2]}")
    if match := _SPELT_OUT.fullmatch(text):
        domain = _DOT.sub(".", match["domain"]).lower()
        domain = re.sub(r"\.{2,}", ".", domain).strip(".")
        guesses.append(f"{_DOT.sub('.', match['local'])}@{_domain_meant(domain)}")
    if text.count("@") == 1 and (found := _PLAIN.search(text)):
        guesses.append(found[0])
    return tuple(guesses)


@lru_cache(maxsize=1024)
def _domain_meant(domain: str) -> str:
    """Return the domain that was probably meant: the same one, nearly always."""
    name, dot, ending = domain.partition(".")
    if not dot:
        for known in PROVIDERS:
            if one_slip(name.removesuffix("com"), known) or name in (known, f"{known}com"):
                return f"{known}.{_usual_ending(known)}"
        return domain
    stem, _, last = ending.rpartition(".")
    if last in ENDINGS:
        ending = f"{stem}.{ENDINGS[last]}" if stem else ENDINGS[last]
    for known, endings in PROVIDERS.items():
        if name == known:
            if ending in _SHORTENED_COM and ending not in endings and "com" in endings:
                ending = "com"
            break
        if (ending in endings or ending in _SHORTENED_COM) and one_slip(name, known):
            name = known
            ending = ending if ending in endings else _usual_ending(known)
            break
    return f"{name}.{ending}"


def _usual_ending(name: str) -> str:
    endings = PROVIDERS[name]
    return "com" if "com" in endings else min(endings)


def one_slip(typed: str, meant: str) -> bool:
    """Whether one letter too many, too few, wrong or swapped tells two words apart.

    That is a Damerau-Levenshtein distance of one. The first letter has to be right: there is an
    ``xmail.com`` for nearly every x.
    """
    if typed == meant or typed[:1] != meant[:1] or abs(len(typed) - len(meant)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), None)
    if at is None:
        return True  # one is the other's beginning
    if len(typed) != len(meant):
        shorter, longer = sorted((typed, meant), key=len)
        return shorter[at:] == longer[at + 1 :]
    swapped = meant[at : at + 2][::-1]
    return typed[at + 1 :] == meant[at + 1 :] or typed[at:] == swapped + meant[at + 2 :]
