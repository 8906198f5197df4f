"""Settings: where they come from, and what an operator reads when they are wrong."""

from pathlib import Path

import pytest

from acd.breaks import BreakReason
from nobat.settings import Settings
from nobat.settings_file import SettingsError, load_settings, render

GOOD = """\
[database]
url = "postgresql://nobat:geheim@db.example/nobat"

[http]
port = 8081

[[pbx]]
name = "pbx1"
secret = "very secret"

[[pbx]]
name = "pbx2"
host = "10.0.0.2"
secret_file = "{secret_file}"
tls = true

[[break_reason]]
code = "1"
name = "lunch"
"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOBAT_CONFIG", "NOBAT_DATABASE__URL", "NOBAT_HTTP__PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("from the file\nsecond line\n")
    file = tmp_path / "nobat.toml"
    file.write_text(GOOD.format(secret_file=tmp_path / "secret"))
    return file


def refused(path: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    return str(caught.value)


def test_everything_has_a_default() -> None:
    settings = load_settings()
    assert (settings.database.url, settings.http.port, settings.pbx) == ("sqlite:///nobat.db", 8080, ())


def test_a_file_is_read_and_secrets_come_from_files(good: Path) -> None:
    settings = load_settings(good)
    assert settings.http.port == 8081
    first, second = settings.pbx
    assert first.secret is not None
    assert second.secret is not None
    assert (first.secret.get_secret_value(), second.secret.get_secret_value()) == ("very secret", "from the file")
    assert settings.reasons() == (BreakReason("1", "lunch", None),)


def test_the_file_may_be_named_by_the_environment_which_wins_over_it(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOBAT_CONFIG", str(good))
    monkeypatch.setenv("NOBAT_DATABASE__URL", "sqlite:///other.db")
    settings = load_settings()
    assert (settings.database.url, settings.http.port) == ("sqlite:///other.db", 8081)


@pytest.mark.parametrize(
    ("line", "wrong", "number", "message"),
    [
        ("port = 8081", "port = 808100", 5, "http.port: input should be less than or equal to 65535"),
        ("port = 8081", 'prot = "8081"', 5, "http.prot: unknown key"),
        ('name = "pbx1"', 'name = "pbx 1"', 8, "pbx.0.name: string should match pattern"),
        ('host = "10.0.0.2"', 'host = "10.0.0.2\\n"', 13, "pbx.1.host: must be one word"),
        ('name = "pbx2"', 'name = "pbx1"', 7, "pbx: two servers have the same name"),
        ('secret = "very secret"', "", 7, "pbx.0: needs secret or secret_file"),
        ("postgresql://", "mysql://", 2, "database.url: must begin with sqlite:/// or postgresql://"),
        ('code = "1"', 'code = "x"', 18, "break_reason.0.code"),
        ('code = "1"', 'code = "lunch"', 18, "break_reason.0.code"),
        ('code = "1"', 'code = "1"\nplanned_s = 0', 19, "break_reason.0.planned_s"),
        ("[http]", "[web]", 4, "web: unknown key"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_reason(
    good: Path, line: str, wrong: str, number: int, message: str
) -> None:
    good.write_text(good.read_text().replace(line, wrong))
    told = refused(good)
    assert told.startswith(f"{good}, line {number}: {message}"), told
    assert "geheim" not in told
    assert "very secret" not in told


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "::1", "localhost"])
def test_plain_ami_is_for_this_machine(good: Path, host: str) -> None:
    good.write_text(good.read_text().replace('host = "10.0.0.2"', f'host = "{host}"').replace("tls = true", ""))
    assert load_settings(good).pbx[1].host == host


@pytest.mark.parametrize("host", ["10.0.0.2", "192.0.2.1", "0.0.0.0", "pbx.example", "localhost.example", "::"])
def test_plain_ami_to_another_machine_is_refused(good: Path, host: str) -> None:
    """Unless the settings say what protects it."""
    plain = good.read_text().replace('host = "10.0.0.2"', f'host = "{host}"').replace("tls = true", "")
    good.write_text(plain)
    said = refused(good)
    assert "is another machine" in said
    assert "tls = true, or tunnelled = true" in said
    good.write_text(plain.replace(f'host = "{host}"', f'host = "{host}"\ntunnelled = true'))
    assert load_settings(good).pbx[1].tunnelled
    good.write_text(plain.replace(f'host = "{host}"', f'host = "{host}"\ntls = true\nca = "/etc/ssl/ami.pem"'))
    assert load_settings(good).pbx[1].ca == Path("/etc/ssl/ami.pem")
    good.write_text(plain.replace(f'host = "{host}"', 'host = "127.0.0.1"\nca = "/etc/ssl/ami.pem"'))
    assert "ca is for tls = true" in refused(good)


def test_toml_that_is_none_is_told_with_its_line(good: Path) -> None:
    good.write_text('[http]\nport = "8080\n')
    assert "line 2" in refused(good)


def test_every_mistake_is_told_at_once(good: Path) -> None:
    good.write_text(good.read_text().replace("8081", "0").replace('name = "pbx1"', "name = 1"))
    assert len(refused(good).splitlines()) == 2


def test_a_secret_file_that_is_not_there_is_named(good: Path) -> None:
    (good.parent / "secret").unlink()
    assert "pbx.1: secret_file" in refused(good)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("NOBAT_HTTP__PORT", "many", "environment (NOBAT_HTTP__PORT): http.port: input should be a valid integer"),
        ("NOBAT_HTTP__PROT", "1", "environment (NOBAT_HTTP__PROT): http.prot: unknown key"),
        ("NOBAT_DATABSE__URL", "x", "environment: NOBAT_DATABSE__URL: unknown key"),
        ("NOBAT_PBX", "[{", "environment: "),
        ("NOBAT_CONFIG", "/does/not/exist.toml", "/does/not/exist.toml: No such file"),
        ("NOBAT_METRICS__HOST", "127.0.0.1", "environment (NOBAT_METRICS): metrics: host and port go together"),
    ],
)
def test_a_wrong_environment_is_told_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    assert refused().startswith(message)


def test_show_hides_every_secret_and_is_toml_again(good: Path, tmp_path: Path) -> None:
    shown = render(load_settings(good))
    for secret in ("geheim", "very secret", "from the file"):
        assert secret not in shown
        assert secret not in repr(load_settings(good))
    assert 'url = "postgresql://nobat:***@db.example/nobat"' in shown
    copy = tmp_path / "copy.toml"
    copy.write_text(shown)
    assert render(load_settings(copy)) == shown


def test_every_field_has_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        section = field.annotation
        fields = getattr(section, "model_fields", {})
        for key, one in fields.items():
            assert one.description, f"{name}.{key}"


class TestFailpoints:
    """What only a test can mean."""

    def test_one_that_is_not_allowed_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NOBAT_TESTING__FAILPOINT", "outbox.written:3")
        with pytest.raises(SettingsError, match="failpoints is not"):
            load_settings(None)

    def test_one_that_is_nowhere_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NOBAT_TESTING__FAILPOINTS", "true")
        monkeypatch.setenv("NOBAT_TESTING__FAILPOINT", "outbox.nowhere")
        with pytest.raises(SettingsError, match="is none of"):
            load_settings(None)

    def test_one_that_is_allowed_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NOBAT_TESTING__FAILPOINTS", "true")
        monkeypatch.setenv("NOBAT_TESTING__FAILPOINT", "outbox.written:3")
        assert load_settings(None).testing.failpoint == "outbox.written:3"


def test_the_databases_address_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://nobat:secret@db/nobat\n")
    config = tmp_path / "nobat.toml"
    config.write_text(f'[database]\nurl_file = "{tmp_path / "url"}"\n')
    settings = load_settings(config)
    assert settings.database.shown_url == "postgresql://nobat:***@db/nobat"
    assert "secret" not in render(settings)
    config.write_text(f'[database]\nurl_file = "{tmp_path / "url"}"\nurl = "sqlite:///nobat.db"\n')
    with pytest.raises(SettingsError, match="either url or url_file"):
        load_settings(config)
    config.write_text(f'[database]\nurl_file = "{tmp_path / "none"}"\n')
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(config)
