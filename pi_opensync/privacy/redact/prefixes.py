"""Tier A: secrets that their issuer gave a prefix.

Lengths are lower bounds where the issuer promises none, so that a longer key of the same kind is found too.
"""

from collections.abc import Callable

from pi_opensync.privacy.redact.engine import Rule, Spans, Text, prefixed
from pi_opensync.privacy.redact.words import is_random, is_real


def _rule(
    name: str,
    source: str,
    leads: str,
    body: bytes,
    *,
    follow: bytes = b"",
    guard: bool = True,
    keep: Callable[[bytes], bool] = is_real,
    lead: bytes = b"",
) -> Rule:
    """leads: separated by spaces. follow: bounded; by default the first twelve characters of any token."""
    return Rule(
        name,
        "A",
        source,
        tuple(each.encode() for each in leads.split()),
        follow or rb"[A-Za-z0-9_+/.=-]{12}",
        prefixed(body, guard=guard, keep=keep, lead=lead),
    )


_AWS_KEY = prefixed(rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", keep=is_real)
_AWS_SECRET = prefixed(rb"[\s,;:|\"']{1,4}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", guard=False, keep=is_random)


def _aws(text: Text, at: int) -> Spans:
    """The key id, and the secret where it stands right behind it (`credentials.csv`, tables)."""
    spans = _AWS_KEY(text, at)
    return (*spans, *_AWS_SECRET(text, spans[0][1])) if spans else spans


PREFIXES = (
    Rule(
        "aws-access-key",
        "A",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
        (b"AKIA", b"ASIA", b"ABIA", b"ACCA"),
        rb"[A-Z0-9]{16}",
        _aws,
    ),
    _rule(
        "aws-bedrock-key",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
        "ABSK bedrock-api-key-",
        rb"(?:ABSK[A-Za-z0-9+/]{100,400}|bedrock-api-key-[A-Za-z0-9+/_-]{40,4000})={0,2}",
    ),
    _rule(
        "anthropic-key",
        "https://docs.anthropic.com/en/api/admin-api/apikeys/list-api-keys",
        "sk-ant-",
        rb"sk-ant-[A-Za-z0-9_-]{24,400}",
        keep=is_random,
    ),
    _rule(
        "openrouter-key",
        "https://openrouter.ai/docs/api-reference/authentication",
        "sk-or-",
        rb"sk-or-[A-Za-z0-9_-]{24,400}",
        keep=is_random,
    ),
    _rule(
        "openai-key",
        "https://platform.openai.com/docs/api-reference/authentication",
        "sk-proj- sk-svcacct- sk-admin- sk-None- sk-",
        rb"sk-[A-Za-z0-9_-]{20,400}",
        keep=is_random,
    ),
    _rule("groq-key", "https://console.groq.com/docs/quickstart", "gsk_", rb"gsk_[A-Za-z0-9]{40,120}"),
    _rule("xai-key", "https://docs.x.ai/docs/tutorial", "xai-", rb"xai-[A-Za-z0-9_-]{60,200}"),
    _rule(
        "replicate-token",
        "https://replicate.com/docs/topics/security/api-tokens",
        "r8_",
        rb"r8_[A-Za-z0-9_-]{37}",
    ),
    _rule(
        "huggingface-token",
        "https://huggingface.co/docs/hub/security-tokens",
        "hf_ api_org_",
        rb"(?:hf_(?:oauth_|jwt_)?|api_org_)[A-Za-z0-9]{30,80}",
    ),
    _rule(
        "google-key",
        "https://cloud.google.com/docs/authentication/api-keys",
        "AIza AQ.Ab GOCSPX- ya29. 1//0",
        rb"AIza[A-Za-z0-9_-]{35}|AQ\.Ab[A-Za-z0-9_-]{30,200}|GOCSPX-[A-Za-z0-9_-]{24,60}"
        rb"|ya29\.[A-Za-z0-9_-]{20,2000}(?:\.[A-Za-z0-9_-]{20,2000}){0,4}|1//0[A-Za-z0-9_-]{40,400}",
    ),
    _rule(
        "github-token",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        # Since 2026 ghs_ is followed by the app's id and a JWT, with two dots, of about 520 characters.
        rb"ghs_[0-9]{1,20}_eyJ[A-Za-z0-9_-]{8,8000}(?:\.[A-Za-z0-9_-]{4,8000}){0,2}"
        rb"|gh[pousr]_[A-Za-z0-9_]{36,400}(?:\.[A-Za-z0-9_-]{4,8000}){0,2}|github_pat_[A-Za-z0-9_]{36,400}",
        guard=False,
    ),
    _rule(
        "gitlab-token",
        "https://docs.gitlab.com/security/tokens/#token-prefixes",
        "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct- glwt-"
        " GR1348941",
        rb"(?:gl[a-z]{2,5}-|GR1348941)[A-Za-z0-9_-]{20,400}(?:\.[A-Za-z0-9_-]{2,60}){0,3}",
        guard=False,
    ),
    _rule(
        "npm-token",
        "https://docs.npmjs.com/about-access-tokens",
        "npm_",
        rb"npm_[A-Za-z0-9]{36,80}",
        keep=is_random,
    ),
    _rule(
        "pypi-token",
        "https://pypi.org/help/#apitoken",
        "pypi-AgE",
        rb"pypi-AgE[A-Za-z0-9_-]{50,2000}",
        guard=False,
    ),
    _rule(
        "docker-token",
        "https://docs.docker.com/security/access-tokens/",
        "dckr_pat_ dckr_oat_",
        rb"dckr_[po]at_[A-Za-z0-9_-]{20,100}",
        guard=False,
    ),
    _rule(
        "slack-token",
        "https://docs.slack.dev/authentication/tokens",
        "xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc- xoxd- xoxe- xoxe. xapp- xwfp-",
        rb"(?:xoxe\.)?(?:xox[a-z]|xapp|xwfp)-[A-Za-z0-9%+/_-]{16,600}",
    ),
    _rule(
        "slack-webhook",
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
        "hooks.slack.com/ hooks.slack-gov.com/",
        rb"(?:services|workflows|triggers)/([A-Za-z0-9_/-]{20,200})",
        follow=rb"(?:services|workflows|triggers)/[A-Za-z0-9_/-]{12}",
        guard=False,
        lead=rb"hooks\.slack(?:-gov)?\.com/",
    ),
    _rule(
        "discord-webhook",
        "https://discord.com/developers/docs/resources/webhook",
        "discord.com/api/ discordapp.com/api/",
        rb"(?:v[0-9]{1,2}/)?webhooks/[0-9]{15,22}/([A-Za-z0-9_-]{40,100})",
        follow=rb"(?:v[0-9]{1,2}/)?webhooks/[0-9]{15}",
        guard=False,
        lead=rb"discord(?:app)?\.com/api/",
    ),
    _rule(
        "stripe-key",
        "https://docs.stripe.com/keys",
        "sk_live_ sk_test_ rk_live_ rk_test_ sk_org_ whsec_",
        rb"(?:[rs]k_(?:live|test|org_live|org_test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/]{24,100}={0,2})",
    ),
    _rule(
        "sendgrid-key",
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
        "SG.",
        rb"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}",
    ),
    _rule(
        "supabase-key",
        "https://supabase.com/docs/guides/api/api-keys",
        "sb_secret_ sbp_",
        rb"sb_secret_[A-Za-z0-9_-]{20,100}|sbp_(?:[a-z0-9]{1,8}_)?[a-z0-9]{40,100}",
    ),
    _rule(
        "digitalocean-token",
        "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
        "dop_v1_ doo_v1_ dor_v1_ dos_v1_",
        rb"do[oprs]_v1_[0-9a-f]{64}",
        guard=False,
    ),
    _rule(
        "netlify-token",
        "https://answers.netlify.com/t/change-to-the-netlify-authentication-token-format/106146",
        "nfp_ nfc_ nfo_ nfu_ nfb_",
        rb"nf[bcopu]_[A-Za-z0-9]{36,80}",
        keep=is_random,
    ),
    _rule(
        "vault-token",
        "https://developer.hashicorp.com/vault/docs/concepts/tokens",
        "hvs. hvb. hvr. s.",
        rb"(?:hv[brs]\.[A-Za-z0-9_-]{24,600}|s\.[A-Za-z0-9]{24}(?![A-Za-z0-9_(]))",
        follow=rb"[A-Za-z0-9_-]{24}",
        keep=is_random,
    ),
    _rule(
        "linear-key",
        "https://linear.app/developers/graphql",
        "lin_api_ lin_oauth_ lin_wh_",
        rb"lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,100}",
        guard=False,
    ),
    _rule(
        "notion-token",
        "https://developers.notion.com/docs/authorization",
        "ntn_ secret_",
        rb"ntn_[A-Za-z0-9]{40,80}|secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])",
        keep=is_random,
    ),
    _rule(
        "sentry-token",
        "https://docs.sentry.io/account/auth-tokens/",
        "sntrys_ sntryu_ sntryi_ sntrya_",
        rb"sntry[aisu]_[A-Za-z0-9+/_=-]{40,800}",
        guard=False,
    ),
    _rule(
        "databricks-token",
        "https://docs.databricks.com/aws/en/dev-tools/auth/pat",
        "dapi dose",
        rb"(?:dapi|dose)[0-9a-f]{32}(?:-[0-9]{1,2})?(?![0-9A-Za-z])",
        follow=rb"[0-9a-f]{32}",
    ),
    _rule(
        "shopify-token",
        "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens",
        "shpat_ shpca_ shppa_ shpss_ shpua_ shptka_",
        rb"shp[a-z]{2,3}_[0-9a-fA-F]{32,80}",
        guard=False,
    ),
    _rule(
        "age-key",
        "https://github.com/C2SP/C2SP/blob/main/age.md",
        "AGE-SECRET-KEY-1",
        rb"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}",
        guard=False,
    ),
    _rule("opensync-key", "https://docs.opensync.dev", "osk_", rb"osk_[A-Za-z0-9_-]{20,200}", keep=is_random),
)
