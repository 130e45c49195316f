"""The three dimensions of a posed plan as objectives over its programme: what solvers make fronts of."""

import numpy as np

from cyclopolis.design.assemble import Assembly
from cyclopolis.design.money import spans
from cyclopolis.design.pose import Posed
from cyclopolis.design.program import Objective
from cyclopolis.network import dimension_forms


def objectives(posed: Posed, assembly: Assembly) -> tuple[Objective, Objective, Objective]:
    """Return economy, environment and society, each counted over the baseline and as more is better.

    The economy is the objective of the design: net present value, CNY, or CNY a year where one year is designed for.
    The scores of environment (its sign turned: CNY charged less) and society (points more) are summed over all years
    that the years of the horizon stand for, none of them discounted.

    Parameters
    ----------
    posed : Posed
    assembly : Assembly
        Of ``posed.whole``.
    """
    span = np.array(spans(posed.years), dtype=np.float64)
    networks = [year.network for year in posed.whole.years]
    forms = [dimension_forms(network) for network in networks]
    found = []
    for name, sign in (("environment", -1.0), ("society", 1.0)):
        own = tuple(getattr(form, name) for form in forms)
        base = sum(
            float(years) * form.value(year.base) for years, form, year in zip(span, own, posed.whole.years, strict=True)
        )
        found.append(Objective(name, assembly.layout.form_weights(own, sign * span), -sign * base))
    economy = Objective("economy", assembly.goal.weights, assembly.goal.constant)
    return economy, found[0], found[1]
