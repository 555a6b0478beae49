"""Ordinary text, in which nothing is secret."""

import base64
import hashlib
import json
import random
import sysconfig
import uuid
from pathlib import Path

import pi_opensync
from tests.privacy.redact.samples import BASE64, Maker


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
        "urllib/parse",
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
