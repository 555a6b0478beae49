"""What secrets are made of: their characters, from a seed; and a text around each."""

import base64
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

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
