"""The accessibility tree: what a screen reader says of a page, in which order, and its landmarks."""

import pathlib

from playwright.sync_api import Browser, Page

from browser import LANGUAGES, Site, opened, sister_cities

LANDMARKS = ("banner", "navigation", "search", "main", "contentinfo")
# What is neither said nor a landmark.
SILENT = {"generic", "none", "InlineTextBox", "RootWebArea"}
CONTROLS = {"link", "textbox", "searchbox", "combobox", "button", "checkbox"}
# Headlines that are marked as of a language which their letters are not of.
STRANGE = r"""() => [...document.querySelectorAll('a[href*="/articles/"]')].filter(link => /\p{Letter}{3}/u.test(link.textContent))
  .filter(link => (link.closest('[lang]').lang === 'uk') !== /[а-яіїєґ]/i.test(link.textContent))
  .map(link => link.outerHTML.slice(0, 160))"""
TAGS = {"uk": "партнерство", "en": "partnership"}


def check_aloud(browser: Browser, site: Site, folder: pathlib.Path) -> None:
    for language in LANGUAGES:
        with opened(browser, site, language=language) as page:
            for name in ("article", "index"):
                page.goto(site.page(name, language))
                said = read_aloud(page)
                (folder / f"{name}-{language}.txt").write_text(
                    "\n".join(f"{role}: {text}" for role, text in said) + "\n"
                )
                check_landmarks(said, f"{name}, {language}")
                if name == "article":
                    check_article(said, language)
                else:
                    check_index(said, site, language)
    check_voices(browser, site)


def read_aloud(page: Page) -> list[tuple[str, str]]:
    """Role and name of each node of Chromium's accessibility tree, in the order of reading."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    nodes = {node["nodeId"]: node for node in tree}
    said, waiting = [], [tree[0]["nodeId"]]
    while waiting:
        node = nodes.get(waiting.pop())
        if node is None:
            continue
        role = node.get("role", {}).get("value", "none")
        if not node["ignored"] and role not in SILENT:
            said.append((role, str(node.get("name", {}).get("value", ""))))
        waiting += reversed(node.get("childIds", []))
    return said


def check_landmarks(said: list[tuple[str, str]], where: str) -> None:
    roles = [role for role, _ in said]
    missing = [landmark for landmark in LANDMARKS if landmark not in roles]
    assert not missing, f"{where}: no landmark {missing}"
    for landmark in ("banner", "main", "contentinfo"):
        assert roles.count(landmark) == 1, f"{where}: {roles.count(landmark)} landmarks `{landmark}`"
    places = [roles.index(landmark) for landmark in ("banner", "main", "contentinfo")]
    assert places == sorted(places), f"{where}: the landmarks are not in order"
    names = [name for role, name in said if role == "navigation"]
    assert all(names) and len(set(names)) == len(names), f"{where}: parts for navigation are not told apart: {names}"
    assert roles[0] == "link", f"{where}: the first that is said is not the skip link but {said[0]}"


def check_article(said: list[tuple[str, str]], language: str) -> None:
    item = sister_cities()
    body = item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded")
    in_order = {
        "title": ("heading", item.findtext("title")),
        "published": ("StaticText", "2023"),
        "lead": ("StaticText", item.findtext("description")),
        "body": ("StaticText", body.split("<p>")[2].split("</p>")[0]),
        "tags": ("link", TAGS[language]),
        "related": ("heading", {"uk": "Читайте також", "en": ""}[language]),
        "a related article": ("link", "Меморандум про побратимство"),
    }
    at = place_of(said, 0, ("main", ""), "article")
    for field, wanted in in_order.items():
        at = place_of(said, at + 1, wanted, f"article, {language}: {field}")
    print(f"read aloud: the article, {language}: {', '.join(in_order)}, in this order")


def check_index(said: list[tuple[str, str]], site: Site, language: str) -> None:
    region = {"uk": "Харківська область", "en": "Kharkiv Oblast"}[language]
    # With names to choose from, Chromium takes it for a combobox.
    search = next((role for role, _ in said if role in ("searchbox", "combobox")), "searchbox")
    at = place_of(said, 0, (search, ""), f"index, {language}: the search")
    at = place_of(said, at, ("main", ""), f"index, {language}: main")
    at = place_of(said, at, ("heading", ""), f"index, {language}: the heading")
    at = place_of(said, at, ("link", region), f"index, {language}: the region")
    at = place_of(said, at, ("textbox", region), f"index, {language}: the address, named after its feed")
    unnamed = [role for role, name in said if role in CONTROLS and not name]
    assert not unnamed, f"index, {language}: controls without a name: {unnamed}"
    print(f"read aloud: the index, {language}: search, heading, region, address; {len(said)} nodes, each control named")


def check_voices(browser: Browser, site: Site) -> None:
    """A headline in another language than its page says so: a screen reader changes its voice."""
    told, links = [], 0
    for language in LANGUAGES:
        with opened(browser, site, language=language) as page:
            for name in site.paths:
                page.goto(site.page(name, language))
                links += page.locator('a[href*="/articles/"]').count()
                told += [f"{name}, {language}: {link}" for link in page.evaluate(STRANGE)]
    assert not told, f"{len(told)} headlines are marked as of a language that they are not of:\n" + "\n".join(told[:20])
    print(f"read aloud: {links} links to articles, each in the voice of its language")


def place_of(said: list[tuple[str, str]], start: int, wanted: tuple[str, str], what: str) -> int:
    """The first place after `start` where the role is this and the name holds this."""
    for place in range(start, len(said)):
        role, name = said[place]
        if role == wanted[0] and wanted[1] in name:
            return place
    before = any(role == wanted[0] and wanted[1] in name for role, name in said[:start])
    raise AssertionError(f"{what}: {wanted} is read {'too early' if before else 'nowhere'}")
