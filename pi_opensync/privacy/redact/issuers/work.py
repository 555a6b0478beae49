"""Watching, measuring and organizing: monitoring, analytics, tickets, documents, maps."""

from pi_opensync.privacy.redact.issuers.shape import issuer, marked
from pi_opensync.privacy.redact.words import is_random

WORK = (
    issuer(
        "linear-key",
        "https://linear.app/developers/graphql",
        "lin_api_ lin_oauth_ lin_wh_",
        rb"lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,100}",
        guard=False,
    ),
    issuer(
        "notion-token",
        "https://developers.notion.com/docs/authorization",
        "ntn_ secret_",
        rb"ntn_[A-Za-z0-9]{40,80}|secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])",
        keep=is_random,
    ),
    issuer(
        "sentry-token",
        "https://docs.sentry.io/account/auth-tokens/",
        "sntrys_ sntryu_ sntryi_ sntrya_",
        rb"sntry[aisu]_[A-Za-z0-9+/_=-]{40,800}",
        guard=False,
    ),
    issuer(
        "grafana-token",
        "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
        "glsa_ glc_ eyJrIjoi",
        rb"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,800}={0,3}|eyJrIjoi[A-Za-z0-9_-]{60,800}={0,3}",
    ),
    issuer(
        "new-relic-key",
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
        "NRAK- NRII- NRIQ- NRRA- NRAA- NRSP- NRJS- NRBR-",
        rb"NR(?:AK|II|IQ|RA|AA|SP|JS|BR)-[A-Za-z0-9_-]{19,52}",
        follow=rb"[A-Za-z0-9_-]{19}",
    ),
    marked(
        "new-relic-license",
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
        rb"(?:eu01xx)?[0-9a-f]{26,36}(?:FFFF)?",
        "NRAL",
        rb"NRAL",
    ),
    issuer(
        "dynatrace-token",
        "https://docs.dynatrace.com/docs/dynatrace-api/basics/dynatrace-api-authentication",
        "dt0c01. dt0s01. dt0s02. dt0s03. dt0s04. dt0s06. dt0s08. dt0s16.",
        rb"dt0[cs][0-9]{2}\.[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{64}",
    ),
    issuer(
        "honeycomb-key",
        "https://docs.honeycomb.io/configure/environments/manage-api-keys/",
        "hcaik_ hcaic_ hcbik_ hcalk_ hcxik_ hcxlk_",
        rb"hc[a-z](?:ik|ic|lk|mk)_[a-z0-9]{50,64}",
    ),
    issuer(
        "posthog-key",
        "https://posthog.com/docs/api",
        "phx_ phs_",
        rb"ph[xs]_[A-Za-z0-9]{40,60}",
        keep=is_random,
    ),
    issuer(
        "axiom-token",
        "https://axiom.co/docs/reference/tokens",
        "xaat- xapt-",
        rb"xa(?:at|pt)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    issuer(
        "checkly-key",
        "https://www.checklyhq.com/docs/accounts-and-users/creating-api-key/",
        "cu_ cus_",
        rb"cus?_[0-9a-f]{32}(?![0-9A-Za-z])",
        follow=rb"[0-9a-f]{32}",
    ),
    marked(
        "maxmind-key",
        "https://support.maxmind.com/hc/en-us/articles/4407111582235",
        rb"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}",
        "_mmk",
        rb"_mmk",
    ),
    issuer(
        "typeform-token",
        "https://www.typeform.com/developers/get-started/personal-access-token/",
        "tfp_",
        rb"tfp_[A-Za-z0-9_.=-]{40,64}",
        keep=is_random,
    ),
    issuer(
        "mapbox-token",
        "https://docs.mapbox.com/help/getting-started/access-tokens/",
        "sk.eyJ pk.eyJ tk.eyJ",
        rb"[spt]k\.eyJ[A-Za-z0-9_-]{40,200}\.[A-Za-z0-9_-]{20,40}",
    ),
    issuer(
        "salesforce-token",
        "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
        "00D",
        rb"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{60,140}",
        follow=rb"[A-Za-z0-9]{12,15}!",
    ),
    issuer(
        "dropbox-token",
        "https://developers.dropbox.com/oauth-guide",
        "sl.",
        rb"sl\.(?:u\.)?[A-Za-z0-9_=-]{60,1400}(?![A-Za-z0-9_=-])",
        follow=rb"[A-Za-z0-9_.=-]{60}",
        keep=is_random,
    ),
    marked(
        "dropbox-long-lived-token",
        "https://developers.dropbox.com/oauth-guide",
        rb"[A-Za-z0-9]{11}",
        "AAAAAAAAAA",
        rb"A{10}[A-Za-z0-9_=-]{43}",
        follow=rb"[B-Za-z0-9_=-][A-Za-z0-9_=-]{7}",
    ),
    issuer(
        "adafruit-key", "https://io.adafruit.com/api/docs/", "aio_", rb"aio_[A-Za-z0-9]{28}", keep=is_random
    ),
    issuer(
        "ibm-api-key",
        "https://cloud.ibm.com/docs/account?topic=account-userapikey",
        "ApiKey-",
        rb"ApiKey-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
)
