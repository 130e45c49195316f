"""The compiled flow network: a plan as index maps, plain arrays and sparse matrices, shared by all engines."""

from cyclopolis.network.base import base_flows, left_at_ports, port_amounts
from cyclopolis.network.compile import compile_network, compile_years
from cyclopolis.network.dimensions import Dimensions, Part, dimension_forms, quantities
from cyclopolis.network.model import Flows, LinearForm, Network, Quantities
from cyclopolis.network.names import find_arcs, find_port
from cyclopolis.network.operate import best_flows, cap_rows, market_volumes, port_balance
from cyclopolis.network.price_draws import PriceDraws, draw_prices
from cyclopolis.network.quantities import MONEY, unknown_terms
from cyclopolis.network.subsidies import subsidies_of

__all__ = [
    "MONEY",
    "Dimensions",
    "Flows",
    "LinearForm",
    "Network",
    "Part",
    "PriceDraws",
    "Quantities",
    "base_flows",
    "best_flows",
    "cap_rows",
    "compile_network",
    "compile_years",
    "dimension_forms",
    "draw_prices",
    "find_arcs",
    "find_port",
    "left_at_ports",
    "market_volumes",
    "port_amounts",
    "port_balance",
    "quantities",
    "subsidies_of",
    "unknown_terms",
]
