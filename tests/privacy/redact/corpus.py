"""Secrets of every kind, made up from a seed and put together at run time; and ordinary text."""

import base64
import functools
import hashlib
import json
import random
import re
import string
import sysconfig
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pi_opensync
from pi_opensync.privacy.redact import RULES, Rule
from pi_opensync.privacy.redact.words import is_random
from tests.privacy.redact.made import made

ALNUM = string.ascii_letters + string.digits
URL_SAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
EACH = 8


@dataclass(frozen=True)
class Sample:
    """A text that holds one secret: what a transcript would show, and the part of it that must go."""

    rule: str
    text: str
    secret: str

    def leaks_in(self, output: str) -> bool:
        return any(line in output for line in self.secret.splitlines() if len(line) >= 6)


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  # the same secrets in every run

    def of(self, alphabet: str, size: int) -> str:
        return "".join(self.random.choices(alphabet, k=size))

    def alnum(self, size: int) -> str:
        """Letters and digits with all three kinds, as issuers draw them."""
        return "".join(self.random.sample("aZ7", 3)) + self.of(ALNUM, size - 3)

    def url_safe(self, size: int) -> str:
        return self.alnum(4) + self.of(URL_SAFE, size - 5) + self.of(ALNUM, 1)

    def hex(self, size: int) -> str:
        return self.of(HEX, size)

    def upper(self, size: int) -> str:
        return self.of(string.ascii_uppercase + "234567", size)

    def base64(self, size: int) -> str:
        return self.alnum(3) + self.of(BASE64, size - 3)

    def part_of_jwt(self, content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    def jwt(self) -> str:
        header = self.part_of_jwt({"alg": "HS256", "typ": "JWT"})
        return f"{header}.{self.part_of_jwt({'sub': self.hex(12), 'iat': 1700000000})}.{self.url_safe(43)}"

    def pem(self, kind: str = "RSA ") -> str:
        lines = "\n".join(self.base64(64) for _ in range(self.random.randint(4, 12)))
        body = f"{lines}\n{self.base64(22)}=="
        return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


def whole(rule: str, make: Callable[[Maker], str]) -> Callable[[Maker], Sample]:
    def sample(maker: Maker) -> Sample:
        secret = make(maker)
        return Sample(rule, secret, secret)

    return sample


def behind(lead: str, make: Callable[[Maker], str]) -> Callable[[Maker], str]:
    return lambda maker: lead + make(maker)


def within(rule: str, text: str, make: Callable[[Maker], str]) -> Callable[[Maker], Sample]:
    """text: with `{}` where the secret stands."""

    def sample(maker: Maker) -> Sample:
        secret = make(maker)
        return Sample(rule, text.replace("{}", secret), secret)

    return sample


def _prefixed() -> list[Callable[[Maker], Sample]]:
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


def _shaped() -> list[Callable[[Maker], Sample]]:
    def password(maker: Maker) -> str:
        return maker.alnum(8) + maker.of("!@#%^*-+", 2) + maker.alnum(2)

    return [
        within(
            "slack-webhook",
            "https://hooks." + "slack.com/services/{}",
            lambda m: f"T{m.upper(8)}/B{m.upper(8)}/{m.alnum(24)}",
        ),
        within(
            "discord-webhook",
            "https://discord" + ".com/api/webhooks/112233445566778899/{}",
            lambda m: m.url_safe(68),
        ),
        within(
            "telegram-token",
            "https://api.telegram.org/bot{}/getMe",
            lambda m: m.of("123456789", 10) + ":A" + m.url_safe(34),
        ),
        whole("telegram-token", lambda m: m.of("123456789", 10) + ":A" + m.url_safe(34)),
        whole("twilio-key", lambda m: "SK" + m.hex(32)),
        within("twilio-key", "Client('AC" + "0123456789abcdef" * 2 + "', '{}')", lambda m: m.hex(32)),
        within("twilio-secret", "the twilio auth is {}", lambda m: m.hex(32)),
        *(
            whole("pem-private-key", functools.partial(Maker.pem, kind=kind))
            for kind in ("RSA ", "", "EC ", "OPENSSH ", "ENCRYPTED ")
        ),
        whole("pem-private-key", lambda m: m.pem().rsplit("\n", 3)[0]),
        whole("pem-private-key", lambda m: m.pem().replace("\n", "\\n")),
        within("url-password", "postgres://app:{}@db.internal:5432/app", lambda m: m.alnum(12)),
        within("url-password", "redis://:{}@cache:6379/0", lambda m: m.alnum(20)),
        within("url-password", "https://{}@o1234.ingest.sentry.io/77", lambda m: m.hex(32)),
        within("dsn-password", "app:{}@tcp(127.0.0.1:3306)/app", lambda m: m.alnum(12)),
        within("authorization", "Authorization: Bearer {}", lambda m: m.url_safe(40)),
        within("authorization", "authorization: {}", lambda m: m.url_safe(40)),
        within(
            "authorization",
            "Authorization: Basic {}",
            lambda m: base64.b64encode(f"bob:{password(m)}".encode()).decode(),
        ),
        within("bearer", "sent Bearer {} to it", lambda m: m.url_safe(40)),
        within("cookie", "Cookie: theme=dark; sid={}", lambda m: m.hex(32)),
        within("cookie", "set-cookie: session={}; Path=/; HttpOnly", lambda m: m.url_safe(40)),
        whole("jwt", lambda m: m.jwt()),
        whole("jwt", lambda m: m.jwt().rsplit(".", 1)[0]),
        whole(
            "jwe",
            lambda m: ".".join(
                (
                    m.part_of_jwt({"alg": "RSA-OAEP", "enc": "A256GCM"}),
                    m.url_safe(80),
                    m.url_safe(16),
                    m.url_safe(60),
                    m.url_safe(22),
                )
            ),
        ),
        within(
            "url-signature",
            "https://b.s3.amazonaws.com/k?X-Amz-Expires=300&X-Amz-Signature={}&x=1",
            lambda m: m.hex(64),
        ),
        within(
            "url-signature",
            "https://acc.blob.core.windows.net/c/b?sv=2022&sig={}",
            lambda m: m.alnum(41) + "%2B0%3D",
        ),
        within("assignment", "API_KEY={}", lambda m: m.alnum(32)),
        within("assignment", "export DB_PASSWORD='{}'", password),
        within("assignment", '{"clientSecret": "{}"}', lambda m: m.url_safe(40)),
        within("assignment", "  auth-token: {}", lambda m: m.hex(40)),
        within("assignment", "aws_secret_access_key = {}", lambda m: m.base64(40)),
        within("assignment", 'password: str = "{}"', password),
        within("assignment", "//npm.example.net/:_authToken={}", lambda m: m.alnum(30)),
        within("assignment", "Server=db;User Id=sa;Password={};Encrypt=true", lambda m: m.alnum(14)),
        within("assignment", "https://maps.example.net/v1?q=1&access_token={}&z=2", lambda m: m.url_safe(40)),
        within("assignment", "app.credentials={}", lambda m: m.alnum(24)),
        within("command-flag", "mysql --user root --password {} app", lambda m: m.alnum(12)),
        within("command-password", "curl -u admin:{} https://api.example.net", password),
        within("command-password", "sshpass -p {} ssh build", lambda m: m.alnum(10)),
        within("command-password", "mysqldump -u root -p{} app", lambda m: m.alnum(10)),
        within("command-password", "docker login -u ann -p {} registry.example.net", lambda m: m.alnum(16)),
        within(
            "command-password-source", "openssl rsa -in a.pem -passin pass:{} -out b", lambda m: m.alnum(12)
        ),
        within("net-use", "net use \\\\files\\share {} /user:ann", lambda m: m.alnum(12)),
        within("masked-value", "::add-mask::{}", lambda m: m.alnum(24)),
        within("slash-password", "cmdkey /add:files /user:ann /pass:{}", lambda m: m.alnum(12)),
        within("piped-password", "echo ann:{} | chpasswd", lambda m: m.alnum(12)),
        within("sql-password", "ALTER USER app IDENTIFIED BY '{}';", password),
        within("aws-configure", "aws configure set aws_secret_access_key {}", lambda m: m.base64(40)),
        within("netrc-password", "machine h.example.net login ann password {}", lambda m: m.alnum(12)),
        within("pgpass-password", "db.example.net:5432:app:ann:{}", lambda m: m.alnum(12)),
        whole("password-hash", lambda m: "$2b" + "$12$" + m.alnum(53)),
        whole("password-hash", lambda m: "$6" + "$" + m.alnum(8) + "$" + m.alnum(86)),
        whole(
            "framework-password-hash",
            lambda m: "pbkdf2_" + "sha256$600000$" + m.alnum(22) + "$" + m.base64(43) + "=",
        ),
        within("kubernetes-secret", "kind: Secret\ndata:\n  entry: {}\n", lambda m: m.base64(24)),
        within("putty-key", "Private-Lines: 2\n{}", lambda m: m.base64(64) + "\n" + m.base64(64)),
        within("vault-key", "Unseal Key 1: {}", lambda m: m.base64(44)),
        within(
            "docker-auth",
            '{"auths": {"r.example.net": {"auth": "{}"}}}',
            lambda m: base64.b64encode(f"ann:{m.alnum(8)}".encode()).decode(),
        ),
        within("command-flag", "vercel deploy --token {}", lambda m: m.alnum(24)),
    ]


def _of_shape(rule: Rule) -> Callable[[Maker], Sample]:
    """A value of an issuer's shape, made from the rule itself; a group in it is the part that is secret."""

    def sample(maker: Maker) -> Sample:
        while True:
            text = made(rule.shape, maker.random)
            match = re.fullmatch(
                rule.shape, text.encode("latin-1"), re.IGNORECASE if rule.fold else re.NOFLAG
            )
            opened = any(lead in match.group(0) for lead in rule.leads) if match is not None else False
            if match is not None and opened and is_random(match.group()):
                start, end = match.span(1 if match.re.groups else 0)
                return Sample(rule.name, text, text[start:end])

    return sample


MAKERS = (*_prefixed(), *_shaped(), *(_of_shape(rule) for rule in RULES if rule.shape))


def samples() -> Iterator[Sample]:
    """Every kind, several of each, the same in every run."""
    for number, make in enumerate(MAKERS):
        for seed in range(EACH):
            yield make(Maker(1000 * number + seed))


def clean_texts() -> dict[str, str]:
    """Ordinary text with nothing secret in it, over 200 kB, by kind."""
    rng = random.Random(7)  # noqa: S311  # the same text in every run
    maker = Maker(8)
    hashes = [hashlib.sha1(str(n).encode(), usedforsecurity=False).hexdigest() for n in range(300)]
    integrity = [base64.b64encode(hashlib.sha512(str(n).encode()).digest()).decode() for n in range(200)]
    standard_library = Path(sysconfig.get_path("stdlib"))
    modules = (
        "argparse",
        "ast",
        "getpass",
        "netrc",
        "secrets",
        "hmac",
        "ssl",
        "smtplib",
        "tokenize",
        "urllib/request",
    )
    own = sorted(Path(pi_opensync.__file__).parent.rglob("*.py"))
    names = [
        "react",
        "left-pad",
        "@types/node",
        "keyv",
        "js-tokens",
        "secretlint",
        "csrf-tokens",
        "fast-json-stable",
    ]
    return {
        "standard library": "\n".join(
            (standard_library / f"{name}.py").read_text("utf-8") for name in modules
        ),
        "this project": "\n".join(path.read_text("utf-8") for path in own),
        "package-lock.json": json.dumps(
            {
                f"node_modules/{rng.choice(names)}-{n}": {
                    "version": f"{n % 9}.{n % 7}.{n % 5}",
                    "resolved": f"https://registry.example.net/{rng.choice(names)}/-/x-{n}.tgz",
                    "integrity": f"sha512-{value}",
                }
                for n, value in enumerate(integrity)
            },
            indent=2,
        ),
        "poetry.lock": "\n".join(
            f'{{file = "p-{n}.whl", hash = "sha256:{hashlib.sha256(str(n).encode()).hexdigest()}"}},'
            for n in range(150)
        ),
        "go.sum": "\n".join(
            f"example.net/mod{n} v1.{n}.0 h1:{value[:43]}=" for n, value in enumerate(integrity)
        ),
        "git log": "\n".join(
            f"commit {value}\nAuthor: Ann <ann@example.net>\n\n    Fix key {n}\n"
            for n, value in enumerate(hashes)
        ),
        "uuids": "\n".join(str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(400)),
        "base64": "\n".join(f"data:image/png;base64,{maker.of(BASE64, 2000)}==" for _ in range(8)),
        "logs": "\n".join(
            f"2026-02-0{n % 9 + 1}T10:{n % 60:02}:00.123Z INFO [req-{hashes[n % 300][:8]}] GET"
            f" /api/keys/{n}?page_token={n} 200 {n}ms token_count={n * 7} max_tokens=8000"
            " monkey=bananas1 keyboard: qwerty12"
            for n in range(500)
        ),
        "prose": "The key to a good password is that no one guesses it; the secret: length. A token. " * 200,
        "code": ORDINARY_CODE,
    }


ORDINARY_CODE = """
items.sort(key=lambda item: item.rank)
max(rows, key=operator.itemgetter("size"))
token = next(tokens)
token = self.tokens[self.position]
password = getpass.getpass("Password: ")
password = request.form["password"]
password: string;
key: string;
secret?: string
apiKey: string | undefined,
token: Token = None
"key": "value",
"token": "identifier",
{"primary_key": "user_id_2024_created"}
primary key (id, created_at)
API_KEY=$API_KEY
API_KEY="${API_KEY}"
export TOKEN=$(cat /run/secrets/token)
secret: ${{ secrets.DEPLOY_TOKEN }}
token: ${{ steps.app-token.outputs.token }}
const apiKey = process.env.OPENAI_API_KEY;
const secret = await getSecretValue("prod/db");
api_key = os.environ["OPENAI_API_KEY"]
secretKeyRef: {name: app-secrets, key: database-url}
SECRET_KEY = config("SECRET_KEY")
OPENAI_API_KEY=sk-...
ANTHROPIC_API_KEY=sk-ant-...
ANTHROPIC_API_KEY=<your key>
API_KEY=your-api-key-here
API_KEY=YOUR_API_KEY
api_key: "xxxxxxxxxxxxxxxxxxxxxxxx"
PASSWORD=********
Authorization: Bearer $TOKEN
Authorization: Bearer ${token}
"Authorization": f"Bearer {token}",
-H "Authorization: Bearer <TOKEN>"
-H "Authorization: Bearer YOUR_API_KEY"
the bearer authentication scheme
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
postgres://user:password@localhost/db
postgres://$USER:$PASSWORD@$HOST/db
https://user:${TOKEN}@github.com/org/repo
git@github.com:org/repo.git
document.cookie = `theme=${theme}`;
-----BEGIN CERTIFICATE-----
if line.startswith("-----BEGIN RSA PRIVATE KEY-----"):
const sessionToken = sessionTokenFromRequest(request);
setCacheKey("users:list:page:12");
key={item.id}
<Item key={`${row.id}-${column.id}`} />
cache_key = "v2:user-profile:en-US"
idempotency_key = "0b6c1f0e-3a55-4f5e-9c39-1d2f3a4b5c6d"
"tokenizer": "gpt-4o-2024-08-06",
{"max_tokens": 4096, "eos_token": "<|endoftext|>"}
next_page_token = "CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA"
KEY_ID = 12345678
public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8s9Qx1"
.sk-fading-circle-animation-delay-one { margin: 0 }
disk-usage-report-for-the-second-partition
commit 3f786850e387550fdab836ed7e6dc881de23001b
path = "/usr/local/share/keys/server-key-2.pem"
tokenFile=/var/run/secrets/kubernetes.io/serviceaccount/token
"password": "Enter your password",
password: 'Passwort',
<input type="password" name="new-password1" autocomplete="current-password">
--token-file path --key-length 2048
mysql --password app
"""
