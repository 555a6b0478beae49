"""Passwords in one line of a shell, a script, SQL or a configuration, behind words that name no value."""

import re

from pi_opensync.privacy.redact.command_lines import password
from pi_opensync.privacy.redact.engine import NOTHING, Find, Rule, Spans, Text
from pi_opensync.privacy.redact.values import is_secret

_PASS = re.compile(rb"pass:([^\s\"'`]{4,200})")


def _pass(text: Text, at: int) -> Spans:
    """A password given to openssl: `pass:value`."""
    match = _PASS.match(text.data, at)
    if match is None or not text.data[max(0, at - 12) : at].rstrip(b" \"'=").endswith(
        (b"-pass", b"in", b"out", b"-k")
    ):
        return NOTHING
    return password(text.data, *match.span(1))


_NET_USE = re.compile(
    rb"net[ \t]{1,4}(?:use|user)[ \t][^\r\n]{0,200}?[ \t]"
    rb"(?:/user:\S{1,80}[ \t]{1,4}(\S{4,100})|([^\s/*\\][^\s/*\\]{3,100})[ \t]{1,4}/(?:user:|add))",
    re.IGNORECASE,
)


def _net_use(text: Text, at: int) -> Spans:
    r"""`net use \\host\share password /user:name`, the password also last; `net user name password /add`."""
    match = _NET_USE.match(text.data, at)
    if match is None:
        return NOTHING
    group = 1 if match.group(1) is not None else 2
    if match.group(group)[:1] == b"/":
        return NOTHING
    return password(text.data, *match.span(group))


_MASK = re.compile(rb"::add-mask::([^\s\"'`\\%]{4,4000})")
_SLASH = re.compile(rb"/(?:pass(?:word)?|pw|pwd|p|rp):[\"']?([^\s\"'`]{4,200})", re.IGNORECASE)
_CHPASSWD = re.compile(
    rb"(?:echo|printf|yes)[ \t]{1,4}(?:-[ne]{1,2}[ \t]{1,4}|[\"']?(?:%s(?:\\{1,8}n)?){1,2}[\"']?[ \t]{1,4})?"
    rb"[\"']?(?:[A-Za-z0-9_.-]{1,40}:)?"
    rb"([^\s\"'|:\\;)]{4,100})(?:[\"']?[ \t]{1,4}[\"']?[^\s\"'|]{4,100}|(?:\\{1,8}n[^\s\"'|\\]{0,100}){1,2}"
    rb"|[\"']?[ \t]{0,2};[ \t]{0,2}echo[ \t][^\r\n|]{1,100})?[\"']?\)?[ \t]{0,4}"
    rb"\|[ \t]{0,4}(?:sudo[ \t]{1,4}(?:-S|chpasswd|passwd)|chpasswd|kinit|passwd|smbpasswd|cryptsetup"
    rb"|zfs[ \t]load-key|pass[ \t]insert|keepassxc-cli"
    rb"|[^\r\n|]{0,120}(?:--(?:stdin|with-token|password-stdin|passphrase-fd)"
    rb"|[ \t](?:secret|env)[ \t](?:put|set|create|add)))"
)
_IDENTIFIED = re.compile(
    rb"identified(?:[ \t]{1,4}with[ \t]{1,4}['\"]?[A-Za-z0-9_]{1,40}['\"]?)?[ \t]{1,4}"
    rb"(?:by|as)(?:[ \t]{1,4}password)?[ \t]{1,4}"
    rb"(?:(\\{0,8}['\"])([^'\"\r\n\\]{3,200})\1|([A-Za-z_#$]{0,40}[0-9][^\s'\";,)]{3,100}))"
    rb"|crypt\([ ]{0,4}(\\{0,8}['\"])([^'\"\r\n\\]{3,200})\4[ ]{0,4},[ ]{0,4}gen_salt"
    rb"|pgp_sym_(?:en|de)crypt\([^()\r\n]{1,120}?,[ ]{0,4}(\\{0,8}['\"])([^'\"\r\n\\]{3,200})\6"
    rb"|set[ ]password[ ]from[ ]\\{0,8}['\"][^'\"\r\n\\]{1,100}\\{0,8}['\"][ ]to[ ]"
    rb"(\\{0,8}['\"])([^'\"\r\n\\]{3,200})\8",
    re.IGNORECASE,
)
_CONFIGURE = re.compile(
    rb"configure[ \t]{1,4}set[ \t]{1,4}(?:[\w.-]{1,60}\.)?aws_(?:secret_access_key|session_token)"
    rb"[ \t]{1,4}[\"']?([^\s\"']{16,2000})"
)


def _one(pattern: re.Pattern[bytes]) -> Find:
    """Finds the last of the pattern's groups."""

    def find(text: Text, at: int) -> Spans:
        match = pattern.match(text.data, at)
        if match is None:
            return NOTHING
        text.meter.charge(match.end() - at)
        group = next(number for number in range(match.re.groups, 0, -1) if match.group(number) is not None)
        return password(text.data, *match.span(group))

    return find


_VALUE = rb"[\"']?([^\s\"'`,;(){}<>|\\&]{4,2000})"
_HERE = re.compile(rb"<<<[ \t]{0,4}\\{0,255}[\"']?([^\s\"'`\\$]{4,200})")
_HERE_FOR = re.compile(
    rb"(?:sudo|passwd|smbpasswd|chpasswd|login|cryptsetup|--[a-z-]{0,20}(?:stdin|token))\b[^\r\n|;]{0,120}\Z"
)
_LOOK_BACK = 160


def _here_string(text: Text, at: int) -> Spans:
    """`sudo -S true <<< "value"`: what a command that asks for a password is given."""
    match = _HERE.match(text.data, at)
    if match is None or _HERE_FOR.search(text.data, max(0, at - _LOOK_BACK), at) is None:
        return NOTHING
    return password(text.data, *match.span(1))


_LITERAL = re.compile(rb"--from-literal[ =]{1,2}[\"']?[A-Za-z0-9_.-]{1,80}=[\"']?([^\s\"'`\\]{4,2000})")


def _from_literal(text: Text, at: int) -> Spans:
    """`kubectl create secret generic name --from-literal=key=value`."""
    match = _LITERAL.match(text.data, at)
    if match is None or b" secret " not in text.data[max(0, at - 400) : at]:
        return NOTHING
    return password(text.data, *match.span(1))


_PUT = re.compile(
    rb"(?:put-parameter(?=[^\r\n]{0,300}SecureString)"
    rb"|keyvault[ \t]secret[ \t]set)[^\r\n]{0,300}?[ \t]--value[ =]{1,4}" + _VALUE
)
_REGISTRY = re.compile(
    rb"reg(?:\.exe)?[ \t]{1,4}add[ \t][^\r\n]{0,300}?/v[ \t]{1,4}[\"']?[^\s\"']{0,60}(?:pass(?:word"
    rb"|wd)?|pwd|secret|token|key)[\"']?"
    rb"[ \t][^\r\n]{0,80}?/d[ \t]{1,4}" + _VALUE,
    re.IGNORECASE,
)
_SECURE_STRING = re.compile(
    rb"ConvertTo-SecureString[ \t]{1,4}(?:-(?:String|AsPlainText|Force)[ \t]{1,4}){0,3}[\"']"
    rb"([^\"'\r\n$]{4,200})[\"']",
    re.IGNORECASE,
)
_PART = rb"[^()\r\n]{1,120}?,\s{0,40}"
_CALLED = re.compile(
    rb"(?:(?:auth[ \t]{0,2}=[ \t]{0,2}\(|(?:HTTPBasic|HTTPDigest|SetBasic|Basic)Auth\(|NetworkCredential\("
    rb"|\.login\(|\.auth\(|WiFi\.begin\(|changeUserPassword\()"
    + _PART
    + rb"|(?:new mysqli\(|mysqli_connect\(|new PDO\(|set_password\(|getConnection\(|DirectoryEntry\("
    rb"|DBI->connect\()"
    + _PART
    + _PART
    + rb"|\bCredentials\("
    + _PART
    + _PART
    + _PART
    + rb")[\"']([^\"'\r\n\\$]{6,200})[\"']"
)

_KEYED = re.compile(
    rb"(?:(?:jwt\.(?:sign|verify|encode|decode)|createHmac)\("
    + _PART
    + rb"|(?:hmac\.new|Fernet)\([ ]{0,4})[bru]{0,2}[\"']([^\"'\r\n\\$]{12,400})[\"']"
)


def _called(text: Text, at: int) -> Spans:
    """The password among the arguments of calls that take a user and a password."""
    for pattern, name in ((_CALLED, b"password"), (_KEYED, b"secret")):
        match = pattern.match(text.data, at)
        if match is not None and is_secret(name, text.weigh(match.group(1)), quoted=True):
            return (match.span(1),)
    return NOTHING


LINES = (
    Rule(
        "command-password-source",
        "B",
        "openssl-passphrase-options(1)",
        (b"pass:",),
        rb"[^\s\"'`]{4}",
        _pass,
        token=True,
    ),
    Rule(
        "net-use",
        "B",
        "https://learn.microsoft.com/windows-server/administration/windows-commands/net-use",
        (b"net use", b"net user"),
        rb"[ \t]",
        _net_use,
        fold=True,
        token=True,
    ),
    Rule(
        "masked-value",
        "B",
        "https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands",
        (b"::add-mask::",),
        rb"[^\s]{4}",
        _one(_MASK),
    ),
    Rule(
        "slash-password",
        "B",
        "https://learn.microsoft.com/windows-server/administration/windows-commands/cmdkey",
        (b"/pass:", b"/password:", b"/pwd:", b"/rp:"),
        rb"[^\s]{4}",
        _one(_SLASH),
        fold=True,
    ),
    Rule(
        "piped-password",
        "B",
        "chpasswd(8), sudo(8) -S",
        (b"echo ", b"printf ", b"yes "),
        rb"[^\r\n|]{4,160}\|[ \t]*(?:sudo|chpasswd|[a-z])",
        _one(_CHPASSWD),
        token=True,
    ),
    Rule(
        "sql-password",
        "B",
        "https://dev.mysql.com/doc/refman/8.4/en/create-user.html",
        (b"identified ", b"crypt(", b"pgp_sym_encrypt(", b"pgp_sym_decrypt(", b"set password from "),
        rb"(?:(?i:with|by|as)|[^\r\n)]{0,60}['\"])",
        _one(_IDENTIFIED),
        fold=True,
    ),
    Rule(
        "aws-configure",
        "B",
        "https://docs.aws.amazon.com/cli/latest/reference/configure/set.html",
        (b"configure set ",),
        rb"[^\r\n]{0,60}aws_s",
        _one(_CONFIGURE),
        token=True,
    ),
    Rule(
        "here-string", "B", "bash(1), here strings", (b"<<<",), rb"[ \t]*\\*[\"']?[^\s\"'$]{4}", _here_string
    ),
    Rule(
        "kubernetes-literal",
        "B",
        "kubectl create secret generic --help",
        (b"--from-literal",),
        rb"[ =][^\s]{6}",
        _from_literal,
    ),
    Rule(
        "stored-secret",
        "B",
        "https://docs.aws.amazon.com/cli/latest/reference/ssm/put-parameter.html",
        (b"put-parameter", b"keyvault secret set"),
        rb"[ \t]",
        _one(_PUT),
        token=True,
    ),
    Rule(
        "registry-value",
        "B",
        "https://learn.microsoft.com/windows-server/administration/windows-commands/reg-add",
        (b"reg add ", b"reg.exe add "),
        rb"[^\r\n]",
        _one(_REGISTRY),
        fold=True,
        token=True,
    ),
    Rule(
        "secure-string",
        "B",
        "https://learn.microsoft.com/powershell/module/microsoft.powershell.security/convertto-securestring",
        (b"convertto-securestring",),
        rb"[ \t][^\r\n]",
        _one(_SECURE_STRING),
        fold=True,
        token=True,
    ),
    Rule(
        "password-argument",
        "B",
        "the documentation of each function",
        (
            *(
                b"auth=(",
                b"auth = (",
                b"HTTPBasicAuth(",
                b"HTTPDigestAuth(",
                b"BasicAuth(",
                b".login(",
                b"new mysqli(",
            ),
            *(
                b"mysqli_connect(",
                b"new PDO(",
                b"set_password(",
                b"getConnection(",
                b"NetworkCredential(",
                b"DirectoryEntry(",
                b".auth(",
                b"changeUserPassword(",
                b"Credentials(",
                b"WiFi.begin(",
                b"DBI->connect(",
                b"jwt.sign(",
                b"jwt.verify(",
                b"jwt.encode(",
                b"jwt.decode(",
                b"createHmac(",
                b"hmac.new(",
                b"Fernet(",
            ),
        ),
        rb"[^()\r\n]",
        _called,
    ),
    Rule(
        "oracle-url",
        "B",
        "https://docs.oracle.com/en/database/oracle/oracle-database/23/jjdbc/data-sources-and-URLs.html",
        (b"jdbc:oracle:thin:", b"jdbc:oracle:oci:"),
        rb"[A-Za-z0-9_]{1,40}/[^\s@]{4}",
        _one(re.compile(rb"jdbc:oracle:[a-z]{3,4}:[A-Za-z0-9_]{1,40}/([^\s@/\"'`<>]{4,100})@")),
        token=True,
    ),
)
