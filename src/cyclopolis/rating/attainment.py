"""How much of its target each indicator has reached, from 0 to 1, and how sure that is."""

import numpy as np
import numpy.typing as npt

from cyclopolis.library.frameworks import Indicator
from cyclopolis.rating.indicators import Rated
from cyclopolis.rating.judging import MET, NOT_MET

Floats = npt.NDArray[np.float64]


def attainment(indicator: Indicator, rated: Rated) -> Floats:
    """Return the share of the target reached over the scopes: 1 met, NaN unknown or without a mark.

    What is not met counts by value over mark (mark over value where lower is better), and zero where there is no
    single mark.

    Parameters
    ----------
    indicator : Indicator
    rated : Rated

    Returns
    -------
    array, shape (N,)
    """
    status, mark, value = rated.judgement.status, rated.judgement.threshold, rated.value
    sound = (mark > 0) & (value >= 0)
    one, other = (mark, value) if indicator.direction == "lower" else (value, mark)
    share = np.where(sound & (other > 0), one / np.where(other > 0, other, 1.0), 0.0)
    partly = np.clip(share, 0.0, 1.0)
    return np.where(status == MET, 1.0, np.where(status == NOT_MET, partly, np.nan))
