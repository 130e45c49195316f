"""The report: a face. It shows what the engines' results hold, on one page that opens offline and two that print."""

from cyclopolis.report.page import write_report

__all__ = ["write_report"]
