"""Redaction: no secret leaves this machine."""

from pi_opensync.redact.engine import OverBudget, Rule
from pi_opensync.redact.redactor import Finding, Redactor
from pi_opensync.redact.rules import RULES, RULES_VERSION

__all__ = ["RULES", "RULES_VERSION", "Finding", "OverBudget", "Redactor", "Rule"]
