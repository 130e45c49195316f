"""How long start-up takes beyond bare Python: ``python benchmarks/startup.py``.

Medians of the clock over fresh processes, after one that warms the disk. Budgets: ``cyclopolis --help`` 0.3 s,
``import cyclopolis`` 0.15 s.
"""

import subprocess
import sys
import time
from statistics import median

RUNS = 21
CASES = {
    "import cyclopolis": (["-c", "import cyclopolis"], 0.15),
    "cyclopolis --help": (["-m", "cyclopolis", "--help"], 0.3),
    "cyclopolis library list transport": (["-m", "cyclopolis", "library", "list", "transport"], None),
}


def seconds(words: list[str]) -> float:
    """Return the median time of a Python process."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    return median(times[1:])


def main() -> None:
    """Print a line per case."""
    bare = seconds(["-c", "pass"])
    print(f"bare Python {sys.version.split()[0]}: {bare:.3f} s, median of {RUNS}")
    for name, (words, budget) in CASES.items():
        beyond = seconds(words) - bare
        note = "" if budget is None else f" (budget {budget} s: {'kept' if beyond <= budget else 'MISSED'})"
        print(f"{name}: {beyond:.3f} s beyond it{note}")


if __name__ == "__main__":
    main()
