import re
from pathlib import Path

import pytest

from service.settings import Settings, read_settings
from taggers.errors import ConfigError


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_environment_sets_and_what_is_given_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_PORT", "9000")
    monkeypatch.setenv("TAGLINE_MODELS", "en, models/mine ,")
    monkeypatch.setenv("TAGLINE_DEVICE", "")
    settings = read_settings(host="0.0.0.0", port=None, models=())
    assert (settings.host, settings.port, settings.device) == ("0.0.0.0", 9000, "auto")
    assert settings.models == ("en", "models/mine")
    assert read_settings(port=0, models=("a",)).port == 0
    assert read_settings(port=0, models=("a",)).models == ("a",)


def test_wrong_value_names_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_WORKERS", "many")
    with pytest.raises(ConfigError, match=r"setting workers \(TAGLINE_WORKERS\): .*integer.*found 'many'"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "nearest"), [("API_KEY", "API_KEYS"), ("WORKER", "WORKERS"), ("MAX_BODY", "MAX_BODY_BYTES"), ("", "PORT")]
)
def test_a_name_that_is_no_setting_is_refused_with_the_nearest_one(
    name: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TAGLINE_{name}", "secret")
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert str(caught.value) == f"TAGLINE_{name}: no such setting; the nearest one is TAGLINE_{nearest}"


def test_names_that_others_gave_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "TAGLINE_CORPORA",
        "TAGLINE_CHROMIUM",
        "TAGLINE_GPU_SERVICE_HOST",
        "TAGLINE_GPU_SERVICE_PORT_HTTP",
        "TAGLINE_GPU_PORT",
        "TAGLINE_GPU_PORT_8000_TCP_ADDR",
        "TAGLINES",
    ):
        monkeypatch.setenv(name, "other")
    monkeypatch.setenv("tagline_port", "81")
    assert read_settings().port == 81


def test_every_name_in_the_project_is_a_setting_or_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    files = [root / "README.md", root / "docker-compose.yml", root / "Makefile", root / "CHANGELOG.md"]
    for path in [
        *files,
        *(root / "deploy").rglob("*"),
        *(root / "tests").rglob("*.py"),
        *(root / "benchmarks").rglob("*.py"),
    ]:
        for name in re.findall(r"\bTAGLINE_[A-Z_]+\b", path.read_text("utf-8")) if path.is_file() else ():
            monkeypatch.setenv(name, "")
    read_settings()


def test_keys_are_split_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_API_KEYS", "secret-one, secret-two,")
    settings = read_settings()
    assert [key.get_secret_value() for key in settings.api_keys] == ["secret-one", "secret-two"]
    assert "secret" not in repr(settings)
    monkeypatch.setenv("TAGLINE_API_KEYS", ",")
    with pytest.raises(ConfigError, match=r"TAGLINE_API_KEYS\): .*expected keys, found none"):  # the door would be open
        read_settings()
    monkeypatch.setenv("TAGLINE_API_KEYS", "secret one")
    with pytest.raises(ConfigError, match=r"setting api_keys \(TAGLINE_API_KEYS\): .*visible ASCII") as caught:
        read_settings()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("origin", ["https://example.org/", "example.org", "https://*.example.org", "null"])
def test_what_is_no_origin(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_CORS_ORIGINS", f"https://example.org:8443, {origin}")
    with pytest.raises(ConfigError, match=r"setting cors_origins .* found '"):
        read_settings()
