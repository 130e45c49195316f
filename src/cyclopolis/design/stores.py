"""Stores beside plants in which a commodity waits from one year of the horizon for another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.design.money import spans
from cyclopolis.network.model import Floats, Ints, Network
from cyclopolis.network.places import floats


@dataclass(frozen=True)
class Stores:
    """Stores (S), each at a port: ``capacity`` in units, ``cost`` CNY per unit and year kept, ``kept`` share a year.

    ``span`` (Y,) is how many calendar years each year of the horizon stands for. What is put in during a calendar year
    is there at its end; of what was there at its beginning the share ``kept`` remains. All stores begin and end empty.
    """

    port: Ints
    capacity: Floats
    cost: Floats
    kept: Floats
    span: Ints

    def carried(self, year: int) -> tuple[Floats, Floats]:
        """Return what is left, after all years that a year stands for, of 1 unit before them and of 1 unit a year (S,).

        Examples
        --------
        >>> half = Stores(np.array([0]), np.array([9.0]), np.array([0.0]), np.array([0.5]), np.array([2]))
        >>> [part.tolist() for part in half.carried(0)]
        [[0.25], [1.5]]
        """
        count = int(self.span[year])
        return self.kept**count, np.sum([self.kept**step for step in range(count)], axis=0)

    def mean(self, year: int) -> tuple[Floats, Floats]:
        """Return what stands on average at the ends of those years, of 1 unit before them and of 1 unit a year (S,)."""
        count = int(self.span[year])
        start = np.sum([self.kept ** (step + 1) for step in range(count)], axis=0) / count
        put = np.sum([(count - step) * self.kept**step for step in range(count)], axis=0) / count
        return start, put


def no_stores(years: int) -> Stores:
    """Return that nothing is stored."""
    nothing = np.zeros(0)
    return Stores(np.zeros(0, dtype=np.int64), nothing, nothing, nothing, np.ones(years, dtype=np.int64))


def read_stores(table: pl.DataFrame, network: Network, years: Sequence[int]) -> Stores:
    """Return the stores of a plan at the plants of a network; none where one year alone is designed for."""
    if len(years) == 1:
        return no_stores(1)
    width = len(network.commodity_ids)
    plants = {name: at for at, name in enumerate(network.plant_ids)}
    goods = {name: at for at, name in enumerate(network.commodity_ids)}
    where = {int(key): at for at, key in enumerate(network.ports.plant * width + network.ports.commodity)}
    port = [
        where.get(plants.get(plant, -1) * width + goods.get(good, -1), -1) if plant in plants and good in goods else -1
        for plant, good in table.select("plant", "commodity").iter_rows()
    ]
    rows = table.with_columns(port=pl.Series(port, dtype=pl.Int64)).filter(pl.col("port") >= 0).sort("port")
    rows = rows.filter(~pl.Series(network.ports.natural[rows["port"].to_numpy()], dtype=pl.Boolean))
    return Stores(
        port=rows["port"].to_numpy(),
        capacity=floats(rows["capacity"]),
        cost=np.nan_to_num(floats(rows["cost"])),
        kept=1.0 - np.nan_to_num(floats(rows["loss_pct"])) / 100.0,
        span=np.array(spans(years), dtype=np.int64),
    )
