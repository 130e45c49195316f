import pytest
from hypothesis import settings
from tiny_park import tiny_plan

from cyclopolis.network import compile_network

settings.register_profile("calm", deadline=None)  # a loaded machine is no wrong answer
settings.load_profile("calm")


@pytest.fixture
def plan():
    return tiny_plan()


@pytest.fixture
def network(plan):
    return compile_network(plan)
