import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "network"))

from tiny_park import tiny_plan

from cyclopolis.examples import example
from cyclopolis.industry import balance
from cyclopolis.plan import read_plan


@pytest.fixture(scope="session")
def tiny():
    return balance(tiny_plan())


@pytest.fixture(scope="session")
def changzhi():
    return balance(read_plan(example("changzhi")))
