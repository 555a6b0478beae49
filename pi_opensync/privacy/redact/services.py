"""Passwords in lines of services and their tools: mail, VPN, chat, proxies, machines' first start."""

import re

from pi_opensync.privacy.redact.command_lines import password
from pi_opensync.privacy.redact.engine import NOTHING, Rule, Spans, Text
from pi_opensync.privacy.redact.literals import begins_line
from pi_opensync.privacy.redact.words import has_digit, is_letters, is_named, is_random

_END = rb"(?:\r?\n|(?:\\{1,255}r)?\\{1,255}n)"
_STOPS = rb"(?=\s|\Z|\\|[\"'`\x1b<])"
_Q = rb"\\{0,255}[\"'`]?"

_CONFIGURED = re.compile(
    rb"(?:requirepass|masterauth|rocommunity|rwcommunity|rootpw|insecure-password|(?:secret"
    rb"|password)[ \t][0579]"
    rb"|isakmp[ \t]key|AUTH(?:[ \t]{1,2}[A-Za-z][A-Za-z0-9_.-]{0,40})?)[ \t]{1,8}"
    rb"(?:--plaintext[ \t]{1,4})?[\"']?"
    rb"([^\s\"'`,;(){}<>|\\&]{6,200})"
)
_OTHERS = re.compile(
    rb"snmp-server[ \t]community[ \t]([^\s\"'`\\]{6,100})"
    rb"|stats[ \t]{1,4}auth[ \t]{1,4}[^\s:]{1,60}:([^\s\"'`\\]{6,100})"
    rb"|SQLConnectInfo[ \t]{1,4}[^\s]{1,80}[ \t]{1,4}[^\s]{1,60}[ \t]{1,4}([^\s\"'`\\]{6,100})"
    rb"|\{(?:PLAIN|CLEAR|CLEARTEXT|plain)\}([^\s:\"'`\\{}]{6,100})"
    rb"|: (?:EAP|XAUTH|PSK) " + _Q + rb"([^\s\"'\\]{6,200})"
    rb"|on >([^\s\"'`\\]{6,200})(?=[ \t]{1,4}[~+%&a])"
    rb"|(?:pptpd|l2tpd)[ \t]{1,8}" + _Q + rb"([^\s\"'\\]{6,100})"
    rb"|[ \t]\*[ \t]{1,8}"
    + _Q
    + rb"([^\s\"'\\*]{6,100})"
    + _Q
    + rb"[ \t]{1,8}\*[ \t]{0,4}(?=\r?\n|\Z|\\|[\"'`\x1b])"
    rb"|(?:NickServ|NICKSERV|[nN]ickserv)[ \t]{1,4}:?[Ii](?:dentify|DENTIFY)[ \t]{1,4}"
    rb"(?:[^\s\"'\\]{1,40}[ \t]{1,4})?([^\s\"'`\\]{6,100})"
    rb"|(?:smtp[A-Za-z0-9.-]{3,60}\]?(?::[0-9]{2,5})?|\]?:(?:587|465|25|submission))[ \t]{1,8}"
    rb"[^\s:/\"'`]{1,80}:"
    rb"([^\s\"'`\\/]{6,100})" + _STOPS
)
_USER_LINE = re.compile(
    rb"(?:\n|\\n)user[ \t]{1,4}[A-Za-z0-9_.@-]{1,60}[ \t]{1,4}([^\s\"'`\\]{6,100})" + _STOPS
)
_FTP = re.compile(rb"ftp[ \t]")
_LOOK_BACK = 300


def _configured(text: Text, at: int) -> Spans:
    """A line of Redis, SNMP, HAProxy, Cisco and their like whose first word is no other's."""
    match = _CONFIGURED.match(text.data, at)
    other = _OTHERS.match(text.data, at) if match is None else None
    if match is None and other is None and _FTP.search(text.data, max(0, at - _LOOK_BACK), at) is not None:
        other = _USER_LINE.match(text.data, at)
    if other is not None:
        text.meter.charge(other.end() - at)
        group = other.lastindex or 0
        sure = is_random(text.weigh(other.group(group)))
        return password(text.data, *other.span(group)) if sure else NOTHING
    value = b"" if match is None else text.weigh(match.group(1))
    if match is None or not has_digit(value) or is_named(value) or value.startswith(b"$"):
        return NOTHING
    if match.group().startswith(b"AUTH") and not (
        begins_line(text.data, at) or text.data.endswith(b"> ", 0, at)
    ):
        return NOTHING
    return password(text.data, *match.span(1))


_LIST = re.compile(
    rb"chpasswd:(?:"
    + _END
    + rb"[ \t]{1,20}expire:[^\n\\]{1,20})?"
    + _END
    + rb"[ \t]{1,20}list:[ \t]{0,4}\|?[+-]?"
)
_LISTED = re.compile(
    _END + rb"[ \t]{1,20}(?:-[ \t])?" + _Q + rb"[A-Za-z0-9_.-]{1,40}:([^\s\"'\\]{1,200})" + _Q
)


def _first_start(text: Text, at: int) -> Spans:
    """The lines `user:password` below cloud-init's `chpasswd: list:`."""
    opening = _LIST.match(text.data, at)
    if opening is None:
        return NOTHING
    spans: list[tuple[int, int]] = []
    end = opening.end()
    while (line := _LISTED.match(text.data, end)) is not None:
        if line.group(1) not in (b"R", b"RANDOM"):
            spans += password(text.data, *line.span(1))
        text.meter.charge(line.end() - end)
        end = line.end()
    return spans


_SEND = re.compile(
    rb"send(?:line)?(?:[ \t]{1,4}--)?[ \t(]{1,4}(\\{0,255}[\"'{])([^\s\"'\\$\[\]{}]{4,100})"
    rb"(\\{1,255}[rn])?(?:\1|\})"
)
_ASKED = re.compile(rb"ass(?:word|phrase|wd)", re.IGNORECASE)


def _sent(text: Text, at: int) -> Spans:
    r"""`send "value\r"` of expect, where a password was asked for or where the value can be nothing else."""
    match = _SEND.match(text.data, at)
    if match is None or not text.starts_token(at):
        return NOTHING
    asked = _ASKED.search(text.data, max(0, at - _LOOK_BACK), at) is not None
    value = text.weigh(match.group(2))
    if is_letters(value) or not (asked or (match.group(3) and is_random(value))):
        return NOTHING
    return password(text.data, *match.span(2))


_CONFIG = re.compile(
    rb"(?:poetry|composer)[ \t]{1,4}(?:global[ \t]{1,4})?config[ \t]{1,4}(?:-[^\s]{1,20}[ \t]{1,4}){0,4}"
    rb"(?:http-basic|pypi-token|(?:github|gitlab|bitbucket)-oauth|gitlab-token|bearer)\.[^\s]{1,100}"
    rb"[ \t]{1,4}"
    rb"(?:[^\s\"'\\-][^\s\"'\\]{0,60}[ \t]{1,4})?[\"']?([^\s\"'`\\]{6,2000})"
    rb"|bundle[ \t]{1,4}config[ \t]{1,4}(?:set[ \t]{1,4})?(?:--[a-z]{1,20}[ \t]{1,4}){0,3}"
    rb"[^\s]{3,100}[ \t]{1,4}"
    rb"[\"']?[^\s:\"']{1,60}:([^\s\"'`\\]{6,2000})"
    rb"|(?:psexec|wmiexec|smbexec|secretsdump|atexec|dcomexec|mssqlclient)\.py[ \t][^\r\n:@]{0,80}"
    rb":([^\s@\"'`\\]{6,200})@"
    rb"|openssl[ \t]{1,4}passwd(?:[ \t]{1,4}-(?:[0-9]|apr1|salt[ \t]{1,4}[^\s]{1,20})){0,4}[ \t]{1,4}[\"']?"
    rb"([^\s\"'`\\-][^\s\"'`\\)]{5,100})"
    rb"|mkpasswd(?:[ \t]{1,4}-[^\s]{1,20}(?:[ \t=]{1,4}(?:sha-?[0-9]{1,3}|md5|bcrypt|yescrypt))?){0,4}"
    rb"[ \t]{1,4}[\"']?"
    rb"([^\s\"'`\\-][^\s\"'`\\)]{5,100})"
    rb"|(?:github|gitlab|bitbucket)-oauth\\{0,255}\"[ \t]{0,4}:\s{0,40}\{\s{0,40}"
    rb"\\{0,255}\"[^\"\\]{1,80}\\{0,255}\"[ \t]{0,4}:"
    rb"[ \t]{0,4}\\{0,255}\"([^\"\\\s]{16,400})"
)


def _config(text: Text, at: int) -> Spans:
    match = _CONFIG.match(text.data, at)
    if match is None:
        return NOTHING
    text.meter.charge(match.end() - at)
    span = match.span(match.lastindex or 0)
    return password(text.data, *span) if not is_named(text.data[span[0] : span[1]]) else NOTHING


SERVICES = (
    Rule(
        "configured-password",
        "B",
        "the manual of each program",
        (
            *(b"requirepass ", b"masterauth ", b"rocommunity ", b"rwcommunity ", b"rootpw "),
            *(b"insecure-password ", b"secret 0 ", b"secret 5 ", b"secret 7 ", b"password 0 "),
            *(b"password 7 ", b"isakmp key ", b"AUTH ", b"snmp-server community ", b"stats auth "),
            *(b"SQLConnectInfo ", b"{PLAIN}", b"{CLEAR}", b"{CLEARTEXT}", b"{plain}", b": EAP ", b": XAUTH "),
            *(b": PSK ", b"on >", b"pptpd ", b"l2tpd "),
        ),
        rb"[^\s]",
        _configured,
    ),
    Rule(
        "mail-password",
        "B",
        "https://www.postfix.org/SASL_README.html",
        (b"smtp", b":587 ", b":465 ", b":25 ", b":submission ", b":587\t", b":465\t", b":25\t"),
        rb"[^\s:]*(?::[0-9]{2,5})?[ \t]*[^\s:]+:[^\s]{6}",
        _configured,
        token=True,
    ),
    Rule(
        "login-line",
        "B",
        "pppd(8), chap-secrets; ftp(1)",
        (b" * ", b"\t*\t", b" *\t", b"\nuser ", b"\\nuser "),
        opening=rb"(?:\n|\\n)user [A-Za-z0-9_.@-]+[ \t]+[^\s]*[0-9]"
        rb"|[ \t]\*[ \t]\\*[\"']?[^\s\"'*\\]*[0-9][^\s\"'*\\]*\\*[\"']?"
        rb"[ \t]+\*[ \t]*(?:\r?\n|\z|\\|[\"'`\x1b])",
        find=_configured,
    ),
    Rule(
        "chat-password",
        "B",
        "https://wiki.libera.chat/wiki/NickServ",
        (b"NickServ ", b"NICKSERV ", b"nickserv ", b"Nickserv "),
        rb":?(?i:identify) [^\s]{4}",
        _configured,
        token=True,
    ),
    Rule(
        "first-password",
        "B",
        "https://cloudinit.readthedocs.io/en/latest/reference/modules.html#set-passwords",
        (b"chpasswd:",),
        rb"(?:\r?\n|\\)",
        _first_start,
        token=True,
    ),
    Rule(
        "sent-password",
        "B",
        "expect(1), send",
        (b"send ", b"send(", b"sendline("),
        rb"(?:--[ \t]+)?\\*[\"'{][^\s\"'\\$\[\]{}]{4}",
        _sent,
        token=True,
    ),
    Rule(
        "config-command",
        "B",
        "the manual of each program",
        (
            b"poetry ",
            b"composer ",
            b"bundle config ",
            b"openssl passwd ",
            b"psexec.py ",
            b"wmiexec.py ",
            b"smbexec.py ",
            b"secretsdump.py ",
            b"atexec.py ",
            b"dcomexec.py ",
            b"mssqlclient.py ",
            b"mkpasswd ",
            b"github-oauth",
            b"gitlab-oauth",
        ),
        rb"[^\r\n]",
        _config,
        token=True,
    ),
)
