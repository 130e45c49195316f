"""Living circles of one place: who reaches which service on foot, who does not, and where one more serves most."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cyclopolis.infrastructure.streets.reading import Ground
from cyclopolis.infrastructure.streets.siting import Siting, maximum_cover, p_median
from cyclopolis.infrastructure.streets.walking import (
    Access,
    backwards,
    join_minutes,
    minutes_to_nearest,
    nearest_nodes,
    served_share,
    walking_graph,
)
from cyclopolis.library import Library
from cyclopolis.plan.layers import to_degrees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = list[dict[str, Any]]
MOST_PLACES = 400
"""Most places looked at for a new facility: the cells with most people (more would only refine the place)."""
_MOST_LINKS = 300_000
FARTHEST_M = 1000.0
"""People and facilities farther than this from any street are not on the network, m (assumed)."""


@dataclass(frozen=True)
class Circles:
    """Walking times of one place: minutes of each cell of people to the nearest facility of each service (C, S)."""

    graph: csr_array
    access: Access
    minutes: Floats
    facilities: Ints


def with_facilities(graph: csr_array, access: Access, minutes: Floats) -> csr_array:
    """Return the graph with one node for each facility (N + F), reached from its nearest street node.

    Parameters
    ----------
    graph : csr_array
        Minutes between nodes (N, N).
    access : Access
        Where the facilities join it (F,).
    minutes : ndarray
        Minutes between a facility and its node (F,).
    """
    size, more = graph.shape[0], access.node.size
    rows = graph.tocoo()
    at = size + np.arange(more)
    value = np.concatenate((rows.data, np.maximum(minutes, 1e-9)))
    row, column = np.concatenate((rows.row, access.node)), np.concatenate((rows.col, at))
    return csr_array((value, (row, column)), shape=(size + more, size + more))


def walk(ground: Ground, number: int, speed_kmh: float) -> Circles:
    """Return the walking times of every cell of people to every service."""
    graph = walking_graph(ground.walking, ground.height, speed_kmh)
    access = nearest_nodes(ground.walking, ground.people)
    home = join_minutes(access, speed_kmh)
    home[access.distance > FARTHEST_M] = np.inf
    minutes = np.full((ground.people.size, number), np.inf)
    facilities = np.zeros(number, dtype=np.int64)
    assert ground.services is not None
    joined = nearest_nodes(ground.walking, ground.services.point)
    away = np.where(joined.distance <= FARTHEST_M, join_minutes(joined, speed_kmh), np.inf)
    back = backwards(with_facilities(graph, joined, away))
    for service in range(number):
        hit = np.flatnonzero(ground.services.gives[:, service] & np.isfinite(away))
        facilities[service] = int(ground.services.gives[:, service].sum())
        if hit.size:
            minutes[:, service] = minutes_to_nearest(back, graph.shape[0] + hit)[access.node] + home
    return Circles(graph, access, minutes, facilities)


def circle_rows(ground: Ground, circles: Circles, library: Library) -> Rows:
    """Return the share served by each service within its circle, and by all services of a circle together."""
    services, rows = library.services, []
    total = float(ground.number.sum())
    assumed = "assumed" in {ground.provenance[kind] for kind in ("streets", "people", "services")}
    provenance = "assumed" if assumed else "computed"
    for circle in sorted(set(services["circle_min"].to_list())):
        within = np.flatnonzero((services["circle_min"] == circle).to_numpy() & (circles.facilities > 0))
        together = circles.minutes[:, within].max(axis=1) if within.size else np.full(ground.number.size, np.inf)
        for service, minutes, facilities in [
            (None, together, int(circles.facilities[within].sum())),
            *((services["service"][at], circles.minutes[:, at], int(circles.facilities[at])) for at in within.tolist()),
        ]:
            share = served_share(minutes, ground.number, circle)
            rows.append(
                {
                    "scope": ground.scope,
                    "circle_min": circle,
                    "service": service,
                    "facilities": facilities,
                    "people": total,
                    "served": total * share,
                    "share": share if within.size else None,
                    "provenance": provenance,
                }
            )
    return rows


def unserved_rows(ground: Ground, circles: Circles, library: Library) -> Rows:
    """Return the cells of people that each service does not reach within its circle."""
    points = shapely.get_coordinates(ground.people)
    lon, lat = to_degrees(points[:, 0], points[:, 1], ground.crs)
    rows = []
    for at, row in enumerate(library.services.iter_rows(named=True)):
        if circles.facilities[at] == 0:
            continue
        for cell in np.flatnonzero(circles.minutes[:, at] > row["circle_min"]):
            minutes = float(circles.minutes[cell, at])
            rows.append(
                {
                    "scope": ground.scope,
                    "circle_min": row["circle_min"],
                    "service": row["service"],
                    "cell": int(ground.feature[cell]),
                    "lon": float(lon[cell]),
                    "lat": float(lat[cell]),
                    "people": float(ground.number[cell]),
                    "minutes": minutes if np.isfinite(minutes) else None,
                }
            )
    return rows


@dataclass(frozen=True)
class Places:
    """Places looked at for a new facility (J,) and the minutes from each cell of people to each (C, J)."""

    lon: Floats
    lat: Floats
    minutes: Floats


def places_for_more(ground: Ground, circles: Circles, speed_kmh: float, longest: float) -> Places:
    """Return the street nodes at which most people join the network, at most `MOST_PLACES` of them."""
    home = join_minutes(circles.access, speed_kmh)
    home[circles.access.distance > FARTHEST_M] = np.inf
    weight = np.bincount(circles.access.node, weights=np.where(np.isfinite(home), ground.number, 0.0))
    fitting = max(1, _MOST_LINKS // max(ground.number.size, 1))
    place = np.argsort(-weight, kind="stable")[: min(MOST_PLACES, fitting, int((weight > 0).sum()))]
    node = ground.walking.node[place]
    lon, lat = to_degrees(node[:, 0], node[:, 1], ground.crs)
    if place.size == 0:
        return Places(lon, lat, np.zeros((ground.number.size, 0)))
    away = dijkstra(backwards(circles.graph), indices=place, limit=4.0 * longest)
    return Places(lon, lat, away[:, circles.access.node].T + home[:, None])


def siting_rows(
    ground: Ground, circles: Circles, library: Library, number: int, speed_kmh: float, told: Callable[[float], None]
) -> Rows:
    """Return where more facilities of each service serve most people, and where they cut mean walking time most.

    ``told`` hears the share done.
    """
    if number == 0 or ground.people.size == 0:
        return []
    longest = max(float(value) for value in library.services["circle_min"])
    places = places_for_more(ground, circles, speed_kmh, longest)
    if places.lon.size == 0:
        return []
    rows: Rows = []
    for at, service in enumerate(library.services.iter_rows(named=True)):
        told((at + 1) / library.services.height)
        standing = circles.minutes[:, at]
        if circles.facilities[at] == 0 or (standing <= service["circle_min"]).all():
            continue
        open_people = np.where(standing <= service["circle_min"], 0.0, ground.number)
        covers = csr_array((places.minutes <= service["circle_min"]).astype(np.float64))
        nearer = np.minimum(places.minutes, standing[:, None])
        for method, answer in (
            ("maximum_cover", maximum_cover(covers, open_people, number)),
            ("p_median", p_median(nearer, ground.number, number)),
        ):
            for rank, (chosen, more, mean) in enumerate(_ranked(answer, covers, open_people, nearer, ground.number), 1):
                rows.append(
                    {
                        "scope": ground.scope,
                        "circle_min": service["circle_min"],
                        "service": service["service"],
                        "method": method,
                        "rank": rank,
                        "lon": float(places.lon[chosen]),
                        "lat": float(places.lat[chosen]),
                        "people_more": more,
                        "share_after": 1.0 - (float(open_people.sum()) - more) / float(ground.number.sum()),
                        "mean_minutes": mean,
                    }
                )
    return rows


def _ranked(
    answer: Siting, covers: csr_array, open_people: Floats, nearer: Floats, people: Floats
) -> list[tuple[int, float, float | None]]:
    """Return the chosen places, the one that alone serves most first, with what the places so far bring together."""
    reach = covers[:, answer.chosen].toarray() > 0
    order = np.argsort(-(open_people @ reach), kind="stable")
    out = []
    for rank in range(1, order.size + 1):
        taken = order[:rank]
        more = float(open_people[reach[:, taken].any(axis=1)].sum())
        times = nearer[:, answer.chosen[taken]].min(axis=1)
        known = np.isfinite(times)
        mean = float(times[known] @ people[known] / people[known].sum()) if known.any() else None
        out.append((int(answer.chosen[order[rank - 1]]), more, mean))
    return out
