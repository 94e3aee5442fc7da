"""The edit-rule codec: (form, lemma) -> a rule, and the rule applied to any form.

Predicting a lemma becomes choosing one of a few hundred rules. The idea is that of UDPipe 2 (Straka, 2018, "UDPipe 2.0
Prototype at CoNLL 2018 UD Shared Task"): a casing script and an edit of what lies before and after the longest
substring shared by the lower-cased form and lemma. What is different: a single shared letter counts only at both
beginnings, and a lemma whose letters are cased as in the form has the script ``k`` (keep), so that "McDonald", "UN" and
"U.S." share one rule.

A rule is ``CASING;EDIT``:

- casing ``l``: all lower case · ``k``: as in the form · ``u0l1``: upper case from character 0, lower from 1 (negative
  numbers count from the end) · ``v``: as written in the rule
- edit ``-N+TEXT|-N+TEXT``: at the start drop N characters and put TEXT in their place, then the same at the end (a part
  that does nothing is not written) · ``=LEMMA``: the lemma whatever the form

"Cats" -> "cat" is ``l;|-1``, "did" -> "do" is ``l;|-2+o``, "JOHN" -> "John" is ``u0l1;|``.
"""

import re
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import accumulate

_EDIT = re.compile(r"(?:-(\d+))?(?:\+([^|]*))?\|(?:-(\d+))?(?:\+(.*))?", re.DOTALL)
_CASE = re.compile(r"([ul])(-?\d+)")


@lru_cache(maxsize=65536)
def derive_rule(form: str, lemma: str) -> str:
    """The most general rule that makes ``lemma`` of ``form``: ``apply_rule(derive_rule(form, lemma), form) == lemma``.

    Any two texts have one: where lower-casing is not reversible ("ß", "İ"), the rule spells out the lemma.
    """
    edit = _derive_edit(form.lower(), lemma.lower())
    casings = ["k", _derive_casing(lemma)] if lemma != lemma.lower() else ["l"]
    for casing in casings:
        rule = f"{casing};{edit}"
        if apply_rule(rule, form) == lemma:
            return rule
    return f"v;={lemma}"


def apply_rule(rule: str, form: str) -> str:
    """The lemma that ``rule`` makes of ``form``.

    A form too short for the rule's edit (at least one character must stay) only gets the rule's casing.

    Raises:
        ValueError: ``rule`` is not one that ``derive_rule`` can make.
    """
    casing, found, edit = rule.partition(";")
    if not found:
        raise ValueError(f"expected a lemma rule CASING;EDIT, found {rule!r}")
    if casing == "v":
        return edit[1:]
    base = form if casing == "k" else form.lower()
    lemma = _apply_edit(edit, base)
    return lemma if casing in ("k", "l") else _apply_casing(casing, lemma)


def _derive_edit(form: str, lemma: str) -> str:
    shared = SequenceMatcher(None, form, lemma, autojunk=False).find_longest_match()
    # A single letter shared anywhere but at both beginnings is chance ("were" -> "be"), and generalizes to nothing.
    chance = shared.size == 1 and (shared.a or shared.b)
    if not shared.size or chance or "|" in lemma[: shared.b]:  # the bar separates the two parts
        return f"={lemma}"
    tail = len(form) - shared.a - shared.size
    before = _part(shared.a, lemma[: shared.b])
    return f"{before}|{_part(tail, lemma[shared.b + shared.size :])}"


def _part(drop: int, text: str) -> str:
    return (f"-{drop}" if drop else "") + (f"+{text}" if text else "")


def _apply_edit(edit: str, form: str) -> str:
    if edit.startswith("="):
        return edit[1:]
    match = _EDIT.fullmatch(edit)
    if match is None:
        raise ValueError(f"expected the edit of a lemma rule, found {edit!r}")
    drop_first, first, drop_last, last = match.groups()
    start, stop = int(drop_first or 0), len(form) - int(drop_last or 0)
    if start >= stop:
        return form
    return (first or "") + form[start:stop] + (last or "")


def _derive_casing(lemma: str) -> str:
    script = ""
    previous = ""
    for index, character in enumerate(lemma):
        case = "u" if character != character.lower() else "l"
        if case != previous:
            # From the nearer end, so that one script serves lemmas of any length.
            script += f"{case}{index if index <= len(lemma) // 2 else index - len(lemma)}"
        previous = case
    return script


def _apply_casing(script: str, lemma: str) -> str:
    steps = [(case, int(place)) for case, place in _CASE.findall(script)]
    if "".join(f"{case}{place}" for case, place in steps) != script or not steps:
        raise ValueError(f"expected the casing of a lemma rule, found {script!r}")
    places = [place if place >= 0 else len(lemma) + place for _, place in steps]
    # On a lemma of another length, steps may cross: never backwards, so that no character is lost or doubled.
    starts = list(accumulate(places, max, initial=0))[1:]
    pieces = [lemma[: starts[0]]]
    for (case, _), start, stop in zip(steps, starts, [*starts[1:], len(lemma)], strict=True):
        pieces.append(lemma[start:stop].upper() if case == "u" else lemma[start:stop])
    return "".join(pieces)
