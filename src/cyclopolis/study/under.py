"""Scenarios of one design as they are typed: names, each with a weight or none with one."""

from cyclopolis.foundation.problems import user_error


def weighted(under: str) -> tuple[list[str], list[float]]:
    """Return names and weights of scenarios as typed; no weights when none is given.

    Raises
    ------
    UserError
        If a weight is no number, or some have one and others have none.

    Examples
    --------
    >>> weighted("dry=0.3, wet=0.7"), weighted("dry,wet")
    ((['dry', 'wet'], [0.3, 0.7]), (['dry', 'wet'], []))
    """
    parts = [part.strip().partition("=") for part in under.split(",") if part.strip()]
    names, texts = [name.strip() for name, _, _ in parts], [text.strip() for _, _, text in parts if text.strip()]
    try:
        weights = [float(text) for text in texts]
    except ValueError:
        raise user_error("under.weights") from None
    if (weights and len(weights) < len(names)) or len(set(names)) < len(names):
        raise user_error("under.weights")
    return names, weights
