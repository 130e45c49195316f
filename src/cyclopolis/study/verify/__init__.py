"""The product's public proof: published cases solved by the engines themselves and compared field by field."""

from cyclopolis.study.verify.cases import Case, bundled_cases, read_case
from cyclopolis.study.verify.compare import Row, compare
from cyclopolis.study.verify.report import CaseReport, VerifyReport
from cyclopolis.study.verify.verifying import verify

__all__ = ["Case", "CaseReport", "Row", "VerifyReport", "bundled_cases", "compare", "read_case", "verify"]
