import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parents[1] / "network"))

from tiny_park import tiny_plan

import cyclopolis
from cyclopolis.industry import flows_table
from cyclopolis.industry.metabolism.accounts import accounts_table
from cyclopolis.industry.metabolism.circularity_table import circularity_table
from cyclopolis.industry.metabolism.detailed import details_table, scopes
from cyclopolis.network import base_flows, compile_network


@dataclass(frozen=True)
class State:
    plan: object
    network: object
    flows: object
    rows: pl.DataFrame
    details: pl.DataFrame

    @property
    def accounts(self):
        return accounts_table(self.network, self.flows)

    @property
    def circularity(self):
        members = scopes(self.network, self.flows)
        return circularity_table(self.rows, self.details, members, self.network.commodities)

    @property
    def measurements(self):
        return self.plan.tables["measurements"]

    def of(self, account, item, scope="place", of=None):
        found = self.details.filter(
            (pl.col("account") == account)
            & (pl.col("item") == item)
            & (pl.col("scope") == scope)
            & pl.col("of").eq_missing(pl.lit(of, dtype=pl.String))
        )
        return found["value"].item()

    def measure(self, name, scope="place"):
        return self.circularity.filter(measure=name, scope=scope)["value"].item()


def state_of(plan):
    network = compile_network(plan)
    flows = base_flows(network)
    rows = flows_table(network, flows)
    return State(plan, network, flows, rows, details_table(network, flows, rows, plan.library.emission_factors))


@pytest.fixture(scope="session")
def states():
    names = ("quickstart", "changzhi", "liupanshui")
    return {name: state_of(cyclopolis.read_plan(cyclopolis.example(name))) for name in names}


@pytest.fixture(scope="session")
def quickstart(states):
    return states["quickstart"]


@pytest.fixture(scope="session")
def tiny():
    return state_of(tiny_plan())


@pytest.fixture
def make():
    return state_of
