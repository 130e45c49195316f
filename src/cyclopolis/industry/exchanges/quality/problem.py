"""What a network with quality is given, on plain arrays: who gives, who takes, how clean it must be.

Givers stand in the order fresh sources, fixed-flow sources, fixed-load operations (their outlets), regenerators (their
outlets); takers in the order sinks, operations (their inlets), regenerators (their inlets), discharge. Concentrations
are in one unit, loads in flow x concentration, so that no factor stands in any balance.
"""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_OFTEN = 10.0
"""How often, at most, all water passes a regenerator."""
NOWHERE = -1
"""Plant of what belongs to none: mains, discharge."""


@dataclass(frozen=True)
class QualityProblem:
    """One network with quality. Build it with `quality_problem`, which fills what is left out.

    Parameters
    ----------
    fresh : (F, C) array
        Concentrations of the fresh sources.
    fresh_max, fresh_cost : (F,) array
        Most that each gives; cost per unit of flow.
    source_flow, source : (S,), (S, C) array
        Fixed flows that leave, with their concentrations.
    sink_flow, sink_limit : (D,), (D, C) array
        Fixed flows that are needed, with the highest concentration allowed (infinite: any).
    load, inlet_limit, outlet_limit : (P, C) array
        Fixed-load operations: what each takes up, the highest concentrations in and out. The flow is free.
    gain : (P,) array
        Flow out less flow in of an operation (negative: a loss).
    outlet, removal : (R, C) array
        Regenerators: the outlet concentration (NaN where a share is removed instead), and that share.
    recovery : (R,) array
        Share of what goes in that comes out clean; the rest leaves as reject.
    feed_limit : (R, C) array
        Highest concentrations that a regenerator takes.
    capacity, regeneration_cost : (R,) array
        Most that a regenerator takes; cost per unit of flow taken.
    discharge_limit : (C,) array
        Highest concentrations of what is discharged (mixed).
    discharge_cost : float
        Cost per unit of flow discharged.
    full : float
        Concentration of pure contaminant in the unit used (100 for per cent); a recovery counts what is not
        contaminant. Infinite: it counts the whole flow, as for water in ppm.
    recycle : bool
        Whether water may be regenerated more than once; else regeneration takes no more than is fresh.
    giver_plant, taker_plant : (G,), (T,) array of int
        Plant of each giver and taker, `NOWHERE` where it belongs to none.
    barred : (G, T) array of bool
        Connections that may not be.
    least_flow : float
        Least flow in a connection that exists.
    pipe_cost, pipe_flow_cost : (G, T) array
        Cost of a connection that exists, and per unit of its flow.
    """

    fresh: Floats
    fresh_max: Floats
    fresh_cost: Floats
    source_flow: Floats
    source: Floats
    sink_flow: Floats
    sink_limit: Floats
    load: Floats
    inlet_limit: Floats
    outlet_limit: Floats
    gain: Floats
    outlet: Floats
    removal: Floats
    recovery: Floats
    feed_limit: Floats
    capacity: Floats
    regeneration_cost: Floats
    discharge_limit: Floats
    discharge_cost: float
    full: float
    recycle: bool
    giver_plant: Ints
    taker_plant: Ints
    barred: Bools
    least_flow: float
    pipe_cost: Floats
    pipe_flow_cost: Floats

    @property
    def contaminants(self) -> int:
        """Number of contaminants C."""
        return int(self.fresh.shape[1])

    @property
    def sizes(self) -> tuple[int, int, int, int, int]:
        """Numbers of fresh sources F, sources S, sinks D, operations P, regenerators R."""
        return (
            self.fresh_max.size,
            self.source_flow.size,
            self.sink_flow.size,
            self.gain.size,
            self.recovery.size,
        )

    @cached_property
    def arcs(self) -> tuple[Ints, Ints]:
        """Giver and taker of every connection that may be (A,), by giver, then taker.

        Left out is what no network needs: fresh water straight to discharge, or to a regenerator that removes shares
        (it may as well go round), and outlets back to their own inlet.
        """
        fresh, sources, sinks, operations, regenerators = self.sizes
        allowed = ~self.barred
        discharge = sinks + operations + regenerators
        allowed[:fresh, discharge] = False
        own = np.arange(operations)
        allowed[fresh + sources + own, sinks + own] = False
        own = np.arange(regenerators)
        allowed[fresh + sources + operations + own, sinks + operations + own] = False
        whole = (np.isnan(self.outlet) & np.isinf(self.feed_limit)).all(axis=1) & (self.recovery == 1.0)
        allowed[:fresh, sinks + operations + np.flatnonzero(whole)] = False
        giver, taker = np.nonzero(allowed)
        return giver.astype(np.int64), taker.astype(np.int64)

    @cached_property
    def given(self) -> Floats:
        """Concentrations of the givers (G, C) where they are known beforehand; an operation's is its outlet limit.

        One contaminant: an operation may always be run at its outlet limit, for what is cleaner can go round it
        (Savelski and Bagajewicz 2000). NaN for a regenerator that removes a share.
        """
        return np.concatenate((self.fresh, self.source, self.outlet_limit, self.outlet))

    @property
    def linear(self) -> bool:
        """Whether the concentrations of all givers are known beforehand, so that linear programming is exact."""
        return not np.isnan(self.outlet).any() and (self.gain.size == 0 or self.contaminants == 1)

    def most_through(self) -> Floats:
        """Return the largest flow into each operation that any best network needs (P,).

        More would leave every contaminant below its outlet limit, and the excess could go round the operation.
        """
        room = self.outlet_limit - self.inlet_limit
        with np.errstate(divide="ignore", invalid="ignore"):
            limiting = (self.load - self.outlet_limit * self.gain[:, None]) / room
        limiting = np.where((room > 0) & (self.load > 0), limiting, np.where(self.load > 0, np.inf, 0.0))
        most = np.max(limiting, axis=1, initial=0.0)
        return np.asarray(np.maximum(most, np.maximum(-self.gain, 0.0)), dtype=np.float64)

    def flow_scale(self) -> float:
        """Return a flow that no total exceeds by much; what programmes are scaled by."""
        most = self.most_through()
        finite = most[np.isfinite(most)].sum()
        alone = np.where(np.isfinite(most), 0.0, _alone(self)).sum()
        return float(self.source_flow.sum() + self.sink_flow.sum() + finite + 10.0 * alone) or 1.0

    def most_flows(self) -> tuple[Floats, Floats]:
        """Return the most that each giver gives (G,) and each taker takes (T,) in a network that wastes nothing."""
        top = self.flow_scale()
        through = np.minimum(self.most_through(), 10.0 * top)
        regenerated = np.minimum(self.capacity, _OFTEN * top)
        giver = np.concatenate(
            (np.minimum(self.fresh_max, 2.0 * top), self.source_flow, through + self.gain, regenerated)
        )
        taker = np.concatenate((self.sink_flow, through, regenerated, [2.0 * _OFTEN * top]))
        return np.maximum(giver, 0.0), taker


def _alone(problem: QualityProblem) -> Floats:
    """Return the flow of each operation on the cleanest fresh source (P,), 0 where that cannot serve it."""
    clean = problem.fresh.min(axis=0, initial=0.0) if problem.fresh.size else np.zeros(problem.contaminants)
    room = problem.outlet_limit - clean
    with np.errstate(divide="ignore", invalid="ignore"):
        flow = np.where(problem.load > 0, problem.load / room, 0.0)
    used = np.where(np.isfinite(flow) & (flow > 0), flow, 0.0)
    return np.asarray(used.max(axis=1, initial=0.0), dtype=np.float64)


def _grid(contaminants: int, values: npt.ArrayLike | None, rows: int, fill: float) -> Floats:
    if values is None:
        return np.full((rows, contaminants), fill)
    return np.asarray(values, dtype=np.float64).reshape(-1, contaminants)


def _line(values: npt.ArrayLike | None, size: int | tuple[int, int], fill: float) -> Floats:
    return (
        np.full(size, fill, dtype=np.float64) if values is None else np.asarray(values, dtype=np.float64).reshape(size)
    )


def quality_problem(
    contaminants: int = 1,
    *,
    fresh: npt.ArrayLike = (),
    fresh_max: npt.ArrayLike | None = None,
    fresh_cost: npt.ArrayLike | None = None,
    source_flow: npt.ArrayLike = (),
    source: npt.ArrayLike = (),
    sink_flow: npt.ArrayLike = (),
    sink_limit: npt.ArrayLike = (),
    load: npt.ArrayLike = (),
    inlet_limit: npt.ArrayLike = (),
    outlet_limit: npt.ArrayLike = (),
    gain: npt.ArrayLike | None = None,
    outlet: npt.ArrayLike | None = None,
    removal: npt.ArrayLike | None = None,
    recovery: npt.ArrayLike | None = None,
    feed_limit: npt.ArrayLike | None = None,
    capacity: npt.ArrayLike | None = None,
    regeneration_cost: npt.ArrayLike | None = None,
    discharge_limit: npt.ArrayLike | None = None,
    discharge_cost: float = 0.0,
    full: float = np.inf,
    recycle: bool = True,
    giver_plant: npt.ArrayLike | None = None,
    taker_plant: npt.ArrayLike | None = None,
    barred: npt.ArrayLike | None = None,
    least_flow: float = 0.0,
    pipe_cost: npt.ArrayLike | None = None,
    pipe_flow_cost: npt.ArrayLike | None = None,
) -> QualityProblem:
    """Build a `QualityProblem`; what is left out is empty, unlimited or free.

    Examples
    --------
    Two sinks and one source of 50 ppm, fresh water at 0 ppm:

    >>> small = quality_problem(
    ...     fresh=[[0.0]], sink_flow=[10.0, 20.0], sink_limit=[[0.0], [25.0]], source_flow=[15.0], source=[[50.0]]
    ... )
    >>> small.sizes, small.linear
    ((1, 1, 2, 0, 0), True)
    """
    grid, line = partial(_grid, contaminants), _line
    clean, given, sinks, loads = grid(fresh, 0, 0), grid(source, 0, 0), grid(sink_limit, 0, 0), grid(load, 0, 0)
    units = next(
        (np.asarray(one).reshape(-1, contaminants).shape[0] for one in (outlet, removal) if one is not None), 0
    )
    givers = len(clean) + len(given) + len(loads) + units
    takers = len(sinks) + len(loads) + units + 1

    return QualityProblem(
        fresh=clean,
        fresh_max=line(fresh_max, len(clean), np.inf),
        fresh_cost=line(fresh_cost, len(clean), 0.0),
        source_flow=line(source_flow, len(given), 0.0),
        source=given,
        sink_flow=line(sink_flow, len(sinks), 0.0),
        sink_limit=sinks,
        load=loads,
        inlet_limit=grid(inlet_limit, len(loads), 0.0),
        outlet_limit=grid(outlet_limit, len(loads), 0.0),
        gain=line(gain, len(loads), 0.0),
        outlet=grid(outlet, units, np.nan),
        removal=grid(removal, units, 0.0),
        recovery=line(recovery, units, 1.0),
        feed_limit=grid(feed_limit, units, np.inf),
        capacity=line(capacity, units, np.inf),
        regeneration_cost=line(regeneration_cost, units, 0.0),
        discharge_limit=grid(discharge_limit, 1, np.inf)[0],
        discharge_cost=discharge_cost,
        full=full,
        recycle=recycle,
        giver_plant=line(giver_plant, givers, NOWHERE).astype(np.int64),
        taker_plant=line(taker_plant, takers, NOWHERE).astype(np.int64),
        barred=line(barred, (givers, takers), 0.0).astype(np.bool_),
        least_flow=least_flow,
        pipe_cost=line(pipe_cost, (givers, takers), 0.0),
        pipe_flow_cost=line(pipe_flow_cost, (givers, takers), 0.0),
    )
