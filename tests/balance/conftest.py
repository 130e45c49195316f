import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "network"))

from tiny_park import tiny_plan

from cyclopolis.industry import balance


@pytest.fixture
def plan():
    return tiny_plan()


@pytest.fixture
def result(plan):
    return balance(plan)
