"""URLs: unguessable, the same whenever they are asked for, known for every root key."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.intake.routes import PATH, Routes, find_token, make_token, make_url
from support.objects import make_route

OLD, NEW = b"o" * 32, b"n" * 32
BASE = "https://hooks.example.com"


def test_url_is_base_path_and_token():
    """A URL is the public address, /hooks/ and the token of the newest root key."""
    assert make_url(BASE, [NEW, OLD], "uid") == f"{BASE}/hooks/{make_token(NEW, 'uid')}"


def test_token_needs_no_escaping_and_has_192_bits():
    """A token has 32 characters that stand in a URL as they are."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", make_token(NEW, "uid"))


def test_token_is_found_in_a_url():
    """Whatever key and public URL a URL was made of, its token is found; in what is no URL of ours there is none."""
    assert find_token(make_url(f"{BASE}/base", [OLD], "uid")) == make_token(OLD, "uid")
    assert find_token(f"{BASE}/{make_token(OLD, 'uid')}") is None
    assert find_token(make_url(BASE, [OLD], "uid") + "/") is None


def test_token_is_decided_by_key_and_uid():
    """The same object always has the same token; another object or another key makes another one."""
    assert make_token(NEW, "uid") == make_token(NEW, "uid")
    assert len({make_token(NEW, "uid"), make_token(NEW, "uid2"), make_token(OLD, "uid")}) == 3


def test_token_stays_as_it_was():
    """A change of this value would change every URL that senders have."""
    assert make_token(bytes(range(32)), "3b1e9f0a-5d0e-4f58-9f6d-0b9e7a0c1d11") == "Fl3fcbZEapTLEDm_NRCPXCdNQNuGooUz"


@pytest.mark.parametrize("key", [NEW, OLD])
def test_urls_of_every_root_key_are_known(key):
    """While a root key is rotated, URLs made with the old one lead where they did."""
    routes = Routes([NEW, OLD])
    route = make_route()
    routes.put(route)
    assert routes.find(PATH + make_token(key, route.uid)) is route


def test_removed_route_is_unknown_by_every_key():
    """The URL of an object that is gone leads nowhere."""
    routes = Routes([NEW, OLD])
    route = make_route()
    routes.put(route)
    assert len(routes) == 1
    routes.remove(route.uid)
    assert [routes.find(PATH + make_token(key, route.uid)) for key in (NEW, OLD)] == [None, None]
    assert len(routes) == 0
    routes.remove(route.uid)


@pytest.mark.parametrize("base", ["", "/base", "/a/b", "/hooks", "/hooks/hooks"])
def test_path_of_the_public_url_may_be_left_in_or_taken_off(base):
    """A proxy may hand on the path of the public URL or take it off: both lead to the object, and nothing else does."""
    routes, route = Routes([NEW], base=base), make_route()
    routes.put(route)
    token = make_token(NEW, route.uid)
    assert make_url(BASE + base, [NEW], route.uid) == BASE + base + PATH + token
    assert routes.find(base + PATH + token) is routes.find(PATH + token) is route
    for wrong in (base + token, f"/other{PATH}{token}", f"{base}/x{PATH}{token}", f"{base}{PATH}{token}/", base + PATH):
        assert routes.find(wrong) is None


def test_put_replaces():
    """An object has one route, the newest."""
    routes = Routes([NEW])
    routes.put(make_route())
    newest = make_route(suspend=True)
    routes.put(newest)
    assert (len(routes), routes.find(PATH + make_token(NEW, newest.uid))) == (1, newest)


def test_other_paths_are_unknown():
    """Only the exact path of a token leads to a route."""
    routes = Routes([NEW])
    route = make_route()
    routes.put(route)
    token = make_token(NEW, route.uid)
    paths = [
        "",
        "/",
        PATH,
        token,
        f"/{token}",
        f"{PATH}{token}/",
        f"{PATH}{token[:-1]}",
        f"/hook/{token}",
        PATH.upper() + token,
    ]
    assert [path for path in paths if routes.find(path) is not None] == []


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_guess_finds_a_route(path):
    """No path but that of the token finds a route, and none raises."""
    routes = Routes([NEW])
    routes.put(make_route())
    assert routes.find(path) is None
    assert routes.find(PATH + path) is None
