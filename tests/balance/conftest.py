import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.append(str(Path(__file__).parents[1] / "network"))

from tiny_park import tiny_plan

from cyclopolis.industry import balance

settings.register_profile("calm", deadline=None)  # a loaded machine is no wrong answer
settings.load_profile("calm")


@pytest.fixture
def plan():
    return tiny_plan()


@pytest.fixture
def result(plan):
    return balance(plan)
