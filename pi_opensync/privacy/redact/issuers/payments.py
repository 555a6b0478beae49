"""Payments, shops, parcels and travel."""

from pi_opensync.privacy.redact.issuers.shape import issuer
from pi_opensync.privacy.redact.words import is_random

PAYMENTS = (
    issuer(
        "stripe-key",
        "https://docs.stripe.com/keys",
        "sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ rk_prod_ sk_org_live_ sk_org_test_"
        "  rk_org_live_ rk_org_test_ whsec_",
        rb"(?:[rs]k_(?:live|test|prod|org_live|org_test)_[A-Za-z0-9]{10,250}|whsec_[A-Za-z0-9+/]{24,100}={0,2})",
        follow=rb"[A-Za-z0-9+/]{10}",
    ),
    issuer(
        "shopify-token",
        "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens",
        "shpat_ shpca_ shppa_ shpss_ shpua_ shptka_",
        rb"shp[a-z]{2,3}_[0-9a-zA-Z]{32,80}",
        guard=False,
    ),
    issuer(
        "square-token",
        "https://developer.squareup.com/docs/build-basics/access-tokens",
        "EAAA sq0atp- sq0csp- sq0idp-",
        rb"EAAA[A-Za-z0-9_-]{22,60}(?![A-Za-z0-9_-])|sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,60}",
        follow=rb"[A-Za-z0-9_-]{22}",
        keep=is_random,
    ),
    issuer(
        "shippo-token",
        "https://docs.goshippo.com/docs/guides_general/authentication/",
        "shippo_live_ shippo_test_",
        rb"shippo_(?:live|test)_[0-9a-fA-F]{40}",
    ),
    issuer(
        "easypost-key",
        "https://docs.easypost.com/docs/authentication",
        "EZAK EZTK",
        rb"EZ[AT]K[A-Za-z0-9]{54}(?![A-Za-z0-9])",
        follow=rb"[A-Za-z0-9]{54}",
    ),
    issuer(
        "flutterwave-key",
        "https://developer.flutterwave.com/docs/authentication",
        "FLWSECK FLWPUBK",
        rb"FLW(?:SECK|PUBK)(?:_TEST)?-[0-9a-zA-Z]{12,64}(?:-X)?",
        follow=rb"(?:_TEST)?-[0-9a-zA-Z]{12}",
    ),
    issuer(
        "duffel-token",
        "https://duffel.com/docs/api/overview/making-requests",
        "duffel_test_ duffel_live_",
        rb"duffel_(?:test|live)_[A-Za-z0-9_=-]{43}",
    ),
    issuer(
        "plaid-token",
        "https://plaid.com/docs/quickstart/glossary/#access-token",
        "access-sandbox- access-development- access-production-",
        rb"access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    issuer(
        "braintree-token",
        "https://developer.paypal.com/braintree/docs/reference/general/best-practices/",
        "access_token$production$ access_token$sandbox$",
        rb"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    issuer(
        "razorpay-key",
        "https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/",
        "rzp_live_ rzp_test_",
        rb"rzp_(?:live|test)_[A-Za-z0-9]{14,24}",
        keep=is_random,
    ),
    issuer(
        "gocardless-token",
        "https://developer.gocardless.com/getting-started/api/making-your-first-request/",
        "live_ sandbox_",
        rb"(?:live|sandbox)_[A-Za-z0-9_=-]{40}(?![A-Za-z0-9_=-])",
        follow=rb"[A-Za-z0-9_=-]{40}",
        keep=is_random,
    ),
    issuer(
        "lob-key",
        "https://docs.lob.com/#section/API-Keys",
        "live_ test_",
        rb"(?:live|test)_(?:pub_)?[0-9a-f]{31,35}(?![0-9A-Za-z])",
        follow=rb"(?:pub_)?[0-9a-f]{31}",
    ),
    issuer(
        "mollie-key",
        "https://docs.mollie.com/reference/authentication",
        "live_ test_",
        rb"(?:live|test)_[A-Za-z0-9]{30}(?![A-Za-z0-9_])",
        follow=rb"[A-Za-z0-9]{30}",
        keep=is_random,
    ),
    issuer(
        "adyen-key",
        "https://docs.adyen.com/development-resources/api-credentials/",
        "AQE",
        rb"(?<![A-Za-z0-9+]{12}[+/])AQE[A-Za-z0-9]{4,8}[A-Za-z0-9+/=-]{60,200}",
        follow=rb"[A-Za-z0-9]{4}[A-Za-z0-9+/=-]{12}",
        keep=is_random,
    ),
    issuer(
        "mercadopago-token",
        "https://www.mercadopago.com.br/developers/en/docs/your-integrations/credentials",
        "APP_USR-",
        rb"APP_USR-[0-9]{10,20}-[0-9]{6}-[0-9a-f]{32}-[0-9]{6,12}",
    ),
    issuer(
        "paddle-key",
        "https://developer.paddle.com/api-reference/about/authentication",
        "pdl_live_ pdl_sdbx_",
        rb"pdl_(?:live|sdbx)_(?:apikey_)?[A-Za-z0-9_]{40,90}",
    ),
    issuer(
        "xendit-key",
        "https://docs.xendit.co/docs/api-keys",
        "xnd_production_ xnd_development_",
        rb"xnd_(?:production|development)_[A-Za-z0-9]{30,80}",
    ),
    issuer(
        "sumup-key",
        "https://developer.sumup.com/tools/authorization/api-keys/",
        "sup_sk_",
        rb"sup_sk_[A-Za-z0-9]{30,60}",
    ),
    issuer(
        "polar-token",
        "https://polar.sh/docs/integrate/oat",
        "polar_",
        rb"polar_(?:oat|pat|at|rt|whs)_[A-Za-z0-9_]{32,80}",
    ),
    issuer(
        "frameio-token",
        "https://developer.frame.io/docs/getting-started/authentication",
        "fio-u-",
        rb"fio-u-[A-Za-z0-9_=-]{64}",
    ),
    issuer(
        "settlemint-token",
        "https://console.settlemint.com/documentation",
        "sm_aat_ sm_pat_ sm_sat_",
        rb"sm_[aps]at_[A-Za-z0-9]{16,40}",
        keep=is_random,
    ),
)
