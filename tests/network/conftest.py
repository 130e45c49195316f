import pytest
from tiny_park import tiny_plan

from cyclopolis.network import compile_network


@pytest.fixture
def plan():
    return tiny_plan()


@pytest.fixture
def network(plan):
    return compile_network(plan)
