"""The industrial system: metabolism, exchanges and chains."""

from cyclopolis.industry.metabolism.accounts import accounts_table
from cyclopolis.industry.metabolism.balance import Balance, BalanceOptions, balance
from cyclopolis.industry.metabolism.flow_tables import flows_table, ports_table, prices_table
from cyclopolis.industry.metabolism.plan_reconcile import settled_amounts

__all__ = [
    "Balance",
    "BalanceOptions",
    "accounts_table",
    "balance",
    "flows_table",
    "ports_table",
    "prices_table",
    "settled_amounts",
]
