"""Matches 10 million offers and needs and shows it beside rapidfuzz alone and scikit-learn's nearest neighbours.

``python benchmarks/matching.py [ROWS]``. The peers cannot run at that size: rapidfuzz compares every text with every
other one, and nearest neighbours know places but neither things nor amounts. Both run on a smaller list, beside the
same list matched here. Peak memory is of the process; each part runs in its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ROWS = 10_000_000
SMALL = 20_000
REACH_KM = 9.0
RUBBISH = 0.01
SEED = 7


def draw(rows: int, path: Path, side_km: float) -> None:
    """Write a list of offers and needs: things of the library in both languages, spread over a square."""
    from cyclopolis.library import load_library

    rng = np.random.default_rng(SEED)
    goods = load_library().commodities.filter(pl.col("kind") == "material")
    names = pl.concat([goods["commodity"], goods["name"], goods["name_zh"]])
    degrees = side_km / 111.19
    text = names.gather(rng.integers(0, names.len(), rows))
    side = pl.Series(["offer", "need"]).gather((rng.random(rows) < 0.5).astype(np.int64))
    bad = rng.random(rows) < RUBBISH
    table = pl.DataFrame(
        {
            "side": side,
            "text": text,
            "amount": pl.Series(np.round(rng.lognormal(8, 2, rows), 1)).cast(pl.String),
            "lon": rng.uniform(100.0, 100.0 + degrees, rows).astype(np.float32),
            "lat": rng.uniform(25.0, 25.0 + degrees * 0.85, rows).astype(np.float32),
        }
    ).with_columns(amount=pl.when(pl.Series(bad)).then(pl.lit("n/a")).otherwise("amount"))
    table.write_parquet(path)


def ours(path: Path) -> dict[str, float]:
    """Match a list; seconds, pairs, peak."""
    from cyclopolis.industry.exchanges.match import MatchOptions, match

    start = time.perf_counter()
    found = match(path, MatchOptions(reach_km=REACH_KM, budget=40_000_000, rows=1000))
    facts = found.facts
    return {
        "seconds": time.perf_counter() - start,
        "candidates": facts["candidates"],
        "pairs": facts["pairs"],
        "rubbish": int(found.tables["rubbish"]["rows"].sum()),
        "usable": facts["offers"] + facts["needs"],
    }


def fuzz(path: Path) -> dict[str, float]:
    """Compare every offered text with every needed one, which is all that likeness alone can do."""
    from rapidfuzz import fuzz as scorers
    from rapidfuzz.process import cdist

    table = pl.read_parquet(path)
    offers = table.filter(pl.col("side") == "offer")["text"].to_list()
    needs = table.filter(pl.col("side") == "need")["text"].to_list()
    start = time.perf_counter()
    pairs = 0
    for first in range(0, len(offers), 1000):
        pairs += int((cdist(offers[first : first + 1000], needs, scorer=scorers.ratio, score_cutoff=90) > 0).sum())
    return {"seconds": time.perf_counter() - start, "candidates": len(offers) * len(needs), "pairs": pairs}


def neighbours(path: Path) -> dict[str, float]:
    """Find every need within reach of every offer, whatever it is."""
    from sklearn.neighbors import BallTree

    table = pl.read_parquet(path)
    offers = table.filter(pl.col("side") == "offer").select("lat", "lon").to_numpy()
    needs = table.filter(pl.col("side") == "need").select("lat", "lon").to_numpy()
    start = time.perf_counter()
    tree = BallTree(np.radians(needs), metric="haversine")
    pairs = int(tree.query_radius(np.radians(offers), REACH_KM / 6371.0088, count_only=True).sum())
    return {"seconds": time.perf_counter() - start, "candidates": pairs, "pairs": pairs}


PARTS = {"ours": ours, "fuzz": fuzz, "neighbours": neighbours}


def peak_mib() -> float:
    """Return the most memory that this process held since it started its own program."""
    status = Path("/proc/self/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def alone(part: str, path: Path) -> dict[str, float]:
    """Run one part in a process of its own and return what it says, with its peak memory in MiB."""
    done = subprocess.run([sys.executable, __file__, part, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{part}: cannot run here: {done.stderr.strip().splitlines()[-1:]}")
        return {}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Draw, match, compare, print."""
    if len(sys.argv) > 2:
        found = PARTS[sys.argv[1]](Path(sys.argv[2]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        found["peak_mib"], found["cpu_seconds"] = peak_mib(), used.ru_utime + used.ru_stime
        print(json.dumps(found))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as place:
        large, small = Path(place) / "large.parquet", Path(place) / "small.parquet"
        draw(rows, large, 3000.0 * (rows / ROWS) ** 0.5)
        draw(SMALL, small, 3000.0 * (SMALL / ROWS) ** 0.5)
        big = alone("ours", large)
        print(f"{rows:,} rows: " + ", ".join(f"{name} {value:,.1f}" for name, value in big.items()))
        parts = {name: alone(name, small) for name in PARTS}
        for name, found in parts.items():
            if found:
                rate = found["candidates"] / found["seconds"]
                print(
                    f"{SMALL:,} rows, {name}: "
                    + ", ".join(f"{key} {value:,.2f}" for key, value in found.items())
                    + f", {rate:,.0f} pairs/s"
                )
        mine = parts["ours"]
        for name in ("fuzz", "neighbours"):
            if mine and parts[name]:
                time_ratio = parts[name]["seconds"] / mine["seconds"]
                pair_ratio = parts[name]["pairs"] / max(mine["pairs"], 1)
                print(f"{name}: {time_ratio:.1f} times our time at {SMALL:,} rows, {pair_ratio:.1f} times our pairs")


if __name__ == "__main__":
    main()
