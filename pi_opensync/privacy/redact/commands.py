"""Passwords on a command's line: `curl -u user:password`, `mysql -ppassword`, `sshpass -p password`."""

import re
from dataclasses import dataclass

from pi_opensync.privacy.redact.engine import NOTHING, Find, Rule, Spans, Text
from pi_opensync.privacy.redact.names import kind_of
from pi_opensync.privacy.redact.values import is_common_word, is_secret
from pi_opensync.privacy.redact.words import is_placeholder

_LONGEST_LINE = 2000
_SHORTEST = 4
_LINE = re.compile(rb"(?:[^\r\n\\|]|\\(?:\r?\n|[^n\r\n]))*")
_ARGUMENT = re.compile(
    rb"[ \t]*(?:\\\r?\n[ \t]*)?(\\{0,8}'[^'\r\n]*'"
    rb"|\\{0,8}\"(?:[^\"\\\r\n]|\\{1,2}[^\"\r\n]|\\\\\\\")*\\{0,8}\"|[^\s\"']+)"
)
_ENDS = (b"|", b"||", b"&&", b";", b"&", b">", b"<")
_QUOTES = b"\"'"


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command takes its password.

    flags: what the password stands behind. glued: flags that it is written against (`-ppassword`).
    pairs: flags behind which `user:password` stands, or user and password parted by another of these signs.
    after: the command's subcommand that must come first. last: the password is the argument of this number,
    counted without options, from 0.
    """

    names: str
    flags: str = ""
    glued: str = ""
    pairs: str = ""
    signs: bytes = b":"
    after: str = ""
    last: int | None = None


COMMANDS = (
    Command("curl", pairs="-u --user --proxy-user -U", flags="--pass --proxy-pass --oauth2-bearer"),
    Command("wget", flags="--password --http-password --ftp-password --proxy-password"),
    Command("http https xh httpie", pairs="-a --auth"),
    Command("mysql mysqldump mysqladmin mariadb mariadb-dump mysqlimport mysqlsh mycli", glued="-p"),
    Command("mongo mongosh mongodump mongorestore mongoexport mongoimport", flags="-p --password"),
    Command("redis-cli", flags="-a --pass"),
    Command("sshpass", flags="-p", glued="-p"),
    Command(
        "docker podman nerdctl buildah skopeo helm oras crane",
        after="login",
        flags="-p --password",
        glued="-p",
    ),
    Command("az", after="login", flags="-p --password"),
    Command("oc kubectl", flags="-p --password --token --docker-password"),
    Command("htpasswd", last=2),
    Command("rabbitmqctl", after="add_user change_password", last=2),
    Command("ldapsearch ldapmodify ldapadd ldapwhoami ldappasswd", flags="-w"),
    Command("smbclient", pairs="-U --user", signs=b"%"),
    Command("lftp ncftp", pairs="-u", signs=b","),
    Command("sqlcmd bcp osql", flags="-P", glued="-P"),
    Command("cqlsh", flags="-p --password"),
    Command("ipmitool", flags="-P"),
    Command("7z 7za 7zr", glued="-p"),
    Command("zip unzip", flags="-P", glued="-P"),
    Command("gpg gpg2", flags="--passphrase"),
    Command("openssl", flags="-k"),
    Command("psexec", flags="-p"),
    Command("PSEXEC PsExec psexec.exe PsExec.exe", flags="-p"),
    Command("vault", after="login", last=1),
    Command("security", flags="-w"),
    Command("keytool jarsigner", flags="-storepass -keypass -srcstorepass -deststorepass"),
    Command("influx", flags="-password --password -p"),
    Command("xfreerdp", glued="/p:"),
    Command("wpa_passphrase", last=1),
    Command("svn", flags="--password"),
    Command("snowsql", flags="-p"),
    Command("nmcli", flags="password"),
)
_BY_NAME = {name.encode(): command for command in COMMANDS for name in command.names.split()}


def _command(text: Text, at: int) -> Spans:
    data = text.data
    end = next((stop for stop in range(at, min(len(data), at + 24)) if data[stop] in b" \t"), at)
    command = _BY_NAME.get(data[at:end])
    if command is None or not _begins_word(data, at):
        return NOTHING
    line = _LINE.match(data, end, min(len(data), end + _LONGEST_LINE))
    stop = end if line is None else line.end()
    text.meter.charge(2 * (stop - at))
    return _passwords(data, _arguments(data, end, stop), command)


def _begins_word(data: bytes, at: int) -> bool:
    before = data[at - 1 : at] if at else b""
    return before in (
        b"",
        b" ",
        b"\t",
        b"\n",
        b"\r",
        b"/",
        b"`",
        b"'",
        b'"',
        b"(",
        b";",
        b"&",
        b"|",
        b"$",
        b"+",
        b"m",
    ) or (data[max(0, at - 2) : at] in (b"\\n", b"\\t", b"\\r"))


def _arguments(data: bytes, at: int, stop: int) -> list[tuple[int, int]]:
    """Where each argument stands, without its quotes, up to the command's end."""
    found: list[tuple[int, int]] = []
    for match in iter(_ARGUMENT.scanner(data, at, stop).match, None):  # type: ignore[attr-defined]
        start, end = match.span(1)
        if data[start:end] in _ENDS:
            break
        while end - start > 1 and data[start] == ord("\\") and data[start + 1] in b"\\\"'":
            start += 1
        if end - start > 1 and data[start] in _QUOTES:
            start, end = start + 1, end - 1
            while end > start and data[end - 1] == ord("\\"):
                end -= 1
        else:
            while end > start and data[end - 1] in b";`)":
                end -= 1
        if found and match.start() == match.start(1) and not data.startswith(b"-", found[-1][0]):
            break
        found.append((start, end))
    return found


def _passwords(data: bytes, arguments: list[tuple[int, int]], command: Command) -> Spans:
    after, flags, pairs = command.after.split(), command.flags.split(), command.pairs.split()
    spans: list[tuple[int, int]] = []
    plain: list[tuple[int, int]] = []
    before, begun = "", not after
    for start, end in arguments:
        value = data[start:end].decode("utf-8", "replace")
        flag, sign, _ = value.partition("=")
        if not begun:
            begun = value in after
        elif before in flags:
            spans += _password(data, start, end)
        elif before in pairs:
            spans += _second(data, start, end, command.signs)
        elif sign and flag in (*flags, *pairs):
            begin = start + len(flag.encode()) + 1
            spans += (
                _password(data, begin, end) if flag in flags else _second(data, begin, end, command.signs)
            )
        elif value.startswith(("-", "/p:")):
            spans += _glued(data, (start, end), command)
        elif before in command.glued.split() and data[start - 1] in _QUOTES and data[start - 2] not in b" \t":
            spans += _password(data, start, end)
        else:
            plain.append((start, end))
        before = value
    if command.last is not None and command.last < len(plain):
        spans += _password(data, *plain[command.last])
    return spans


def _glued(data: bytes, argument: tuple[int, int], command: Command) -> Spans:
    """`-ppassword`, `-uuser:password`; a flag by itself is nothing."""
    start, end = argument
    value = data[start:end]
    for flag in command.glued.encode().split():
        if value.startswith(flag) and len(value) > len(flag) and not value.startswith(b"--"):
            return _password(data, start + len(flag), end)
    for flag in command.pairs.encode().split():
        if value.startswith(flag) and len(flag) == len("-u") < len(value):
            return _second(data, start + len(flag), end, command.signs)
    return NOTHING


def _second(data: bytes, start: int, end: int, signs: bytes) -> Spans:
    sign = next((at for at in range(start, end) if data[at] in signs), None)
    return NOTHING if sign is None else _password(data, sign + 1, end)


def _password(data: bytes, start: int, end: int) -> Spans:
    value = data[start:end]
    plain = value.strip(b"`'\",.;)")
    if (
        len(plain) < _SHORTEST
        or is_placeholder(plain)
        or is_common_word(plain)
        or value[:1] in (b"-", b"$", b"@", b"/", b"<", b"%")
    ):
        return NOTHING
    return ((start, end),) if b"$" not in value[:1] and b"${" not in value and b"$(" not in value else NOTHING


_FLAG = re.compile(rb"[ -]-?([A-Za-z0-9-]{2,40})[ ]{1,4}[\"']?([^\s\"'`,;(){}\[\]<>|\\&\x7f]+)")


def _flag(text: Text, at: int) -> Spans:
    """`--password value` of any command; with `=` it is an assignment."""
    flag = _FLAG.match(text.data, at)
    if flag is None or kind_of(flag.group(1)) in (None, "key", "weak"):
        return NOTHING
    value = text.weigh(flag.group(2).rstrip(b".,:"))
    if flag.group(2)[:1] in (b"-", b"$") or not is_secret(flag.group(1), value, quoted=False):
        return NOTHING
    return ((flag.start(2), flag.start(2) + len(value)),)


_PASS = re.compile(rb"pass:([^\s\"'`]{4,200})")


def _pass(text: Text, at: int) -> Spans:
    """A password given to openssl: `pass:value`."""
    match = _PASS.match(text.data, at)
    if match is None or not text.data[max(0, at - 12) : at].rstrip(b" \"'=").endswith(
        (b"-pass", b"in", b"out", b"-k")
    ):
        return NOTHING
    return _password(text.data, *match.span(1))


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
    return _password(text.data, *match.span(group))


_MASK = re.compile(rb"::add-mask::([^\s\"'`\\%]{4,4000})")
_SLASH = re.compile(rb"/(?:pass(?:word)?|pw|pwd|p|rp):[\"']?([^\s\"'`]{4,200})", re.IGNORECASE)
_CHPASSWD = re.compile(
    rb"echo[ \t]{1,4}(?:-n[ \t]{1,4})?[\"']?(?:[A-Za-z0-9_.-]{1,40}:)?([^\s\"'|:]{4,100})[\"']?[ \t]{0,4}"
    rb"\|[ \t]{0,4}(?:sudo[ \t]{1,4}(?:-S|chpasswd)|chpasswd"
    rb"|[^\r\n|]{0,120}--(?:with-token|password-stdin|passphrase-fd))"
)
_IDENTIFIED = re.compile(
    rb"identified(?:[ \t]{1,4}with[ \t]{1,4}['\"]?[A-Za-z0-9_]{1,40}['\"]?)?[ \t]{1,4}"
    rb"(?:by|as)(?:[ \t]{1,4}password)?[ \t]{1,4}"
    rb"(\\{0,8}['\"])([^'\"\r\n\\]{3,200})\1",
    re.IGNORECASE,
)
_CONFIGURE = re.compile(
    rb"configure[ \t]{1,4}set[ \t]{1,4}(?:[\w.-]{1,60}\.)?aws_(?:secret_access_key|session_token)"
    rb"[ \t]{1,4}[\"']?([^\s\"']{16,2000})"
)


def _one(pattern: re.Pattern[bytes], group: int = 1) -> Find:
    def find(text: Text, at: int) -> Spans:
        match = pattern.match(text.data, at)
        if match is None:
            return NOTHING
        text.meter.charge(match.end() - at)
        return _password(text.data, *match.span(group))

    return find


_LEADS = tuple(name + sign for name in _BY_NAME for sign in (b" ", b"\t"))
_VALUE = rb"[^\x00-\x20\"'`,;(){}\[\]<>|\\&$\x7f][^\x00-\x20\"'`;<>|\\&\[\]\x7f]{3}"

COMMAND_RULES = (
    Rule(
        "command-flag",
        "C",
        "a command's --password, --token and the like",
        (b"--", b" -"),
        rb"-?(?i:[A-Za-z0-9-]{0,24}(?:key|secret|token|password|passwd|passphrase|pass|pwd))[ ]+[\"']?"
        + _VALUE,
        _flag,
    ),
    Rule("command-password", "B", "the manual page of each command", _LEADS, rb"[^\r\n]", _command),
    Rule(
        "command-password-source", "B", "openssl-passphrase-options(1)", (b"pass:",), rb"[^\s\"'`]{4}", _pass
    ),
    Rule(
        "net-use",
        "B",
        "https://learn.microsoft.com/windows-server/administration/windows-commands/net-use",
        (b"net use", b"net user"),
        rb"[ \t]",
        _net_use,
        fold=True,
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
        (b"echo ",),
        rb"[^\r\n|]{4,160}\|[ \t]*(?:sudo|chpasswd|[a-z])",
        _one(_CHPASSWD),
    ),
    Rule(
        "sql-password",
        "B",
        "https://dev.mysql.com/doc/refman/8.4/en/create-user.html",
        (b"identified ",),
        rb"(?i:with|by|as)",
        _one(_IDENTIFIED, 2),
        fold=True,
    ),
    Rule(
        "aws-configure",
        "B",
        "https://docs.aws.amazon.com/cli/latest/reference/configure/set.html",
        (b"configure set ",),
        rb"[^\r\n]{0,60}aws_s",
        _one(_CONFIGURE),
    ),
)
