"""Passwords on a command's line: `curl -u user:password`, `mysql -ppassword`, `sshpass -p password`."""

import re
from dataclasses import dataclass

from pi_opensync.privacy.redact.engine import NOTHING, Rule, Spans, Text
from pi_opensync.privacy.redact.names import kind_of
from pi_opensync.privacy.redact.values import is_common_word, is_secret
from pi_opensync.privacy.redact.words import has_digit, is_placeholder

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
    named: flags behind which `name=password` stands. after: the command's subcommand that must come first.
    last: the password is the argument of this number, counted without options, from 0; `batch`: only where
    an option has a b in it, and it is the last of all. logon: the first argument is `user/password@place`.
    """

    names: str
    flags: str = ""
    glued: str = ""
    pairs: str = ""
    signs: bytes = b":"
    after: str = ""
    last: int | None = None
    named: str = ""
    batch: bool = False
    logon: bool = False


COMMANDS = (
    Command(
        "curl",
        pairs="-u --user --proxy-user -U",
        flags="--pass --proxy-pass --oauth2-bearer",
        named="-b --cookie",
    ),
    Command("wget", flags="--password --http-password --ftp-password --proxy-password"),
    Command("http https xh httpie", pairs="-a --auth"),
    Command("mysqladmin", glued="-p", flags="password"),
    Command("mysql mysqldump mariadb mariadb-dump mysqlimport mysqlsh mycli", glued="-p"),
    Command("mongo mongosh mongodump mongorestore mongoexport mongoimport", flags="-p --password"),
    Command("redis-cli", flags="-a --pass"),
    Command("sshpass", flags="-p", glued="-p"),
    Command(
        "docker podman nerdctl buildah helm oras crane",
        after="login",
        flags="-p --password",
        glued="-p",
    ),
    Command("skopeo", flags="-p --password", pairs="--creds --src-creds --dest-creds"),
    Command("rdesktop crackmapexec nxc netexec evil-winrm hydra conan", flags="-p --password"),
    Command("rpcclient winexe net", pairs="-U --user", signs=b"%"),
    Command("dotnet nuget", after="source push", flags="-p --password -k --api-key"),
    Command("mix", after="hex.user", flags="--key"),
    Command("rclone", after="obscure", last=0),
    Command("bw", after="unlock", last=0),
    Command("cloudflared", after="install", last=0),
    Command("ffmpeg ffplay", flags="-decryption_key"),
    Command("qpdf", flags="--encrypt"),
    Command("az", after="login", flags="-p --password"),
    Command("oc kubectl", flags="-p --password --token --docker-password"),
    Command("htpasswd mosquitto_passwd", last=2, batch=True),
    Command("mosquitto_pub mosquitto_sub mosquitto_rr", flags="-P --pw"),
    Command("rabbitmqctl", after="add_user change_password authenticate_user", last=1),
    Command("ldapsearch ldapmodify ldapadd ldapwhoami ldappasswd", flags="-w", glued="-w"),
    Command("plink pscp psftp plink.exe pscp.exe", flags="-pw"),
    Command("twine cypher-shell", flags="-p --password"),
    Command("unrar rar", glued="-p"),
    Command("mc", after="set", last=3),
    Command("sqlplus sqlcl expdp impdp sqlldr rman", logon=True),
    Command("java", pairs="-auth"),
    Command("cargo", after="login", last=0),
    Command("snyk", after="auth", last=0),
    Command("codecov", flags="-t --token"),
    Command("gh", after="secret", flags="-b --body"),
    Command("aws", flags="--secret-string --master-user-password --master-password"),
    Command("schtasks", flags="/rp /RP"),
    Command("snmpwalk snmpget snmpset snmpbulkwalk", flags="-A -X"),
    Command("smbpasswd", flags="-w"),
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
    Command("vault", after="login unseal", last=0),
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


_PAIR = re.compile("[a-z_]{2,20}=")


def _passwords(data: bytes, arguments: list[tuple[int, int]], command: Command) -> Spans:
    after = command.after.split()
    spans: list[tuple[int, int]] = []
    plain: list[tuple[int, int]] = []
    before, begun = "", not after
    for start, end in arguments:
        value = data[start:end].decode("utf-8", "replace")
        if begun:
            found = _behind(data, (start, end), before, command)
            spans += found or ()
            plain += [(start, end)] if found is None and not _PAIR.match(value) else ()
        begun = begun or value in after
        before = value.rstrip("=") if value.startswith("-") else value
    if command.batch:
        given = any(data[start:end].startswith(b"-") and b"b" in data[start:end] for start, end in arguments)
        spans += password(data, *plain[-1]) if given and len(plain) > 1 else ()
    elif command.last is not None and command.last < len(plain):
        spans += password(data, *plain[command.last])
    elif command.logon:
        spans += [span for each in plain for span in _logon(data, *each)]
    return sorted(spans)


def _behind(data: bytes, argument: tuple[int, int], before: str, command: Command) -> Spans | None:
    """The password in an option, or in what stands behind one; None for an argument of its own."""
    flags, pairs = command.flags.split(), command.pairs.split()
    start, end = argument
    value = data[start:end].decode("utf-8", "replace")
    flag, sign, _ = value.partition("=")
    if before in flags:
        return password(data, start, end)
    if before in pairs or before in command.named.split():
        return _second(data, start, end, command.signs if before in pairs else b"=")
    if sign and flag in (*flags, *pairs):
        begin = start + len(flag.encode()) + 1
        return password(data, begin, end) if flag in flags else _second(data, begin, end, command.signs)
    if value.startswith(("-", "/p:")):
        return _glued(data, argument, command)
    if before in command.glued.split() and data[start - 1] in _QUOTES and data[start - 2] not in b" \t":
        return password(data, start, end)
    return None


_LOGON = re.compile(rb"[A-Za-z0-9_$#]{1,40}/([^\s/@\"']{4,100})(?:@\S{1,200})?\Z")


def _logon(data: bytes, start: int, end: int) -> Spans:
    match = _LOGON.match(data, start, end)
    value = b"" if match is None else match.group(1)
    return password(data, *match.span(1)) if match is not None and has_digit(value) else NOTHING


def _glued(data: bytes, argument: tuple[int, int], command: Command) -> Spans:
    """`-ppassword`, `-uuser:password`; a flag by itself is nothing."""
    start, end = argument
    value = data[start:end]
    for flag in command.glued.encode().split():
        if value.startswith(flag) and len(value) > len(flag) and not value.startswith(b"--"):
            return password(data, start + len(flag), end)
    for flag in command.pairs.encode().split():
        if value.startswith(flag) and len(flag) == len("-u") < len(value):
            return _second(data, start + len(flag), end, command.signs)
    return NOTHING


def _second(data: bytes, start: int, end: int, signs: bytes) -> Spans:
    sign = next((at for at in range(start, end) if data[at] in signs), None)
    return NOTHING if sign is None else password(data, sign + 1, end)


def password(data: bytes, start: int, end: int) -> Spans:
    value = data[start:end]
    plain = value.strip(b"`'\",.;)")
    if (
        len(plain) < _SHORTEST
        or is_placeholder(plain)
        or is_common_word(plain)
        or value[:1] in (b"-", b"$", b"@", b"/", b"<", b"%")
        or value.startswith(b"file:")
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
    Rule(
        "command-password", "B", "the manual page of each command", _LEADS, rb"[^\r\n]", _command, token=True
    ),
)
