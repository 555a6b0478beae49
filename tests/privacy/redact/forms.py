"""Secrets that their surroundings give away: URLs, headers, files, commands, assignments."""

import base64
import functools
from collections.abc import Callable

from tests.privacy.redact.samples import Maker, Sample, whole, within


def shaped() -> list[Callable[[Maker], Sample]]:
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
        within("cookie-file", ".example.net\tTRUE\t/\tTRUE\t1767225600\tsession\t{}", lambda m: m.alnum(32)),
        within("here-string", 'sudo -S true <<< "{}"', lambda m: m.alnum(12)),
        within(
            "kubernetes-literal",
            "kubectl create secret generic db --from-literal=entry={}",
            lambda m: m.alnum(12),
        ),
        within(
            "stored-secret",
            "aws ssm put-parameter --name /db --type SecureString --value {}",
            lambda m: m.alnum(12),
        ),
        within("stored-secret", "az keyvault secret set --name n --value {}", lambda m: m.alnum(12)),
        within("registry-value", "reg add HKLM\\Soft /v Password /t REG_SZ /d {} /f", lambda m: m.alnum(12)),
        within("secure-string", "ConvertTo-SecureString '{}' -AsPlainText -Force", lambda m: m.alnum(12)),
        within("password-argument", "get(url, auth=('ann', '{}'))", lambda m: m.alnum(12)),
        within("password-argument", "new mysqli('localhost', 'ann', '{}', 'app');", lambda m: m.alnum(12)),
        within("oracle-url", "jdbc:oracle:thin:ann/{}@db:1521:x", lambda m: m.alnum(12)),
        within("configured-password", "masterauth {}", lambda m: m.alnum(12)),
        within("configured-password", "enable secret 0 {}", lambda m: m.alnum(12)),
        within("kubernetes-secret", "kind: Secret\ndata:\n  entry: {}\n", lambda m: m.base64(24)),
        within("putty-key", "Private-Lines: 2\n{}", lambda m: m.base64(64) + "\n" + m.base64(64)),
        within("vault-key", "Unseal Key 1: {}", lambda m: m.base64(44)),
        within(
            "docker-auth",
            '{"auths": {"r.example.net": {"auth": "{}"}}}',
            lambda m: base64.b64encode(f"ann:{m.alnum(8)}".encode()).decode(),
        ),
        within(
            "sql-insert", "INSERT INTO users (name, password) VALUES ('ann', '{}');", lambda m: m.alnum(12)
        ),
        within("value-before-name", "<value>{}</value><name>password</name>", lambda m: m.alnum(12)),
        within("session-cookie", "PHPSESSID={}", lambda m: m.alnum(26)),
        within("mail-password", "smtp.example.net ann@example.net:{}", lambda m: m.alnum(16)),
        within("login-line", "ftp -n files.example.net\nuser ann {}", lambda m: m.alnum(12)),
        within("chat-password", "/msg NickServ IDENTIFY {}", lambda m: m.alnum(12)),
        within("first-password", "chpasswd:\n  list: |\n    ann:{}", lambda m: m.alnum(12)),
        within("sent-password", 'expect "assword:"; send "{}"', lambda m: m.alnum(12)),
        within("config-command", "poetry config pypi-token.pypi {}", lambda m: m.alnum(24)),
        within("command-flag", "vercel deploy --token {}", lambda m: m.alnum(24)),
    ]
