"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import cyclopolis

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(cyclopolis.__path__, "cyclopolis.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["cyclopolis", *MODULES])
def test_examples_run(name: str) -> None:
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert outcome.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES]
    assert sum(bool(test.examples) for module in modules for test in finder.find(module)) > 20
