"""The three variants of a place as models: from the user's own files, or built from the plan's tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.build import SPLIT, build_models, without_sealed
from cyclopolis.infrastructure.drainage.gages import with_found_files
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.kinds import Planned, measure_kinds, planned_measures
from cyclopolis.infrastructure.drainage.pipes import PipeCost, pipe_cost
from cyclopolis.infrastructure.drainage.solids import solids_in, with_solids_everywhere
from cyclopolis.infrastructure.drainage.sponge import Measure, SpongeWriter, refuse_too_large, surfaces, treated_pct
from cyclopolis.infrastructure.drainage.swmm import HECTARE, Floats, check_swmm, units_of
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import Plan, provenance

VARIANTS = ("before", "grey", "sponge")
_TYPES = {"GR": "green_roof", "PP": "permeable_pavement", "IT": "infiltration_trench", "VS": "swale"}
_TYPES |= {"RB": "rain_barrel", "RD": "disconnection", "RG": "rain_garden", "BC": "bioretention"}


@dataclass(frozen=True)
class Standing:
    """A measure of the sponge variant as the answer lists it."""

    catchment: str
    kind: str
    area_m2: float
    max_area_m2: float
    treated_pct: float | None
    cost: float | None
    cost_provenance: str
    source: str


@dataclass(frozen=True)
class Prepared:
    """The three models, SWMM's names turned back into the plan's, the measures, and what was assumed.

    ``base`` is the model on which designs are written, ``options`` the measures that a design gives areas for; the
    matrix ``spread`` turns the areas of the plan's measures into theirs, where a catchment is split. ``pipes`` are what
    the pipes of the grey and the sponge variant cost.
    """

    models: Mapping[str, Inp]
    base: Inp
    called: Mapping[str, str]
    standing: tuple[Standing, ...]
    planned: tuple[Planned, ...]
    options: tuple[Measure, ...]
    spread: Floats
    assumed: tuple[tuple[str, str], ...] = ()
    provenance: str = "user"
    extra: Mapping[str, str] = field(default_factory=dict)
    pipes: Mapping[str, PipeCost] = field(default_factory=dict)

    def writer(self, model: Inp, plan: Plan) -> SpongeWriter:
        """Return what writes designs on a model."""
        return SpongeWriter(model, measure_kinds(plan), self.options)


def has_drainage(plan: Plan) -> bool:
    """Return whether a plan has anything to drain."""
    return plan.tables["catchments"].height > 0 or plan.tables["drainage_models"].height > 0


def prepare(plan: Plan) -> Prepared:
    """Return the three variants of a plan.

    Raises
    ------
    UserError
        If the plan has no drainage, a file is missing, SWMM refuses one, or measures do not fit.
    """
    if plan.tables["drainage_models"].height:
        made = _from_files(plan)
    elif plan.tables["catchments"].height:
        made = _from_tables(plan)
    else:
        raise UserError([Problem(message("drainage.nothing"))])
    pipes = {variant: pipe_cost(made.models[variant], made.called, plan) for variant in ("grey", "sponge")}
    return replace(made, pipes=pipes)


def _from_tables(plan: Plan) -> Prepared:
    built = build_models(plan)
    grey = built["grey"]
    called = {short: name for names in (grey.catchments, grey.nodes, grey.pipes) for name, short in names.items()}
    called |= {short + SPLIT: f"{name}/{SPLIT}" for name, short in grey.catchments.items()}
    called |= grey.ends
    base = built["separated"].model
    planned = planned_measures(plan)
    options, spread = _split(planned, grey.catchments, base)
    weak = provenance_of(plan, ("catchments", "conduits", "junctions", "outlets"))
    made = Prepared(
        {"before": built["before"].model, "grey": grey.model}, base, called, (), planned, options, spread,
        _assumed(plan), weak,
    )  # fmt: skip
    return _with_sponge(made, plan, None)


def _assumed(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return what the tables leave open and how it was filled."""
    rows = plan.tables["catchments"]
    found = [("before", "drainage_before")]
    gaps = (("slope_pct", "drainage_slope"), ("width_m", "drainage_width"), ("soil", "drainage_soil"))
    found += [(name, key) for column, key in gaps for name in rows.filter(rows[column].is_null())["catchment"]]
    return (*found, *((name, "drainage_ss") for name in rows.filter(rows["ss_mg_l"].is_null())["catchment"]))


def provenance_of(plan: Plan, tables: tuple[str, ...]) -> str:
    """Return ``assumed`` if any row of the tables is, else ``user``."""
    classes = {provenance(source) for table in tables for source in plan.tables[table]["source"]}
    return "assumed" if "assumed" in classes else "user"


def _split(planned: tuple[Planned, ...], short: Mapping[str, str], model: Inp) -> tuple[tuple[Measure, ...], Floats]:
    """Return the measures by SWMM's names, those of a split catchment twice by its areas, and the matrix of shares."""
    options: list[Measure] = []
    columns: list[Floats] = []
    areas = {row.fields[0]: float(row.fields[3]) for row in model.rows("SUBCATCHMENTS")}
    for place, one in enumerate(planned):
        name = short.get(one.measure.catchment, one.measure.catchment)
        names = (name, name + SPLIT) if short else (name,)
        parts = {part: areas[part] for part in names if part in areas} or {name: 1.0}
        for part, area in parts.items():
            share = np.zeros(len(planned))
            share[place] = area / sum(parts.values())
            most = one.measure.max_area_m2 * float(share[place])
            options.append(replace(one.measure, catchment=part, max_area_m2=most))
            columns.append(share)
    return tuple(options), np.array(columns).reshape(len(options), len(planned))


def _from_files(plan: Plan) -> Prepared:
    """Read the user's own models; what is missing is made from the grey one."""
    models, sources = {}, {}
    for row in plan.tables["drainage_models"].iter_rows(named=True):
        models[row["variant"]] = _with_concentration(_read(plan, row["inp"]), row["inp"], row["ss_mg_l"])
        sources[row["variant"]] = row["inp"]
    grey = models["grey"]
    assumed = []
    if "before" not in models:
        models["before"] = without_sealed(grey)
        assumed.append(("before", "drainage_before"))
    planned = planned_measures(plan)
    options, spread = _split(planned, {}, grey)
    weak = provenance_of(plan, ("drainage_models",))
    own = models.pop("sponge", None)
    made = Prepared(models, grey, {}, (), planned, options, spread, tuple(assumed), weak, sources)
    return _with_sponge(made, plan, own)


def _with_concentration(model: Inp, name: str, mg_l: float | None) -> Inp:
    """Return a user's own model with the concentration of suspended solids that its row gives."""
    if mg_l is None:
        return model
    own = solids_in(model)
    if own is not None:
        text = message("drainage.own_solids", inp=name, pollutant=own)
        raise UserError([Problem(text, file="drainage_models", column="ss_mg_l", value=f"{mg_l:g}")])
    return with_solids_everywhere(model, mg_l)


def _with_sponge(made: Prepared, plan: Plan, own: Inp | None) -> Prepared:
    """Add the third variant: the user's own, or the base with the measures at their areas."""
    writer = made.writer(made.base, plan)
    areas = made.spread @ np.array([one.area_m2 for one in made.planned]) if made.planned else np.zeros(0)
    refuse_too_large(writer, areas)
    if own is not None:
        model, standing = own, _measures_of(own)
    else:
        model = Inp.parse(writer.write(areas))
        standing = tuple(_standing(made, plan))
    refuse_too_large(writer, _largest_alone(writer))
    return replace(made, models={**made.models, "sponge": model}, standing=standing)


def _largest_alone(writer: SpongeWriter) -> Floats:
    """Return areas of which each ground has just one, the greatest that a measure may take: each must fit by itself."""
    areas = np.zeros(len(writer.measures))
    most = np.array([measure.max_area_m2 for measure in writer.measures])
    for ground in writer.grounds():
        place = ground.places[most[ground.places].argmax()]
        areas[place] = most[place]
    return areas


def _standing(made: Prepared, plan: Plan) -> Iterator[Standing]:
    """Yield the planned measures with the share of sealed ground that drains to each."""
    kinds = measure_kinds(plan)
    sealed = {
        row["catchment"]: row["area_ha"] * HECTARE * row["imperviousness_pct"] / 100
        for row in plan.tables["catchments"].iter_rows(named=True)
    } or {name: surface.sealed_m2 for name, surface in surfaces(made.base).items()}
    for one in made.planned:
        measure, kind = one.measure, kinds[one.measure.kind]
        free = sealed[measure.catchment] - (one.area_m2 if kind.on_sealed else 0.0)
        yield Standing(
            measure.catchment,
            measure.kind,
            one.area_m2,
            measure.max_area_m2,
            treated_pct(kind, measure, one.area_m2, free),
            one.area_m2 * measure.cost_cny_m2 / 1e6,
            one.cost_provenance,
            one.source,
        )


def _measures_of(model: Inp) -> tuple[Standing, ...]:
    """Return the measures that stand in a user's own model, priced by the library."""
    units = units_of(model)
    types = {row.fields[0]: row.fields[1].upper() for row in model.rows("LID_CONTROLS") if len(row.fields) == 2}
    costs = {row["measure"]: row for row in load_storm_library().measures.iter_rows(named=True)}
    found = []
    for row in model.rows("LID_USAGE"):
        catchment, name, number, area, _, _, treated = row.fields[:7]
        kind = "green_roof" if "roof" in name.casefold() else _TYPES.get(types.get(name, ""), "bioretention")
        size = float(number) * float(area) * units.measure_m2
        price = costs[kind]
        cost = size * (price["cost_low"] + price["cost_high"]) / 2 / 1e6
        found.append(Standing(catchment, kind, size, size, float(treated), cost, price["provenance"], price["source"]))
    return tuple(found)


def _read(plan: Plan, name: str) -> Inp:
    """Read one of the user's models and let SWMM check it as it stands; files that it names are found."""
    places = [folder / name for folder in (plan.folder, plan.folder.parent)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        text = message("drainage.no_file", path=places[0])
        raise UserError([Problem(text, file="drainage_models", column="inp", value=name)])
    model = with_found_files(Inp.parse(path.read_bytes()), path.parent)
    with TemporaryDirectory(prefix="cyclopolis-") as folder:
        check_swmm(model.to_bytes(), Path(folder), name)
    return model
