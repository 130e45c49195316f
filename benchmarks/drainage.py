"""A thousand sponge designs written, run and read by the pool, beside bare swmm-toolkit workers; memory over 3,000.

Run: python benchmarks/drainage.py [RUNS]. Both sides start their processes anew each time, write the same input files,
run the same solver and read the total runoff series; the pool also writes each design from its areas, reads totals and
loads, and guards against a worker's death. Best of several, in turn; other load on the machine hits both alike.
"""

import sys
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.pool import run_pool
from cyclopolis.infrastructure.drainage.search import DesignJob
from cyclopolis.infrastructure.drainage.sponge import Measure, SpongeWriter

PLACES = (
    ("S1", "bioretention", 800.0),
    ("S1", "rain_barrel", 60.0),
    ("S2", "bioretention", 800.0),
    ("S3", "infiltration_trench", 400.0),
    ("S4", "bioretention", 1400.0),
    ("S5", "permeable_pavement", 12000.0),
    ("S5", "green_roof", 4000.0),
)


def writer() -> SpongeWriter:
    import cyclopolis  # here, so that the workers, which import this file, do not read the plan's libraries
    from cyclopolis.infrastructure.drainage.kinds import measure_kinds

    plan = cyclopolis.read_plan(cyclopolis.example("sponge"))
    model = Inp.parse((plan.folder / "LID_Model.inp").read_bytes())
    model = model.remove_rows("LID_USAGE", lambda row: row.fields[0] in {"S1", "S2", "S3", "S4", "S5"})
    measures = [Measure(catchment, kind, most, 100.0) for catchment, kind, most in PLACES]
    return SpongeWriter(model, measure_kinds(plan), measures)


def bare(texts: list[bytes], pipe) -> None:
    """Write, run and read with nothing but swmm-toolkit; what it prints goes nowhere, as in the pool."""
    import os

    from swmm.toolkit import output, solver
    from swmm.toolkit.shared_enum import SystemAttribute, Time

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    peaks = []
    with TemporaryDirectory() as folder:
        inp, rpt, out = (f"{folder}/m.{ending}" for ending in ("inp", "rpt", "out"))
        for text in texts:
            for name in (inp, rpt, out):  # written over, ext4 would put each of them on the disk at once
                Path(name).unlink(missing_ok=True)
            Path(inp).write_bytes(text)
            solver.swmm_run(inp, rpt, out)
            handle = output.init()
            output.open(handle, out)
            count = output.get_times(handle, Time.NUM_PERIODS)
            peaks.append(max(output.get_system_series(handle, SystemAttribute.RUNOFF_FLOW, 0, count - 1)))
            output.close(handle)
    pipe.send(peaks)


def run_bare(texts: list[bytes], workers: int) -> int:
    context = get_context("spawn")
    pipes, crew = [], []
    for part in range(workers):
        ours, theirs = context.Pipe()
        crew.append(context.Process(target=bare, args=(texts[part::workers], theirs)))
        pipes.append(ours)
        crew[-1].start()
    done = sum(len(pipe.recv()) for pipe in pipes)
    for process in crew:
        process.join()
    return done


def run_ours(job: DesignJob, designs: list[tuple[float, ...]], workers: int) -> int:
    return sum(outcome.value is not None for outcome in run_pool(job, designs, workers))


def timed(work, expected: int) -> float:
    start = time.perf_counter()
    assert work() == expected
    return time.perf_counter() - start


def memory_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def main(runs: int = 1000, turns: int = 3) -> None:
    made = writer()
    most = np.array([measure.max_area_m2 for measure in made.measures])
    designs = [tuple(row) for row in np.random.default_rng(7).random((runs, most.size)) * most]
    texts = [made.write(np.array(row)) for row in designs]
    job = DesignJob(made)
    best: dict[str, float] = {}
    for _ in range(turns):
        for name, work in (
            ("bare 2", partial(run_bare, texts, 2)),
            ("ours 2", partial(run_ours, job, designs, 2)),
            ("bare 1", partial(run_bare, texts, 1)),
            ("ours 1", partial(run_ours, job, designs, 1)),
        ):
            best[name] = min(best.get(name, np.inf), timed(work, runs))
    for name, seconds in best.items():
        print(f"{name} worker(s): {seconds:.2f} s for {runs} designs, {1000 * seconds / runs:.2f} ms each")
    print(f"ours over bare on two workers: {best['ours 2'] / best['bare 2']:.3f} (wanted: at most 1.2)")
    print(f"ours, one worker over two: {best['ours 1'] / best['ours 2']:.2f} (wanted: at least 1.8)")
    print(f"bare, one worker over two: {best['bare 1'] / best['bare 2']:.2f} (what the machine gave in this run)")
    with TemporaryDirectory() as folder:
        for done in range(3 * runs + 1):
            if done in (runs // 3, runs, 2 * runs, 3 * runs):
                print(f"memory after {done} runs in one process: {memory_kb() / 1024:.1f} MiB")
            job(designs[done % runs], Path(folder))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
