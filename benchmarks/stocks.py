"""Speed of the cohort kernels beside flodym, and beside ODYM where it can be imported: 201 years x 100 products.

Run ``python benchmarks/stocks.py``. Both sides build the survival shares from the lifetimes and then stocks, inflows
and outflows; prints seconds, ratios and the largest difference. ODYM is no package: put the folder of its
``dynamic_stock_model.py`` on PYTHONPATH to have it beside us; it takes one product at a time. Nothing here is a test.
"""

import importlib
import importlib.util
import resource
import time

import numpy as np
from flodym.dimensions import Dimension, DimensionSet
from flodym.flodym_arrays import StockArray
from flodym.lifetime_models import LogNormalLifetime, NormalLifetime
from flodym.stocks import InflowDrivenDSM, StockDrivenDSM

from cyclopolis.industry.metabolism.stocks import Lifetime, inflow_driven, stock_driven

YEARS, PRODUCTS = 201, 100


def best(work, times=5):
    """Return the shortest of some runs and what the last one gave."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        given = work()
        spent.append(time.perf_counter() - start)
    return min(spent), given


def flodym_run(dimensions, given, lifetime, driven):
    """Build and run one flodym stock."""
    array = StockArray(dims=dimensions, values=given.copy())
    stock = (
        InflowDrivenDSM(dims=dimensions, inflow=array, lifetime_model=lifetime())
        if driven == "inflow"
        else StockDrivenDSM(dims=dimensions, stock=array, lifetime_model=lifetime())
    )
    stock.compute()
    return stock.stock.values if driven == "inflow" else stock.inflow.values


def odym_run(module, inflow, mean, sd):
    """Run ODYM's inflow-driven model, product by product; its cohorts enter at the end of the year."""
    stocks = []
    for product in range(PRODUCTS):
        lifetime = {"Type": "Normal", "Mean": np.full(YEARS, mean[product]), "StdDev": np.full(YEARS, sd[product])}
        model = module.DynamicStockModel(t=np.arange(YEARS), i=inflow[:, product], lt=lifetime)
        model.compute_s_c_inflow_driven()
        model.compute_o_c_from_s_c()
        model.compute_stock_total()
        model.compute_outflow_total()
        stocks.append(model.s)
    return np.stack(stocks, axis=1)


def beside_odym(inflow, mean, sd):
    """Print the line of ODYM, or that it is not here."""
    if importlib.util.find_spec("dynamic_stock_model") is None:
        print("ODYM is not on PYTHONPATH: not measured")
        return
    module = importlib.import_module("dynamic_stock_model")
    years = np.arange(1900, 1900 + YEARS)
    ours = Lifetime("normal", mean=mean, sd=sd)
    mine, model = best(lambda: inflow_driven(years, inflow, ours, "end"))
    peers, values = best(lambda: odym_run(module, inflow, mean, sd), times=2)
    apart = np.abs(model.stock - values).max()
    print(f"normal      inflow, ODYM {mine:5.4f} {peers:9.4f} {peers / mine:6.1f}  {apart:.1e}")


def main():
    """Print the table."""
    years = np.arange(1900, 1900 + YEARS)
    dimensions = DimensionSet(
        dim_list=[
            Dimension(name="time", letter="t", items=years.tolist(), dtype=int),
            Dimension(name="product", letter="p", items=[f"p{k}" for k in range(PRODUCTS)], dtype=str),
        ]
    )
    generator = np.random.default_rng(0)
    mean, sd = generator.uniform(20, 60, PRODUCTS), generator.uniform(5, 15, PRODUCTS)
    inflow = generator.uniform(1, 2, (YEARS, PRODUCTS))
    wide = np.broadcast_to(mean, (YEARS, PRODUCTS)), np.broadcast_to(sd, (YEARS, PRODUCTS))
    print("lifetime    driven by  ours s   flodym s  ratio  largest difference")
    for kind, peer in (("log_normal", LogNormalLifetime), ("normal", NormalLifetime)):
        ours = Lifetime(kind, mean=mean, sd=sd)

        def theirs(peer=peer):
            return peer(dims=dimensions, mean=wide[0], std=wide[1])

        stock = inflow_driven(years, inflow, ours, "middle").stock
        for driven, given in (("inflow", inflow), ("stock", stock)):
            kernel = inflow_driven if driven == "inflow" else stock_driven
            mine, model = best(lambda kernel=kernel, given=given, ours=ours: kernel(years, given, ours, "middle"))
            peers, values = best(lambda given=given, driven=driven, t=theirs: flodym_run(dimensions, given, t, driven))
            found = model.stock if driven == "inflow" else model.inflow
            apart = np.abs(found - values).max()
            print(f"{kind:<11} {driven:<9} {mine:8.4f} {peers:9.4f} {peers / mine:6.1f}  {apart:.1e}")
    beside_odym(inflow, mean, sd)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
