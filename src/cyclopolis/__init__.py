"""Cyclopolis plans circular-economy industrial parks and eco-cities.

The public names below are loaded on first use, here and nowhere else, so that ``import cyclopolis`` and
``cyclopolis --help`` stay fast: a solver or a table library is only read when an engine needs it.

Examples
--------
>>> import cyclopolis
>>> plan = cyclopolis.read_plan(cyclopolis.example("changzhi"))
>>> plan.meta.name
'Changzhi Partner Park'
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "Plan": "cyclopolis.plan",
    "check_plan": "cyclopolis.plan",
    "read_plan": "cyclopolis.plan",
    "write_template": "cyclopolis.plan",
    "new_plan": "cyclopolis.plan",
    "example": "cyclopolis.examples",
    "load_library": "cyclopolis.library",
    "compile_network": "cyclopolis.network",
    "balance": "cyclopolis.industry",
    "design": "cyclopolis.design",
    "rate": "cyclopolis.rating",
    "run": "cyclopolis.study",
    "verify": "cyclopolis.study",
    "write_report": "cyclopolis.report",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - names from the one table of homes


def __getattr__(name: str) -> object:
    """Load a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cyclopolis' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted([*globals(), *_HOMES])
