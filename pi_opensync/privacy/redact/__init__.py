"""Redaction: no secret leaves this machine."""

from pi_opensync.privacy.redact.engine import OverBudget, Rule
from pi_opensync.privacy.redact.redactor import Finding, Redactor
from pi_opensync.privacy.redact.rules import RULES, RULES_VERSION

__all__ = ["RULES", "RULES_VERSION", "Finding", "OverBudget", "Redactor", "Rule"]
