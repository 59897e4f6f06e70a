"""Secrets: unlike each other, known by their form, and kept as nothing but a hash."""

from datetime import UTC, datetime, timedelta

from goodfunds import ids
from goodfunds.access.tokens import Token, digest, is_secret, merged, new_secret

NOW = datetime(2026, 3, 3, tzinfo=UTC)


def token(number: int, *scopes: str, revoked_at: datetime | None = None) -> Token:
    identifier = ids.derived_id(number, b"token")
    return Token(identifier, "shop", scopes, "", NOW + timedelta(number), NOW + timedelta(365), revoked_at)


def test_every_secret_is_another_and_has_the_form_of_one() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(is_secret(each) for each in made)


def test_what_has_not_the_form_of_a_secret_is_none() -> None:
    good = new_secret()
    short = good[:-1]
    for wrong in ("", "gf_", short, good + "A", good.removeprefix("gf_"), f"{short}é", f"{short}\n"):
        assert not is_secret(wrong)


def test_the_hash_does_not_hold_the_secret() -> None:
    secret = new_secret()
    assert len(digest(secret)) == 32
    assert secret.encode()[3:] not in digest(secret)
    assert digest(secret) == digest(secret) != digest(new_secret())


def test_a_token_of_several_services_is_one_with_all_its_scopes_the_oldest_first() -> None:
    both = merged([token(2, "b:read"), token(1, "a:read"), token(2, "a:read")])
    assert [each.scopes for each in both] == [("a:read",), ("a:read", "b:read")]


def test_a_token_is_revoked_once_all_its_services_say_so() -> None:
    for first, second, revoked in ((NOW, NOW, NOW), (NOW, None, None), (None, NOW, None)):
        (one,) = merged([token(1, "a:read", revoked_at=first), token(1, "b:read", revoked_at=second)])
        assert one.revoked_at == revoked
