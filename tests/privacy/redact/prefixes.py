"""Secrets with a prefix of their issuer's, put together at run time."""

import string
from collections.abc import Callable

from tests.privacy.redact.samples import BECH32, HEX, Maker, Sample, behind, whole


def prefixed() -> list[Callable[[Maker], Sample]]:
    kinds: list[tuple[str, str, Callable[[Maker], str]]] = [
        *(("aws-access-key", lead, lambda m: m.upper(16)) for lead in ("AKIA", "ASIA", "ABIA", "ACCA")),
        ("aws-bedrock-key", "ABSK", lambda m: m.base64(128) + "="),
        ("anthropic-key", "sk-" + "ant-api03-", lambda m: m.url_safe(93) + "AA"),
        ("anthropic-key", "sk-" + "ant-admin01-", lambda m: m.url_safe(93) + "AA"),
        ("anthropic-key", "sk-" + "ant-oat01-", lambda m: m.url_safe(93) + "AA"),
        ("openrouter-key", "sk-" + "or-v1-", lambda m: m.hex(64)),
        ("openai-key", "sk-", lambda m: m.alnum(20) + "T3Blbk" + "FJ" + m.alnum(20)),
        *(
            ("openai-key", "sk-" + kind, lambda m: m.url_safe(74) + "T3Blbk" + "FJ" + m.url_safe(74))
            for kind in ("proj-", "svcacct-", "admin-")
        ),
        ("groq-key", "gsk" + "_", lambda m: m.alnum(52)),
        ("xai-key", "xai" + "-", lambda m: m.alnum(80)),
        ("replicate-token", "r8" + "_", lambda m: m.alnum(37)),
        ("huggingface-token", "hf" + "_", lambda m: m.of(string.ascii_letters, 34)),
        ("google-key", "AI" + "za", lambda m: m.url_safe(35)),
        ("google-key", "AQ" + ".Ab", lambda m: m.url_safe(50)),
        ("google-key", "GOC" + "SPX-", lambda m: m.url_safe(28)),
        *(("github-token", f"gh{kind}" + "_", lambda m: m.alnum(36)) for kind in "pousr"),
        ("github-token", "ghs" + "_", lambda m: f"{m.of('123456789', 7)}_{m.jwt()}"),
        ("github-token", "github" + "_pat_", lambda m: m.alnum(22) + "_" + m.alnum(59)),
        *(
            ("gitlab-token", f"gl{kind}-", lambda m: m.url_safe(20))
            for kind in ("pat", "dt", "rt", "soat", "ft", "ptt")
        ),
        ("gitlab-token", "glpat" + "-", lambda m: f"{m.url_safe(30)}.01.{m.of(HEX, 9)}"),
        ("npm-token", "npm" + "_", lambda m: m.alnum(36)),
        ("pypi-token", "pypi-" + "AgEIcHlwaS5vcmc", lambda m: m.url_safe(120)),
        ("docker-token", "dckr" + "_pat_", lambda m: m.url_safe(27)),
        ("docker-token", "dckr" + "_oat_", lambda m: m.url_safe(32)),
        (
            "slack-token",
            "xox" + "b-",
            lambda m: f"{m.of('123456789', 12)}-{m.of('123456789', 12)}-{m.alnum(24)}",
        ),
        (
            "slack-token",
            "xox" + "p-",
            lambda m: f"{m.of('123456789', 12)}-{m.of('123456789', 12)}-{m.hex(32)}",
        ),
        ("slack-token", "xa" + "pp-1-", lambda m: f"A{m.upper(10)}-{m.of('123456789', 13)}-{m.hex(64)}"),
        ("stripe-key", "sk" + "_live_", lambda m: m.alnum(24)),
        ("stripe-key", "rk" + "_live_", lambda m: m.alnum(99)),
        ("stripe-key", "sk" + "_test_", lambda m: m.alnum(99)),
        ("stripe-key", "wh" + "sec_", lambda m: m.alnum(32)),
        ("sendgrid-key", "SG" + ".", lambda m: m.url_safe(22) + "." + m.url_safe(43)),
        ("supabase-key", "sb" + "_secret_", lambda m: m.url_safe(31)),
        ("supabase-key", "sb" + "p_", lambda m: m.hex(40)),
        *(("digitalocean-token", f"do{kind}_v1_", lambda m: m.hex(64)) for kind in "pro"),
        *(("netlify-token", f"nf{kind}_", lambda m: m.alnum(36)) for kind in "pcoub"),
        ("vault-token", "hv" + "s.", lambda m: "CAESI" + m.url_safe(90)),
        ("vault-token", "hv" + "b.", lambda m: "AAAAAQ" + m.url_safe(140)),
        ("vault-legacy-token", "s" + ".", lambda m: m.alnum(24)),
        ("linear-key", "lin" + "_api_", lambda m: m.alnum(40)),
        ("notion-token", "nt" + "n_", lambda m: m.of(string.digits, 11) + m.alnum(35)),
        ("notion-token", "sec" + "ret_", lambda m: m.alnum(43)),
        ("sentry-token", "sntr" + "yu_", lambda m: m.hex(64)),
        ("sentry-token", "sntr" + "ys_", lambda m: "eyJpYXQiO" + m.base64(80) + "=_" + m.base64(43)),
        ("databricks-token", "da" + "pi", lambda m: m.hex(32)),
        *(("shopify-token", f"shp{kind}_", lambda m: m.hex(32)) for kind in ("at", "ca", "pa", "ss")),
        ("age-key", "AGE-SECRET-" + "KEY-1", lambda m: m.of(BECH32, 58)),
        ("opensync-key", "os" + "k_", lambda m: m.url_safe(32)),
    ]
    return [whole(rule, behind(lead, make)) for rule, lead, make in kinds]
