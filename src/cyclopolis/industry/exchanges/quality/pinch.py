"""Targets of one contaminant from composite curves alone: no programme, no network.

An independent way to the least fresh flow, which linear programming must find too.
"""

from dataclasses import dataclass

import numpy as np

from cyclopolis.industry.exchanges.quality.problem import Floats

_CLOSE = 1e-9


@dataclass(frozen=True)
class QualityPinch:
    """Targets of one contaminant.

    Parameters
    ----------
    fresh, waste : float
        Least fresh flow and the waste flow that goes with it.
    pinches : (N,) array
        Concentrations at which nothing cleaner is left over, ascending; none when fresh water only makes up flow.
    level, surplus : (L,) array
        Concentrations of the cascade, and the load that what is cleaner than each could still take up at the target
        (flow x concentration): the grand composite curve; nought at a pinch, never negative.
    feasible : bool
        False where a sink is stricter than the fresh source and every cleaner source.
    """

    fresh: float
    waste: float
    pinches: Floats
    level: Floats
    surplus: Floats
    feasible: bool = True


def quality_pinch(
    source_flow: Floats, source: Floats, sink_flow: Floats, sink_limit: Floats, fresh: float = 0.0
) -> QualityPinch:
    """Return the targets of fixed flows with one contaminant and one fresh source.

    Parameters
    ----------
    source_flow, source : (S,) array
        Flows that leave, and their concentrations.
    sink_flow, sink_limit : (D,) array
        Flows that are needed, and the highest concentrations that they bear.
    fresh : float
        Concentration of the fresh source.

    Notes
    -----
    Cascade over the concentrations in ascending order (Hallale 2002, Adv. Environ. Res. 6, 377-390; Manan, Tan and Foo
    2004, AIChE J. 50, 3169-3183): what is cleaner than ``c`` can take up sum f (c - c_source) less sum f (c - c_sink).
    With F of fresh water that is never negative, for no ``c``, if F >= deficit(c) / (c - c_fresh), and in the limit if
    F >= sum of sinks less sum of sources.

    Examples
    --------
    The data of Polley and Polley (2000):

    >>> found = quality_pinch(
    ...     np.array([50.0, 100, 70, 60]), np.array([50.0, 100, 150, 250]),
    ...     np.array([50.0, 100, 80, 70]), np.array([20.0, 50, 100, 200]),
    ... )
    >>> found.fresh, found.waste, found.pinches.tolist()
    (70.0, 50.0, [150.0])
    """
    bounded = np.isfinite(sink_limit)
    top = float(np.concatenate((source, sink_limit[bounded], [fresh])).max())
    limit = np.where(bounded, sink_limit, top)
    level = np.unique(np.concatenate((source, limit, [fresh])))
    room = np.maximum(level[:, None] - source, 0.0) @ source_flow - np.maximum(level[:, None] - limit, 0.0) @ sink_flow
    scale = max(float(np.abs(room).max(initial=0.0)), 1e-12)
    above = level > fresh
    needed = np.max(-room[above] / (level[above] - fresh), initial=0.0)
    flow = max(needed, float(sink_flow.sum() - source_flow.sum()), 0.0)
    surplus = room + np.where(above, flow * (level - fresh), 0.0)
    feasible = bool((room[~above] >= -_CLOSE * scale).all())
    at = np.flatnonzero((np.abs(surplus) <= _CLOSE * scale) & above & (flow > 0))
    falls = [place for place in at if surplus[place - 1] > _CLOSE * scale]
    waste = flow + float(source_flow.sum() - sink_flow.sum())
    return QualityPinch(
        float(flow),
        float(waste),
        level[falls],
        level,
        np.where(np.abs(surplus) < _CLOSE * scale, 0.0, surplus),
        feasible,
    )


def limiting_flows(load: Floats, inlet_limit: Floats, outlet_limit: Floats) -> Floats:
    """Return the flow at which a fixed-load operation of one contaminant runs at both limits (P,).

    As a sink at the inlet and a source at the outlet limit it has the same target as with its flow free (Prakash and
    Shenoy 2005, Chem. Eng. Sci. 60, 255-268).

    Examples
    --------
    >>> limiting_flows(np.array([2000.0]), np.array([0.0]), np.array([100.0])).tolist()
    [20.0]
    """
    return np.asarray(load / (outlet_limit - inlet_limit), dtype=np.float64)


def composite(flow: Floats, concentration: Floats) -> tuple[Floats, Floats]:
    """Return a source or sink composite curve: cumulated load and flow in the order of concentration (n + 1,).

    Examples
    --------
    >>> [part.tolist() for part in composite(np.array([10.0, 20.0]), np.array([50.0, 5.0]))]
    [[0.0, 100.0, 600.0], [0.0, 20.0, 30.0]]
    """
    order = np.argsort(concentration, kind="stable")
    return (
        np.concatenate(([0.0], np.cumsum(flow[order] * concentration[order]))),
        np.concatenate(([0.0], np.cumsum(flow[order]))),
    )


def limiting_composite(load: Floats, inlet_limit: Floats, outlet_limit: Floats) -> tuple[Floats, Floats]:
    """Return the limiting composite curve of fixed-load operations: cumulated load at each concentration (n,).

    Wang and Smith (1994): within each interval of concentration the operations' limiting flows add up.

    Examples
    --------
    >>> curve = limiting_composite(np.array([2.0, 4.0]), np.array([0.0, 50.0]), np.array([100.0, 100.0]))
    >>> [part.tolist() for part in curve]
    [[0.0, 1.0, 6.0], [0.0, 50.0, 100.0]]
    """
    level = np.unique(np.concatenate((inlet_limit, outlet_limit)))
    flow = limiting_flows(load, inlet_limit, outlet_limit)
    below = np.clip(level[:, None], inlet_limit, outlet_limit) - inlet_limit
    return below @ flow, level


def regeneration_target(
    load: Floats, inlet_limit: Floats, outlet_limit: Floats, clean: float, *, recycle: bool, fresh: float = 0.0
) -> tuple[float, float]:
    """Return fresh and regenerated flow of fixed-load operations with one regenerator, from the limiting composite.

    Parameters
    ----------
    clean : float
        Outlet concentration of the regenerator.
    recycle : bool
        Whether water may be regenerated again and again; else what is fresh is regenerated once at most.

    Notes
    -----
    Fresh water supplies F (c - c_fresh) below each ``c``, regenerated water R (c - c_clean); both together stay above
    the composite curve. Recycling: the least F that what is stricter than ``c_clean`` needs, then the least R. Reuse:
    R = F (Wang and Smith 1994: 9 kg/h below a pinch of 100 ppm over 100 + 95 ppm).

    Examples
    --------
    >>> four = np.array([2e3, 5e3, 30e3, 4e3]), np.array([0.0, 50, 50, 400]), np.array([100.0, 100, 800, 800])
    >>> [round(x, 2) for x in regeneration_target(*four, 5.0, recycle=True)]
    [20.0, 73.68]
    >>> [round(x, 2) for x in regeneration_target(*four, 5.0, recycle=False)]
    [46.15, 46.15]
    """
    taken, level = limiting_composite(load, inlet_limit, outlet_limit)
    level, taken = np.append(level, clean), np.append(taken, np.interp(clean, level, taken))
    own, extra = np.maximum(level - fresh, 0.0), np.maximum(level - clean, 0.0)
    useful = own > 0
    if not recycle:
        flow = float(np.max(taken[useful] / (own + extra)[useful], initial=0.0))
        return flow, flow
    strict = useful & (extra <= 0)
    least = float(np.max(taken[strict] / own[strict], initial=0.0))
    rest = extra > 0
    return least, float(np.max((taken - least * own)[rest] / extra[rest], initial=0.0))
