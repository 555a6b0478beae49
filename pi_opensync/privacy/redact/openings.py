"""What an assignment is made of, and how it opens: the first look at what stands behind a name."""

from pi_opensync.privacy.redact.literals import QUOTE, SPACE
from pi_opensync.privacy.redact.names import KEYWORDS, SUFFIX

CLOSE = rb"(?:" + QUOTE + rb")?(?:\]|%5[Dd]|\[[0-9]{0,6}\])?[?!]?"
SIGN = (
    rb"(?::{1,3}=|<{1,2}-|[?+.|!]{0,2}={1,3}>?|->|:|%3[AaDd]|%253[AaDd]|\xef\xbc[\x9a\x9d]"
    rb"|\{[ a-z;]{4,40}\}[ \t]{0,4}=)"
)
TYPE = rb":[ \t]{0,4}[&A-Za-z\[][A-Za-z0-9_.\[\]| ?&<>,']{0,20}[ \t]{0,4}=[ \t]{0,4}"
BLOCK = rb"(?:[|>][+-]?[ \t]{0,4})?(?:\r?\n|\\{1,255}n)[ \t]{1,40}"

MARKS = rb"(?:[&!]{1,2}[A-Za-z0-9_:,.]{1,40}[ \t]{1,4})?"  # an anchor or a tag of YAML
BOLD = rb"(?:[*_`]{1,3})?"
_Q = rb"(?:" + QUOTE + rb")"
_FIRST = rb"[^\x00-\x20\"'`,;(){}\[\]<>|\\&$\x7f][^\x00-\x20\"'`<>|\\\[\]\x7f]{4}"
_INNER = rb"(?:[^\"'`\r\n]|\\[\"'`])"
_VALUE = rb"(?:[bBrRuUfLN@]{0,2}" + _Q + rb"{1,3}[ ]?[^\s\"'`]" + _INNER + rb"{3}|" + _FIRST + rb")"
_WRAPPED = (
    rb"(?:[A-Za-z_$\[&*][A-Za-z0-9_.:<>$\[\]\"'()]{0,20}(?:\(|[ \t](?:\|\||\?\?|\?:|or)[ \t])"
    rb"[bBrRuULN@]{0,2}[\"'`]"
    rb"[^\s\"'`]{6}|\$\{[A-Za-z_][A-Za-z0-9_]{0,20}:?[-=])"
)
_ASSIGNED = (
    BOLD
    + CLOSE
    + SPACE
    + rb"(?:"
    + TYPE
    + rb"|"
    + SIGN
    + BOLD
    + SPACE
    + rb")(?:"
    + BLOCK
    + rb"|"
    + MARKS
    + rb")\*{0,2}"
)
_SAYING = (
    rb"for|of|f\xc3\xbcr|pour|para|de|del|von|to|is|was|set|changed|reset|updated|will"
    rb"|ist|lautet|war|est|es|era"
)
_FORMS = (
    _ASSIGNED + rb"(?:" + _VALUE + rb"|" + _WRAPPED + rb")",
    _Q
    + rb"[ \t]{0,4}(?:,|\)[ \t]{0,4}\{)[ \t]{0,4}(?:[a-zA-Z]{5,12}[ \t]{0,2}[=:][ \t]{0,2})?"
    + _Q
    + rb"{1,2}[^\s\"'`]{6}",
    rb"[({,][ \t]{0,2}[bBrRuULN@]{0,2}\\*[\"'`][^\s\"'`]{6}",
    _Q
    + rb"?[ \t]{0,4}(?:/>)?,?(?:\r?\n|\\+n)?[ \t]{0,40}<?"
    + _Q
    + rb"?(?:parameter)?(?:value|content)"
    + _Q
    + rb"?[ \t]{0,4}[=:]",
    rb"(?:[ \t]{1,4}[A-Za-z][A-Za-z0-9_:.-]{0,20}=[^<>\r\n]{0,40})?(?:>|&gt;)\s{0,64}(?:<!\[CDATA\[)?[^\s<]",
    rb"</(?:key|name)>",
    rb"[`*]{0,2}(?:[ \t]{2,60}|[ \t]*\t[ \t]*|[ \t]{0,40}\|[ \t]{1,8})`?" + _FIRST,
    rb"[ \t]{1,2}(?:" + _SAYING + rb")[ \t:]",
    rb"[ \t]{1,4}(?:-[ \t]{1,4})?@?" + _Q + rb"[^\s\"'`]{6}",
    rb"[ \t]{1,8}[A-Za-z0-9_.*&\[\]]{2,20}[ \t]{1,8}=[ \t]{1,8}[\"'`][^\s\"'`]{6}",
    CLOSE + rb"=>\s{1,20}string\(",
    CLOSE + rb"[ \t]{0,8}(?:[:=][ \t]{0,8})?\{\s{0,20}\\*[\"']?[a-z_]{4,12}\\*[\"']?[ \t]*[:=][ \t]",
    rb"[\"'][ a-z]{0,12}>(?:<value>)?[^\s<]{6}",
    rb"\\*\"(?:\r?\n|\\+r\\+n)(?:\r?\n|\\+r\\+n)[^\s\"]{6}",
    rb"[ ][\"']?[A-Za-z]{0,10}[0-9]",
)


OPENING = rb"(?i:(?:" + KEYWORDS + rb")" + SUFFIX + rb"(?:" + rb"|".join(_FORMS) + rb"))"
"""A name and enough of what follows to look closer, for RE2."""
