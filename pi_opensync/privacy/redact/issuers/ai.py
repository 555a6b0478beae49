"""Keys to models, and to what agents look things up with."""

import re

from pi_opensync.privacy.redact.issuers.shape import issuer
from pi_opensync.privacy.redact.words import is_random, is_real

_CAMEL_CASE = re.compile(rb"(?:hf_|api_org_)[a-z]{2,20}(?:[A-Z][a-z]{2,20})*")


def _is_no_name(value: bytes) -> bool:
    """Not a name of an API such as `hf_requiredFieldsOfA`: a token's letters change case at random."""
    return is_real(value) and _CAMEL_CASE.fullmatch(value) is None


AI = (
    issuer(
        "anthropic-key",
        "https://docs.anthropic.com/en/api/admin-api/apikeys/list-api-keys",
        "sk-ant-",
        rb"sk-ant-[A-Za-z0-9_-]{24,400}",
        keep=is_random,
    ),
    issuer(
        "openrouter-key",
        "https://openrouter.ai/docs/api-reference/authentication",
        "sk-or-",
        rb"sk-or-[A-Za-z0-9_-]{24,400}",
        keep=is_random,
    ),
    issuer(
        "openai-key",
        "https://platform.openai.com/docs/api-reference/authentication",
        "sk-proj- sk-svcacct- sk-admin- sk-None- sk-",
        rb"sk-[A-Za-z0-9_-]{20,400}",
        keep=is_random,
    ),
    issuer("groq-key", "https://console.groq.com/docs/quickstart", "gsk_", rb"gsk_[A-Za-z0-9]{40,120}"),
    issuer("xai-key", "https://docs.x.ai/docs/tutorial", "xai-", rb"xai-[A-Za-z0-9_-]{60,200}"),
    issuer(
        "replicate-token",
        "https://replicate.com/docs/topics/security/api-tokens",
        "r8_",
        rb"r8_[A-Za-z0-9_-]{37}",
    ),
    issuer(
        "huggingface-token",
        "https://huggingface.co/docs/hub/security-tokens",
        "hf_ api_org_",
        rb"(?:hf_(?:oauth_|jwt_)?|api_org_)[A-Za-z0-9]{30,80}",
        keep=_is_no_name,
    ),
    issuer("perplexity-key", "https://docs.perplexity.ai", "pplx-", rb"pplx-[A-Za-z0-9]{40,64}"),
    issuer(
        "tavily-key",
        "https://docs.tavily.com/documentation/api-reference/introduction",
        "tvly-",
        rb"tvly-(?:dev-|prod-)?[A-Za-z0-9-]{20,80}",
        keep=is_random,
    ),
    issuer("jina-key", "https://jina.ai/api-dashboard", "jina_", rb"jina_[0-9a-f]{32}[A-Za-z0-9_-]{20,40}"),
    issuer(
        "firecrawl-key",
        "https://docs.firecrawl.dev/api-reference/introduction",
        "fc-",
        rb"fc-[0-9a-f]{32}(?![0-9A-Za-z])",
        follow=rb"[0-9a-f]{32}",
    ),
    issuer(
        "nvidia-key",
        "https://docs.api.nvidia.com/nim/reference/llm-apis",
        "nvapi-",
        rb"nvapi-[A-Za-z0-9_-]{40,100}",
    ),
    issuer("cerebras-key", "https://inference-docs.cerebras.ai/quickstart", "csk-", rb"csk-[a-z0-9]{40,64}"),
    issuer(
        "fireworks-key",
        "https://docs.fireworks.ai/api-reference/introduction",
        "fw_",
        rb"fw_[A-Za-z0-9]{22,32}(?![A-Za-z0-9_])",
        keep=is_random,
    ),
    issuer("together-key", "https://docs.together.ai", "tgp_v1_", rb"tgp_v1_[A-Za-z0-9_-]{30,80}"),
    issuer(
        "elevenlabs-key",
        "https://elevenlabs.io/docs/api-reference/authentication",
        "sk_",
        rb"sk_[0-9a-f]{48}(?![0-9a-zA-Z])",
        follow=rb"[0-9a-f]{48}",
    ),
    issuer(
        "langsmith-key",
        "https://docs.smith.langchain.com/administration/how_to_guides/organization_management/create_account_api_key",
        "lsv2_ ls__",
        rb"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}|ls__[0-9a-f]{32}",
    ),
    issuer(
        "langfuse-key",
        "https://langfuse.com/docs/api-and-data-platform/features/public-api",
        "sk-lf-",
        rb"sk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    issuer(
        "pinecone-key",
        "https://docs.pinecone.io/guides/projects/manage-api-keys",
        "pcsk_",
        rb"pcsk_[A-Za-z0-9]{4,10}_[A-Za-z0-9]{40,100}",
    ),
    issuer(
        "voyage-key",
        "https://docs.voyageai.com/docs/api-key-and-installation",
        "pa-",
        rb"pa-[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
        follow=rb"[A-Za-z0-9_-]{43}",
        keep=is_random,
    ),
    issuer("e2b-key", "https://e2b.dev/docs/api-key", "e2b_", rb"e2b_[0-9a-f]{40}"),
    issuer(
        "brave-search-key",
        "https://api-dashboard.search.brave.com/app/documentation",
        "BSA",
        rb"BSA[A-Za-z0-9_-]{27,29}(?![A-Za-z0-9_-])",
        follow=rb"[A-Za-z0-9_-]{27}",
        keep=is_random,
    ),
    issuer(
        "wandb-key",
        "https://docs.wandb.ai/support/find_api_key",
        "wandb_v1_",
        rb"wandb_v1_[A-Za-z0-9_]{60,120}",
    ),
    issuer(
        "runpod-key",
        "https://docs.runpod.io/get-started/api-keys",
        "rpa_",
        rb"rpa_[A-Z0-9]{36,50}[a-z0-9]{0,8}(?![A-Za-z0-9])",
    ),
    issuer(
        "modal-token",
        "https://modal.com/docs/reference/modal.config",
        "as- ak-",
        rb"a[ks]-[A-Za-z0-9]{22}(?![A-Za-z0-9-])",
        follow=rb"[A-Za-z0-9]{22}",
        keep=is_random,
    ),
    issuer("anyscale-key", "https://docs.anyscale.com", "esecret_", rb"esecret_[A-Za-z0-9]{24,64}"),
    issuer(
        "photoroom-key", "https://docs.photoroom.com", "sk_pr_", rb"sk_pr_[A-Za-z0-9_]{1,40}_[0-9a-f]{40}"
    ),
    issuer("context7-key", "https://context7.com/docs", "ctx7sk-", rb"ctx7sk-[0-9a-f-]{32,40}"),
    issuer("helicone-key", "https://docs.helicone.ai", "sk-helicone-", rb"sk-helicone-[a-z0-9-]{30,80}"),
    issuer("cursor-key", "https://docs.cursor.com/account/api", "crsr_ key_", rb"(?:crsr|key)_[0-9a-f]{64}"),
    issuer("langflow-key", "https://docs.langflow.org", "lf_", rb"lf_[0-9a-f]{40,64}(?![0-9A-Za-z])"),
    issuer(
        "composio-key",
        "https://docs.composio.dev",
        "ak_ comp_",
        rb"(?:ak|comp)_[A-Za-z0-9]{20,40}(?![A-Za-z0-9_])",
        keep=is_random,
    ),
)
