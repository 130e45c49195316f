"""Targets in words."""

from cyclopolis.foundation.text import Language, say
from cyclopolis.library.frameworks import Target
from cyclopolis.library.frameworks.model import COMPARISONS, STATEMENTS

_COMPARED = {">=": "at_least", "<=": "at_most", ">": "above", "<": "below", "==": "equal"}


def target_text(target: Target, unit: str, language: Language) -> str:
    """Return a target as a short text.

    Examples
    --------
    >>> target_text(Target(">=", value=70.0), "%", "en")
    'at least 70 %'
    """
    if target.op in COMPARISONS:
        mark = target.value_of.text if target.value_of else f"{target.value:g}"
        return say(f"rating.target_{_COMPARED[target.op]}", language, mark=mark, unit=unit).strip()
    if target.op in STATEMENTS:
        own = target.text_zh if language == "zh" else target.text
        return own or say(f"rating.target_{target.op}", language)
    if target.op == "range":
        low, high = f"{target.minimum:g}", f"{target.maximum:g}"
        return say("rating.target_range", language, low=low, high=high, unit=unit).strip()
    if target.op == "cases":
        return "; ".join(_case_text(case.when.text, case.target, unit, language) for case in target.cases)
    if target.parts:
        joint = say(f"rating.target_{target.op}", language)
        return joint.join(_bracketed(part, unit, language) for part in target.parts)
    word = ("yes" if target.value else "no") if target.op == "bool" else target.op
    return say(f"rating.target_{word}", language)


def _bracketed(part: Target, unit: str, language: Language) -> str:
    text = target_text(part, unit, language)
    return f"({text})" if part.parts else text


def _case_text(when: str, target: Target, unit: str, language: Language) -> str:
    text = target_text(target, unit, language)
    if when.strip() == "true":
        return say("rating.target_otherwise", language, target=text)
    return say("rating.target_case", language, when=when, target=text)


def reason_text(reason: str, language: Language) -> str:
    """Return why an indicator is unknown, by its key in the table ``indicators``.

    Examples
    --------
    >>> reason_text("task", "en")
    'it is to be stated whether the set task is met'
    """
    return say(f"rating.reason_{reason}", language)
