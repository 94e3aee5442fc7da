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


def test_keys_are_split_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_API_KEYS", "secret-one, secret-two,")
    settings = read_settings()
    assert [key.get_secret_value() for key in settings.api_keys] == ["secret-one", "secret-two"]
    assert "secret" not in repr(settings)
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
