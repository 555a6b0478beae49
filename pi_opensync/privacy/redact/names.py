"""What a thing's name says of what it holds: a password, a secret, a key, or nothing secret.

The last word decides, and the one before it: `DB_PASSWORD`, `client-secret`, `apiKey` and `api.key` are read
alike. Words that only say how or where it is kept (`_base64`, `_prod`, `-data`) are passed over.
"""

import functools
import re
import unicodedata
from typing import Literal

from pi_opensync.privacy.redact.words import word_set, words

Kind = Literal["password", "secret", "weak", "key"]
"""password: any value but a word counts. secret: what looks random. weak: the same, and not by itself as
`auth: required`. key: only what is long and surely random."""

_PASSWORDS = word_set(
    "password passwd passphrase pwd passcode passwort kennwort motdepasse contrasena wachtwoord senha"
    " losenord passord authtok"
)
_SECRETS = word_set(
    "secret token credential credentials cred creds apikey authkey secretkey accesskey privatekey apitoken"
    " authtoken accesstoken clientsecret apisecret appsecret bearertoken secretaccesskey pepper psk"
    " identitytoken idtoken refreshtoken sessiontoken csrftoken bottoken usertoken requirepass masterauth"
    " geheimnis schluessel schlussel zugangsdaten jeton secreto llave"
)
_WEAK = word_set("pass pw auth auths salt mdp clef clave cle pat key")
_RUN_TOGETHER = ("password", "passwd", "passwort", "kennwort", "passphrase", "motdepasse")
_RUN_TOGETHER_SECRETS = (
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authtoken",
    "accesstoken",
    "secret",
)
_RUN_TOGETHER_SHORT = re.compile(
    r"(?:db|root|admin|user|ftp|smtp|mail|my|pg|ldap|sudo|mysql|redis|ssh|bind|key|store|rpc|remote|local)(?:pass|pw|pwd)"
)

# How or where it is kept, not what it is.
_KEPT = word_set(
    "data base string str value val b64 base64 hex text txt plain plaintext cleartext raw encoded env prod"
    " production dev development staging stage live sandbox local default old new current previous primary"
    " secondary backup"
)

# The word before `key` or `token` that makes the pair a name for something public.
_PUBLIC = word_set(
    "primary foreign public cache sort partition range unique composite candidate surrogate dict map object"
    " row group registry translation i18n locale react query state lookup index arrow hot shortcut sorting"
    " idempotency hash page next prev previous continuation pagination cancel cancellation start end stop"
    " eos bos pad unk mask sep cls special marker resume cursor column field item label metric span pubkey"
    " host known fingerprint prop anon publishable expected unexpected last first current"
)

# What a password opens: a name of these and `password` means the password itself, not a label for one.
_OPENS = word_set(
    "db database root admin mysql mariadb postgres postgresql pg pgsql redis mongo mongodb rabbitmq smtp imap"
    " mail email ftp sftp ssh ldap bind master keystore truststore store datasource become sudo vault wifi"
    " wlan proxy http basic registry docker sa oracle jdbc service svc app api user login account"
)

_PHRASES: dict[tuple[str, ...], Kind] = {
    ("mot", "de", "passe"): "password",
    ("palabra", "clave"): "password",
    ("clave", "secreta"): "secret",
    ("clave", "privada"): "secret",
    ("clave", "api"): "secret",
    ("clave", "de", "api"): "secret",
    ("clave", "de", "acceso"): "secret",
    ("cle", "api"): "secret",
    ("cle", "d", "api"): "secret",
    ("cle", "secrete"): "secret",
    ("cle", "privee"): "secret",
    ("clef", "api"): "secret",
    ("clef", "secrete"): "secret",
    ("jeton", "acces"): "secret",
    ("jeton", "d", "acces"): "secret",
    ("jeton", "api"): "secret",
    ("token", "de", "acceso"): "secret",
    ("token", "acceso"): "secret",
    ("set", "cookie"): "secret",
    ("become", "pass"): "password",
    ("io", "key"): "secret",
    ("sonar", "login"): "secret",
    ("dsonar", "login"): "secret",
    ("bw", "session"): "secret",
}
_LONGEST_PHRASE = 3
_LONGEST_NAME = 64
_NAME = re.compile(rb"(?:[A-Za-z0-9_.\-]|[\x80-\xbf]{1,3}[\xc2-\xef])*")
# What a name's first letters may belong to that stands in front of it: an encoded byte, a colour's code.
_OPENED = (
    (re.compile(rb"(?:25){0,3}[0-9A-F]{2}"), re.compile(rb"%\Z")),
    (
        re.compile(rb"[0-9]{0,3}m"),
        re.compile(rb"(?:\x1b|x1[bB]|u001[bB]|033|\\e)\[(?:[0-9]{0,3};){0,4}\Z"),
    ),
)
_ENV_NAME = re.compile(rb"[A-Z][A-Z0-9_]*")

KEYWORDS = (
    rb"key|secrets?|token[_ -](?:de[_ -])?acceso|token|pass(?:wor[dt]|wd|phrase|code)?|credentials?"
    rb"|creds?|pwd|pw|psk|authtok|auths?|sonar[._]login|bw_session|pepper|salt|pat|mdp"
    rb"|kennwort|geheimnis|schl(?:\xc3\xbc|u\xcc\x88|ue|u)ssel|zugangsdaten|mot[_ -]?de[_ -]?passe"
    rb"|contrase(?:\xc3\xb1|n\xcc\x83|n)a|senha|wachtwoord"
    rb"|clave(?:[_ -](?:de[_ -])?(?:secreta|privada|api|acceso))?"
    rb"|secreto|llave|cl(?:\xc3\xa9|e\xcc\x81|ef|e[_-])"
    rb"(?:[_ -]?(?:d(?:'|\xe2\x80\x99|[_-]))?(?:api|secr(?:\xc3\xa8|e)te|priv(?:\xc3\xa9|e)e))?"
    rb"|jeton(?:[_ -](?:d(?:'|\xe2\x80\x99|[_-]))?(?:acc(?:\xc3\xa8|e)s|api))?"
)
"""What a name may end with, as a pattern for letters in any case."""

LEADS = tuple(
    b"key secret token pass cred pwd pw psk auth pepper salt pat mdp kennwort geheimnis schl zugangsdaten"
    b" mot contrase senha wachtwoord clave llave cl jeton sonar bw_session".split()
)

SUFFIX = (
    rb"(?:[_.-]?(?:data|base|string|str|value|val|b64|base64|hex|text|txt|plain(?:text)?|cleartext|raw|encoded"
    rb"|env|prod|production|dev|development|staging|stage|live|sandbox|local|default|old|new|current|previous"
    rb"|primary|secondary|backup|[0-9]{1,3})){0,2}"
)
"""What may stand behind it: how or where it is kept."""


@functools.lru_cache(maxsize=4096)
def kind_of(name: bytes) -> Kind | None:
    """What a thing of this name holds, if anything secret."""
    parts = words(_folded(name))
    kept = False
    while len(parts) > 1 and (parts[-1] in _KEPT or parts[-1].isdigit()):
        kept = kept or not parts[-1].isdigit()
        parts.pop()
    phrases = (_PHRASES.get(tuple(parts[-size:])) for size in range(_LONGEST_PHRASE, 1, -1))
    phrase = next((kind for kind in phrases if kind is not None), None)
    if phrase is not None or not parts:
        return phrase
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last in _PASSWORDS or last.endswith(_RUN_TOGETHER) or _RUN_TOGETHER_SHORT.fullmatch(last):
        return "password"
    if last in ("key", "token") and (before in _PUBLIC or (kept and not before)):
        return None
    if last == "key" and not before:
        return "key"
    if last in _SECRETS or last == "key" or last.endswith(_RUN_TOGETHER_SECRETS):
        return "secret"
    return _of_weak(name, last, before) if last in _WEAK and before not in _PUBLIC else None


def _of_weak(name: bytes, last: str, before: str) -> Kind | None:
    """`pass`, `auth` and the like: a password's or a secret's name where another word makes it one."""
    if last in ("pass", "pw", "mdp") and (before in _OPENS or (before and is_env_name(name))):
        return "password"
    return "weak"


def opens_something(name: bytes) -> bool:
    """Whether it names the password of something (`db_password`, `DB_PASSWORD`), not a label or a field."""
    parts = words(_folded(name))
    return is_env_name(name) or any(part in _OPENS for part in parts[:-1])


def is_env_name(name: bytes) -> bool:
    """`DB_PASSWORD`: what is assigned to it is taken as it stands."""
    return _ENV_NAME.fullmatch(name) is not None


def name_before(data: bytes, end: int, floor: int = 0) -> bytes:
    """The name that ends at `end`."""
    start = max(floor, end - _LONGEST_NAME)
    run = _NAME.match(data[start:end][::-1])
    name = b"" if run is None else run.group()[::-1]
    begin = end - len(name)
    if data.startswith(b"\\", begin - 1) and begin > 0 and name[:1] in b"abfnrtv":  # an escape's letter
        name = name[1:]
    for opened, before in _OPENED:
        match = opened.match(name)
        if match is not None and before.search(data, max(0, begin - 24), begin) is not None:
            return name[match.end() :]
    return name


def _folded(name: bytes) -> bytes:
    """Without accents: `contraseña` is read as `contrasena`."""
    if name.isascii():
        return name
    decomposed = unicodedata.normalize("NFKD", name.decode("utf-8", "ignore"))
    return decomposed.encode("ascii", "ignore")
