"""Compliance: waters by GB 3838, air by HJ 633 and GB 3095, green space and works."""

from cyclopolis.ecology.compliance.engine import Compliance, comply

__all__ = ["Compliance", "comply"]
