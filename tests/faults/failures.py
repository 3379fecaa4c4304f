"""The kinds of failure: what must not be, whatever goes wrong at Clerk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ERROR: Final = "HTTP 500"
DEADLINE: Final = "over the deadline"
WORDLESS: Final = "no words"
TYPED: Final = "typed text gone"
TWICE: Final = "sent twice"
UNTRUE: Final = "said but not so"
OLDER: Final = "an older invitation claimed as the one just sent"
UNINVITED: Final = "called uninvited and is invited"
UNSAID: Final = "so but not said"
ABANDONED: Final = "left uninvited without a word"
STUCK: Final = "an item that no later look corrects"
STRANGER: Final = "ended by somebody else's invitation"
LEAK: Final = "link, key, token or address leaked"
FORGED: Final = "log line forged"
BUDGET: Final = "upstream calls over the budget"
DEAF: Final = "all went well and the judge did not hear it"

KINDS: Final = (
    ERROR,
    DEADLINE,
    WORDLESS,
    TYPED,
    TWICE,
    UNTRUE,
    OLDER,
    UNINVITED,
    UNSAID,
    ABANDONED,
    STUCK,
    STRANGER,
    LEAK,
    FORGED,
    BUDGET,
    DEAF,
)


@dataclass(frozen=True)
class Failure:
    """Something that is not as it should be."""

    kind: str
    #: What was said, and what is so.
    text: str
