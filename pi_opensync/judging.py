"""What pydantic-settings makes of settings that are not plainly right, and what it says is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi_opensync.setting import Described


class WrongSettingError(Exception):
    """A setting by its `name`, with the `reason` why it will not do; never its value."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class _Given(BaseSettings):
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what was gathered: who gathered it alone knows where each value came from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def judged(values: Mapping[str, Any], described: Mapping[str, Described]) -> dict[str, Any]:
    """The values as they hold. Raises `WrongSettingError`."""
    fields: dict[str, Any] = {name: (_field(described[name]), ...) for name in values}
    model = create_model("Settings", __base__=_Given, **fields)
    try:
        made = model(**values)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise WrongSettingError(str(problem["loc"][0]), _in_words(problem["msg"])) from None
    return {name: getattr(made, name) for name in values}


def _in_words(said: str) -> str:
    """What pydantic says of a value, without its own terms."""
    plain = said.removeprefix("Value error, ").removesuffix(", unable to interpret input")
    return plain.replace("Input should be", "it must be")


def _field(about: Described) -> Any:
    around = [Field(**about.checks)]
    around += [BeforeValidator(about.before)] if about.before is not None else []
    around += [AfterValidator(about.after)] if about.after is not None else []
    return Annotated[(about.kind, *around)]
