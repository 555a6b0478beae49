"""Tier A: secrets that their issuer gave a shape of their own, by what the issuer does."""

from pi_opensync.privacy.redact.engine import Rule
from pi_opensync.privacy.redact.issuers.ai import AI
from pi_opensync.privacy.redact.issuers.cloud import CLOUD
from pi_opensync.privacy.redact.issuers.code import CODE
from pi_opensync.privacy.redact.issuers.messages import MESSAGES
from pi_opensync.privacy.redact.issuers.payments import PAYMENTS
from pi_opensync.privacy.redact.issuers.work import WORK

# One lead may open another's (`sk-` is OpenAI's, `sk-ant-` is not): the longer ones are tried first.
ISSUERS: tuple[Rule, ...] = tuple(
    sorted(
        (*AI, *CLOUD, *CODE, *MESSAGES, *PAYMENTS, *WORK),
        key=lambda rule: -min(len(lead) for lead in rule.leads),
    )
)

__all__ = ["ISSUERS"]
