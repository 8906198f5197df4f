"""What every table of the settings has in common."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr


class Section(BaseModel):
    """A table of the settings file: unknown keys are mistakes, and values never appear in error messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


def read_secret(secret: SecretStr | None, secret_file: Path | None, key: str) -> SecretStr | None:
    """The secret itself or the first line of the file that holds it; both at once is a mistake."""
    if secret_file is None:
        return secret
    if secret is not None:
        raise ValueError(f"give either {key} or {key}_file, not both")
    try:
        first_line = secret_file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{key}_file {str(secret_file)!r} cannot be read: {type(error).__name__}") from None
    if not first_line:
        raise ValueError(f"{key}_file {str(secret_file)!r} is empty")
    return SecretStr(first_line)
