"""Cyclopolis plans circular-economy industrial parks and eco-cities.

The public names below are loaded on first use, here and nowhere else, so that ``import cyclopolis`` and
``cyclopolis --help`` stay fast: a solver or a table library is only read when an engine needs it.

Examples
--------
>>> import cyclopolis
>>> plan = cyclopolis.read_plan(cyclopolis.example("changzhi"))
>>> plan.meta.name
'Changzhi Partner Park'
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopolis.design import Design, DesignOptions, design
    from cyclopolis.design.pareto import Pareto, ParetoOptions, pareto
    from cyclopolis.design.recheck import check_design
    from cyclopolis.design.under import Under, UnderOptions, design_under
    from cyclopolis.ecology.capacity import Capacity, capacity
    from cyclopolis.ecology.compliance import Compliance, comply
    from cyclopolis.ecology.land import Land, LandOptions, land
    from cyclopolis.examples import example
    from cyclopolis.industry import Balance, BalanceOptions, balance
    from cyclopolis.industry.chains.chains import Chains, chains
    from cyclopolis.industry.exchanges.fairness.failure import Failure, FailureOptions, failure
    from cyclopolis.industry.exchanges.fairness.fairness import Fairness, FairnessOptions, fairness
    from cyclopolis.industry.exchanges.heat.heat import HeatRecovery, heat
    from cyclopolis.industry.exchanges.match import Match, MatchOptions, match
    from cyclopolis.industry.exchanges.match_score import score_matches
    from cyclopolis.industry.exchanges.quality.water import WaterNetwork, WaterOptions, water
    from cyclopolis.infrastructure.drainage.engine import Drain, DrainOptions, drain
    from cyclopolis.infrastructure.streets import Streets, StreetsOptions, streets
    from cyclopolis.infrastructure.utilities import Utilities, serve, service_demand
    from cyclopolis.library import chain_gaps, load_library, search_library, technology_sheet
    from cyclopolis.network import compile_network
    from cyclopolis.plan import Plan, check_plan, new_plan, read_plan, write_template
    from cyclopolis.rating import Rating, rate
    from cyclopolis.rating.advice import write_advice
    from cyclopolis.rating.assessment import (
        assessment_folder,
        attach_evidence,
        check_names,
        note_change,
        read_log,
        review,
    )
    from cyclopolis.rating.authoring import (
        check_framework,
        explain_framework,
        find_framework,
        import_framework,
        new_framework,
    )
    from cyclopolis.rating.wording import target_text
    from cyclopolis.report import write_report
    from cyclopolis.report.certificate import write_certificate
    from cyclopolis.study.run import run
    from cyclopolis.study.store import RunResult, load_run
    from cyclopolis.study.verify.verifying import verify

__version__ = "0.1.0"

_HOMES = {
    "Plan": "cyclopolis.plan",
    "check_plan": "cyclopolis.plan",
    "read_plan": "cyclopolis.plan",
    "write_template": "cyclopolis.plan",
    "new_plan": "cyclopolis.plan",
    "example": "cyclopolis.examples",
    "load_library": "cyclopolis.library",
    "search_library": "cyclopolis.library",
    "technology_sheet": "cyclopolis.library",
    "chain_gaps": "cyclopolis.library",
    "compile_network": "cyclopolis.network",
    "balance": "cyclopolis.industry",
    "Balance": "cyclopolis.industry",
    "BalanceOptions": "cyclopolis.industry",
    "drain": "cyclopolis.infrastructure.drainage.engine",
    "Drain": "cyclopolis.infrastructure.drainage.engine",
    "DrainOptions": "cyclopolis.infrastructure.drainage.engine",
    "water": "cyclopolis.industry.exchanges.quality.water",
    "WaterNetwork": "cyclopolis.industry.exchanges.quality.water",
    "WaterOptions": "cyclopolis.industry.exchanges.quality.water",
    "heat": "cyclopolis.industry.exchanges.heat.heat",
    "HeatRecovery": "cyclopolis.industry.exchanges.heat.heat",
    "fairness": "cyclopolis.industry.exchanges.fairness.fairness",
    "Fairness": "cyclopolis.industry.exchanges.fairness.fairness",
    "FairnessOptions": "cyclopolis.industry.exchanges.fairness.fairness",
    "failure": "cyclopolis.industry.exchanges.fairness.failure",
    "Failure": "cyclopolis.industry.exchanges.fairness.failure",
    "FailureOptions": "cyclopolis.industry.exchanges.fairness.failure",
    "serve": "cyclopolis.infrastructure.utilities",
    "service_demand": "cyclopolis.infrastructure.utilities",
    "Utilities": "cyclopolis.infrastructure.utilities",
    "match": "cyclopolis.industry.exchanges.match",
    "Match": "cyclopolis.industry.exchanges.match",
    "MatchOptions": "cyclopolis.industry.exchanges.match",
    "score_matches": "cyclopolis.industry.exchanges.match_score",
    "chains": "cyclopolis.industry.chains.chains",
    "Chains": "cyclopolis.industry.chains.chains",
    "design": "cyclopolis.design",
    "Design": "cyclopolis.design",
    "DesignOptions": "cyclopolis.design",
    "check_design": "cyclopolis.design.recheck",
    "comply": "cyclopolis.ecology.compliance",
    "Compliance": "cyclopolis.ecology.compliance",
    "capacity": "cyclopolis.ecology.capacity",
    "Capacity": "cyclopolis.ecology.capacity",
    "land": "cyclopolis.ecology.land",
    "Land": "cyclopolis.ecology.land",
    "LandOptions": "cyclopolis.ecology.land",
    "streets": "cyclopolis.infrastructure.streets",
    "Streets": "cyclopolis.infrastructure.streets",
    "StreetsOptions": "cyclopolis.infrastructure.streets",
    "pareto": "cyclopolis.design.pareto",
    "Pareto": "cyclopolis.design.pareto",
    "ParetoOptions": "cyclopolis.design.pareto",
    "design_under": "cyclopolis.design.under",
    "Under": "cyclopolis.design.under",
    "UnderOptions": "cyclopolis.design.under",
    "rate": "cyclopolis.rating",
    "new_framework": "cyclopolis.rating.authoring",
    "check_framework": "cyclopolis.rating.authoring",
    "find_framework": "cyclopolis.rating.authoring",
    "explain_framework": "cyclopolis.rating.authoring",
    "import_framework": "cyclopolis.rating.authoring",
    "target_text": "cyclopolis.rating.wording",
    "write_advice": "cyclopolis.rating.advice",
    "assessment_folder": "cyclopolis.rating.assessment",
    "attach_evidence": "cyclopolis.rating.assessment",
    "check_names": "cyclopolis.rating.assessment",
    "note_change": "cyclopolis.rating.assessment",
    "read_log": "cyclopolis.rating.assessment",
    "review": "cyclopolis.rating.assessment",
    "write_certificate": "cyclopolis.report.certificate",
    "Rating": "cyclopolis.rating",
    "run": "cyclopolis.study",
    "RunResult": "cyclopolis.study",
    "load_run": "cyclopolis.study",
    "verify": "cyclopolis.study.verify",
    "write_report": "cyclopolis.report",
}

__all__ = [
    "Balance",
    "BalanceOptions",
    "Capacity",
    "Chains",
    "Compliance",
    "Design",
    "DesignOptions",
    "Drain",
    "DrainOptions",
    "Failure",
    "FailureOptions",
    "Fairness",
    "FairnessOptions",
    "HeatRecovery",
    "Land",
    "LandOptions",
    "Match",
    "MatchOptions",
    "Pareto",
    "ParetoOptions",
    "Plan",
    "Rating",
    "RunResult",
    "Streets",
    "StreetsOptions",
    "Under",
    "UnderOptions",
    "Utilities",
    "WaterNetwork",
    "WaterOptions",
    "__version__",
    "assessment_folder",
    "attach_evidence",
    "balance",
    "capacity",
    "chain_gaps",
    "chains",
    "check_design",
    "check_framework",
    "check_names",
    "check_plan",
    "compile_network",
    "comply",
    "design",
    "design_under",
    "drain",
    "example",
    "explain_framework",
    "failure",
    "fairness",
    "find_framework",
    "heat",
    "import_framework",
    "land",
    "load_library",
    "load_run",
    "match",
    "new_framework",
    "new_plan",
    "note_change",
    "pareto",
    "rate",
    "read_log",
    "read_plan",
    "review",
    "run",
    "score_matches",
    "search_library",
    "serve",
    "service_demand",
    "streets",
    "target_text",
    "technology_sheet",
    "verify",
    "water",
    "write_advice",
    "write_certificate",
    "write_report",
    "write_template",
]


def __getattr__(name: str) -> object:
    """Load a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cyclopolis' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Keeps ``cyclopolis.design`` the function, in whose place importing the package of that name would put itself."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted([*globals(), *_HOMES])
