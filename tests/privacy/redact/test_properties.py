import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pi_opensync.privacy.redact import Redactor
from tests.privacy.redact.corpus import samples
from tests.privacy.redact.samples import Sample

SAMPLES = samples()
WHOLE = tuple(sample for sample in SAMPLES if sample.text == sample.secret and "\n" not in sample.secret)
REDACTOR = Redactor()
PERSONAL = Redactor(
    own_key="osk" + "_0123456789abcdef", patterns=["[a-z]+", r"\d+x"], emails=True, home="/home/ann"
)

FRAGMENTS = st.sampled_from(
    [s.text for s in SAMPLES]
    + [
        "[REDACTED:",
        "[REDACTED:jwt]",
        "]",
        "password=",
        '"token": "',
        "\\n",
        "\\",
        "://",
        "@",
        ":",
        "Bearer ",
        "\n",
    ]
    + [
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "eyJ",
        ".",
        "sk-",
        "é",
        "\ud83d",
        "\x1b[0m",
    ]
)
MIXED = st.lists(st.one_of(FRAGMENTS, st.text(max_size=12)), max_size=12).map("".join)


@given(MIXED)
def test_redacting_twice_changes_nothing(text: str) -> None:
    for redactor in (REDACTOR, PERSONAL):
        once = redactor.text(text)
        assert redactor.text(once) is once


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("=:\"'\\-_ \n"), max_size=200))
def test_text_without_secrets_is_the_same_object(text: str) -> None:
    output, findings = REDACTOR.scan(text)
    assert (output is text) == (findings == ())


@given(
    st.text(max_size=80),
    st.text(max_size=80),
    st.sampled_from(WHOLE),
    st.sampled_from([" ", "\n", '"', "'", "`", "(", ",", "\t", "→", "\\n", "\x1b[1m"]),
    st.sampled_from([" ", "\n", '"', "'", "`", ")", ",", "\t", "→", "\\n", "\x1b[0m"]),
)
@example("password=", "", WHOLE[0], "'", "'")
def test_a_secret_at_a_token_boundary_never_survives(
    before: str, after: str, sample: Sample, left: str, right: str
) -> None:
    output = REDACTOR.text(f"{before}{left}{sample.secret}{right}{after}")
    assert not sample.leaks_in(output)


@given(MIXED)
def test_what_is_left_is_what_was_there(text: str) -> None:
    output = REDACTOR.text(text)
    at = 0
    for piece in output.split("[REDACTED:"):
        rest = piece.split("]", 1)[-1] if at or piece is not output.split("[REDACTED:")[0] else piece
        found = text.find(rest, at)
        assert found >= 0
        at = found


@pytest.mark.parametrize(
    "text", ["\ud83d" + SAMPLES[0].text, SAMPLES[0].text + "\udc00", "\x00" + SAMPLES[0].text]
)
def test_odd_characters_stay_as_they_are(text: str) -> None:
    assert REDACTOR.text(text) == text.replace(SAMPLES[0].secret, "[REDACTED:aws-access-key]")
