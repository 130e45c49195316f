"""Places that ship with Cyclopolis, each a plan folder with its own notes on what is fact and what is assumed."""

from pathlib import Path

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message

_HOME = Path(__file__).parent


def examples() -> tuple[str, ...]:
    """Return the names of the bundled examples in alphabetical order.

    Examples
    --------
    >>> "changzhi" in examples()
    True
    """
    return tuple(sorted(folder.parent.name for folder in _HOME.glob("*/plan.toml")))


def example(name: str) -> Path:
    """Return the folder of a bundled example.

    Parameters
    ----------
    name : str
        One of `examples`.

    Returns
    -------
    Path of a plan folder; copy it (``cyclopolis new DIR --from NAME``) before changing it

    Raises
    ------
    UserError
        If there is no such example; the message lists those there are.

    Examples
    --------
    >>> (example("changzhi") / "plan.toml").is_file()
    True
    """
    if name not in examples():
        listed = ", ".join(examples())
        raise UserError((Problem(message("examples.unknown", names=listed), value=name),))
    return _HOME / name
