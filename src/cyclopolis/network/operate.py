"""The operating problem: what every port must balance, and the best flows with all builds fixed."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, hstack

from cyclopolis.foundation.problems import user_error
from cyclopolis.network.model import Bools, Floats, Flows, Ints, LinearForm, Network
from cyclopolis.network.quantities import flow_quantities


def port_balance(network: Network) -> tuple[csr_array, csr_array, csr_array, csr_array]:
    """Return the balance of every port as matrices (A_activity, A_arc, A_trade, A_fate), each with a row per port (J).

    A state balances when A_activity activity + A_arc arc + A_trade trade + A_fate fate = 0: at an output the
    coefficient times activity less what is given, sold or left; at an input the coefficient's absolute value times
    activity less what comes along arcs (times ratio) or is bought. Rows of natural ports are empty.
    """
    ports, arcs = network.ports, network.arcs
    size = ports.plant.size
    bound = ~ports.natural
    row = np.flatnonzero(bound)
    activity = coo_array(
        (np.abs(ports.coefficient[row]), (row, ports.plant[row])), shape=(size, len(network.plant_ids))
    )
    column = np.arange(arcs.giver.size)
    ends = np.concatenate((arcs.giver, arcs.taker))
    share = np.concatenate((-np.ones(column.size), -arcs.ratio))
    arc = coo_array((share * bound[ends], (ends, np.concatenate((column, column)))), shape=(size, column.size))
    return (
        csr_array(activity),
        csr_array(arc),
        _leaving(network.trades.port, size, bound),
        _leaving(network.fates.port, size, bound),
    )


def _leaving(port: Ints, size: int, bound: Bools) -> csr_array:
    return csr_array(coo_array((-1.0 * bound[port], (port, np.arange(port.size))), shape=(size, port.size)))


def market_volumes(network: Network) -> csr_array:
    """Return the matrix (M, T) that sums the trades of each market."""
    trades = network.trades
    shape = (network.markets.price.size, trades.port.size)
    return csr_array(coo_array((np.ones(trades.port.size), (trades.market, np.arange(trades.port.size))), shape=shape))


def cap_rows(network: Network) -> tuple[csr_array, csr_array]:
    """Return (on arcs (G, A), on activity (G, P)): tonnes along arcs less share x tonnes of product, at most 0."""
    arcs, ports, plants = network.arcs, network.ports, network.plants
    held = np.flatnonzero(arcs.cap_group >= 0)
    group, taker = arcs.cap_group[held], ports.plant[arcs.taker[held]]
    mass = np.nan_to_num(network.t_per_unit)[ports.commodity[arcs.giver[held]]]
    size = arcs.cap_share.size
    on_arcs = csr_array(coo_array((mass, (group, held)), shape=(size, arcs.giver.size)))
    first = np.unique(group, return_index=True)[1]
    made = np.nan_to_num(network.t_per_unit)[ports.commodity[plants.main[taker[first]]]]
    share = -arcs.cap_share[group[first]] * made
    on_activity = csr_array(coo_array((share, (group[first], taker[first])), shape=(size, len(network.plant_ids))))
    return on_arcs, on_activity


def best_flows(
    network: Network, activity_low: Floats, activity_high: Floats, objective: LinearForm | None = None
) -> Flows:
    """Return the flows of largest gain between given bounds of activity, nothing built.

    A linear programme solved by HiGHS through SciPy: port balance, market volumes and caps as in `port_balance`,
    `market_volumes` and `cap_rows`.

    Parameters
    ----------
    network : Network
    activity_low, activity_high : (P,) float
        Bounds in main units per year.
    objective : LinearForm, optional
        What to maximise; ``gain`` when not given.

    Raises
    ------
    UserError
        If no flows balance every port: an output has nowhere to go, an input no source, or volumes are too small.
    """
    form = flow_quantities(network)["gain"] if objective is None else objective
    parts = port_balance(network)
    sizes = np.cumsum([part.shape[1] for part in parts])
    on_arcs, on_activity = cap_rows(network)
    volumes, markets = market_volumes(network), network.markets
    total = int(sizes[-1])
    caps = hstack((on_activity, on_arcs, csr_array((on_arcs.shape[0], total - int(sizes[1])))), format="csr")
    before, after = csr_array((volumes.shape[0], int(sizes[1]))), csr_array((volumes.shape[0], parts[3].shape[1]))
    traded = csr_array(hstack((before, volumes, after)))
    limits = (
        LinearConstraint(csr_array(hstack(parts)), 0.0, 0.0),
        LinearConstraint(caps, -np.inf, 0.0),
        LinearConstraint(traded, markets.volume_min, markets.volume_max),
    )
    low = np.concatenate((activity_low, np.zeros(total - activity_low.size)))
    high = np.concatenate((activity_high, np.full(total - activity_high.size, np.inf)))
    solved = milp(
        -np.concatenate((form.activity, form.arc, form.trade, form.fate)),
        constraints=limits,
        bounds=Bounds(low, high),
    )
    if solved.x is None:
        raise user_error("network.no_flows", status=solved.message)
    activity, arc, trade, fate = np.split(np.maximum(solved.x, 0.0), sizes[:-1])
    none = np.zeros(len(network.plant_ids))
    return Flows(activity, arc, trade, fate, none, none)
