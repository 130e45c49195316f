"""Small networks written by hand for the tests of design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from cyclopolis.design.capital import capital_builds
from cyclopolis.design.money import capital_worth, yearly_worth
from cyclopolis.design.pose import decisions
from cyclopolis.design.problem import DesignProblem, SolveOptions
from cyclopolis.design.years import YearsProblem
from cyclopolis.network import base_flows, quantities
from cyclopolis.network.model import (
    BUY,
    CANDIDATE,
    EXISTING,
    SELL,
    Arcs,
    Fates,
    Markets,
    Network,
    Plants,
    Ports,
    Trades,
)


@dataclass(frozen=True)
class Plant:
    """A plant: recipe (+ out, - in; the first is the main commodity), size and costs."""

    recipe: Mapping[str, float]
    capacity: float = 100.0
    activity: float = 0.0
    status: int = CANDIDATE
    capacity_min: float | None = None
    fixed: float = 0.0
    slope: float = 0.0
    exponent: float = 1.0
    opex: float = 0.0
    may_close: bool = False
    natural: tuple[str, ...] = ()
    units: float = 1.0
    min_load: float = 0.0
    retire_year: float = float("nan")
    lifetime: float = 20.0
    build_from: float = float("nan")
    build_until: float = float("nan")


@dataclass(frozen=True)
class World:
    """Plants by name; prices by commodity; ``sell`` and ``buy`` as (price, volume); fates by commodity at a cost."""

    plants: Mapping[str, Plant]
    buy: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sell: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sell_min: Mapping[str, float] = field(default_factory=dict)
    fates: Mapping[str, float] = field(default_factory=dict)
    swaps: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    arc_cost: float = 0.0
    exclusions: Sequence[Sequence[str]] = ()

    def network(self) -> Network:
        names = sorted(self.plants)
        goods = sorted({good for plant in self.plants.values() for good in plant.recipe})
        rows = [
            (at, goods.index(good), amount, good in self.plants[name].natural)
            for at, name in enumerate(names)
            for good, amount in sorted(self.plants[name].recipe.items())
        ]
        plant, good, amount, natural = (np.array(column) for column in zip(*rows, strict=True))
        arcs = self._arcs(goods, plant, good, amount, natural)
        markets, trades = self._markets(goods, good, amount, natural)
        out = [at for at in range(good.size) if amount[at] > 0 and goods[good[at]] in self.fates and not natural[at]]
        return Network(
            site_ids=("park",),
            enterprise_ids=(),
            plant_ids=tuple(names),
            commodity_ids=tuple(goods),
            technology_ids=tuple(names),
            chain_ids=(),
            mode_ids=(),
            fate_ids=("landfill",),
            year=2030,
            parent=np.array([-1]),
            park=np.array([0]),
            grid_factor=np.array([np.nan]),
            chain=np.full(len(names), -1),
            commodities=pl.DataFrame(
                {
                    "commodity": goods,
                    "kind": ["material"] * len(goods),
                    "lhv_gj_per_unit": [None] * len(goods),
                    "sw_code": [None] * len(goods),
                    "hazard": [False] * len(goods),
                },
                schema_overrides={"lhv_gj_per_unit": pl.Float64, "sw_code": pl.String},
            ),
            technologies=pl.DataFrame({"technology": names}),
            t_per_unit=np.ones(len(goods)),
            plants=self._plants(names, plant, good, goods),
            ports=Ports(
                plant=plant,
                commodity=good,
                coefficient=amount.astype(float),
                recipe=amount.astype(float),
                low=np.abs(amount),
                high=np.abs(amount),
                role=np.zeros(plant.size, dtype=np.int64),
                natural=natural.astype(bool),
                provenance=np.ones(plant.size, dtype=np.int64),
            ),
            arcs=arcs,
            markets=markets,
            trades=trades,
            fates=Fates(
                port=np.array(out, dtype=np.int64),
                fate=np.zeros(len(out), dtype=np.int64),
                cost=np.array([self.fates[goods[good[at]]] for at in out], dtype=float),
                co2=np.zeros(len(out)),
                provenance=np.ones(len(out), dtype=np.int64),
            ),
            exclusions=tuple(tuple(names.index(name) for name in group) for group in self.exclusions),
            unknowns=pl.DataFrame(schema={"plant": pl.String, "commodity": pl.String, "reason": pl.String}),
        )

    def _arcs(self, goods, plant, good, amount, natural):
        found = []
        for giver in range(good.size):
            for taker in range(good.size):
                if plant[giver] == plant[taker] or amount[giver] <= 0 or amount[taker] >= 0:
                    continue
                if natural[giver] or natural[taker]:
                    continue
                pair = (goods[good[giver]], goods[good[taker]])
                if pair[0] == pair[1]:
                    found.append((giver, taker, 1.0, -1, np.nan))
                elif pair in self.swaps:
                    ratio, share = self.swaps[pair]
                    found.append((giver, taker, ratio, int(plant[taker]), share))
        groups = sorted({row[3] for row in found if row[3] >= 0})
        share = {row[3]: row[4] for row in found}
        count = len(found)
        return Arcs(
            giver=np.array([row[0] for row in found], dtype=np.int64),
            taker=np.array([row[1] for row in found], dtype=np.int64),
            ratio=np.array([row[2] for row in found]),
            kind=np.array([1 if row[3] < 0 else 3 for row in found], dtype=np.int64),
            distance=np.zeros(count),
            mode=np.full(count, -1),
            cost=np.full(count, self.arc_cost),
            cap_group=np.array([groups.index(row[3]) if row[3] >= 0 else -1 for row in found], dtype=np.int64),
            co2_credit=np.zeros(count),
            cap_share=np.array([share[group] for group in groups]),
            exchange=np.full(count, np.nan),
            exchange_provenance=np.full(count, -1),
        )

    def _markets(self, goods, good, amount, natural):
        rows = [(name, BUY, *self.buy[name], 0.0) for name in sorted(self.buy) if name in goods]
        rows += [
            (name, SELL, *self.sell[name], self.sell_min.get(name, 0.0)) for name in sorted(self.sell) if name in goods
        ]
        links = sorted(
            (port, market)
            for market, row in enumerate(rows)
            for port in range(good.size)
            if goods[good[port]] == row[0] and (amount[port] > 0) == (row[1] == SELL) and not natural[port]
        )
        count = len(rows)
        return (
            Markets(
                commodity=np.array([goods.index(row[0]) for row in rows], dtype=np.int64),
                site=np.full(count, -1),
                direction=np.array([row[1] for row in rows], dtype=np.int64),
                price=np.array([row[2] for row in rows], dtype=float),
                volume_min=np.array([row[4] for row in rows], dtype=float),
                volume_max=np.array([row[3] for row in rows], dtype=float),
                implied=np.zeros(count, dtype=bool),
                provenance=np.ones(count, dtype=np.int64),
            ),
            Trades(
                port=np.array([link[0] for link in links], dtype=np.int64),
                market=np.array([link[1] for link in links], dtype=np.int64),
            ),
        )

    def _plants(self, names, plant, good, goods):
        chosen = [self.plants[name] for name in names]
        count = len(names)
        mains = [next(iter(item.recipe)) for item in chosen]
        main = [int(np.flatnonzero((plant == at) & (good == goods.index(name)))[0]) for at, name in enumerate(mains)]

        def column(read):
            return np.array([read(item) for item in chosen], dtype=float)

        unknown = np.full(count, np.nan)
        return Plants(
            site=np.zeros(count, dtype=np.int64),
            enterprise=np.full(count, -1),
            technology=np.arange(count),
            status=np.array([item.status for item in chosen], dtype=np.int64),
            main=np.array(main, dtype=np.int64),
            capacity=column(lambda item: item.capacity),
            capacity_min=column(lambda item: item.capacity if item.capacity_min is None else item.capacity_min),
            activity=column(lambda item: item.activity),
            build_from=column(lambda item: item.build_from),
            build_until=column(lambda item: item.build_until),
            lifetime=column(lambda item: item.lifetime),
            capex=column(lambda item: item.fixed + item.slope * item.capacity),
            capex_fixed=column(lambda item: item.fixed),
            capex_slope=column(lambda item: item.slope),
            scale_exponent=column(lambda item: item.exponent),
            units=column(lambda item: item.units),
            min_load=column(lambda item: item.min_load),
            retire_year=column(lambda item: item.retire_year),
            opex=column(lambda item: item.opex),
            jobs=unknown,
            land=unknown,
            may_close=np.array([item.may_close for item in chosen]),
            library=np.zeros(count, dtype=bool),
            provenance=np.ones(count, dtype=np.int64),
            economics_provenance=np.ones(count, dtype=np.int64),
        )

    def problem(self, **options: float) -> DesignProblem:
        """Return the world as a problem: fixed and slope are yearly money; tight gap."""
        network = self.network()
        plants = network.plants
        new = plants.status != EXISTING
        return DesignProblem(
            network=network,
            base=base_flows(network),
            gain=quantities(network)["gain"],
            built_cost=np.where(new, plants.capex_fixed, 0.0),
            capacity_cost=np.where(new, plants.capex_slope, 0.0),
            decided=np.zeros(new.size, dtype=bool),
            barred=np.zeros(new.size, dtype=bool),
            loose_max=np.zeros(network.ports.plant.size),
            arc_min=np.zeros(network.arcs.giver.size),
            options=SolveOptions(**{"gap": 1e-9, **options}),
        )


def over_years(worlds: Mapping[int, World], base_year: int, rate: float, pieces: int = 1, **more) -> YearsProblem:
    """Return worlds by year, alike but for their markets, as a problem over years; money counts as it stands."""
    years = tuple(sorted(worlds))
    parts = []
    for year in years:
        part = worlds[year].problem()
        parts.append(replace(part, network=replace(part.network, year=year)))
    decided, barred = decisions(parts[0].network, years, base_year)
    parts = [replace(part, decided=decided[:, at], barred=barred[:, at]) for at, part in enumerate(parts)]
    plants = parts[0].network.plants
    builds, _ = capital_builds(plants, parts[0].new, pieces)
    spent, left = capital_worth(rate, base_year, years, plants.lifetime)
    cost = (spent - left)[builds.plant]
    return YearsProblem(
        years=tuple(parts),
        worth=yearly_worth(rate, base_year, years),
        builds=builds,
        built_cost=cost * builds.fixed[:, None],
        capacity_cost=cost * builds.slope[:, None],
        options=SolveOptions(gap=1e-9),
        **more,
    )


def plant_at(network: Network, name: str) -> int:
    return network.plant_ids.index(name)
