"""The place on paper: tables read, checked, converted and merged with the library; scenarios; templates."""

from cyclopolis.plan.folder import new_plan
from cyclopolis.plan.model import Plan, PlanMeta, provenance
from cyclopolis.plan.reading import check_plan, read_plan
from cyclopolis.plan.surplus import library_treatments, placeless_surplus
from cyclopolis.plan.template import write_template

__all__ = [
    "Plan",
    "PlanMeta",
    "check_plan",
    "library_treatments",
    "new_plan",
    "placeless_surplus",
    "provenance",
    "read_plan",
    "write_template",
]
