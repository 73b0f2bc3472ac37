"""A person without a mouse finds a region, and copies the address of its feed."""

from playwright.sync_api import Browser, Page

from browser import PUBLICATION, Site, opened
from daemon import get

TYPED = "Харківська область"
PRESSES_MAX = 60
FOCUSED = """() => {
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    what: element.outerHTML.slice(0, 120),
    search: element.matches('input[name=q]'),
    address: element.matches('input.address'),
    main: element.matches('main'),
    link: element.getAttribute('href'),
    selected: element.value === undefined ? '' : element.value.slice(element.selectionStart, element.selectionEnd),
    outlined: element.matches(':focus-visible') && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


class Keys:
    """The keys that were pressed, and whether each place they led to could be seen."""

    def __init__(self, page: Page):
        self.page, self.pressed = page, []

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.pressed.append(key)
        assert len(self.pressed) <= PRESSES_MAX, f"still nothing after {PRESSES_MAX} keys, at {self.focused()['what']}"

    def tab_to(self, what: str) -> dict:
        """Tab, until the focus is on what is looked for."""
        while True:
            self.press("Tab")
            at = self.focused()
            assert at["outlined"], f"no outline shows the focus on {at['what']}"
            assert at["inside"], f"the focus is outside of the screen, on {at['what']}"
            if at[what]:
                return at

    def write(self, text: str) -> None:
        for letter in text:
            self.page.keyboard.type(letter)
            self.pressed.append(letter)

    def focused(self) -> dict:
        return self.page.evaluate(FOCUSED)


def check_keyboard(browser: Browser, site: Site) -> None:
    with opened(browser, site) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(site.page("index", "uk"))
        keys = Keys(page)
        keys.tab_to("search")
        tabs = len(keys.pressed)
        keys.write(TYPED)
        with page.expect_navigation():
            keys.press("Enter")
        found = len(keys.pressed)
        address = keys.tab_to("address")
        wanted = f"{site.address}{PUBLICATION}.atom"
        assert address["selected"] == wanted, f"what is selected is {address['selected']!r}, not {wanted}"
        keys.press("Control+c")
        copied = page.evaluate("() => navigator.clipboard.readText()")
        assert copied == wanted, f"the clipboard has {copied!r}, not {wanted}"
        status, headers, body = get(copied)
        kind = headers["Content-Type"]
        assert status == 200 and kind.startswith("application/atom+xml") and b"<entry>" in body, (
            f"{copied}: {status}, {kind}"
        )
        print(
            f"keyboard: {len(keys.pressed)} keys from the index to the address in the clipboard: {tabs} Tab, "
            f"{len(TYPED)} letters, Enter, {len(keys.pressed) - found - 1} Tab, Ctrl+C; the focus was always outlined"
        )
    check_skip_link(browser, site)
    check_every_stop(browser, site)


def check_skip_link(browser: Browser, site: Site) -> None:
    """The first Tab shows the way past the header, and Enter goes it."""
    with opened(browser, site) as page:
        for name in site.paths:
            page.goto(site.page(name, "uk"))
            keys = Keys(page)
            first = keys.tab_to("link")
            assert first["link"] == "#main" and len(keys.pressed) == 1, f"{name}: the first stop is {first['what']}"
            keys.press("Enter")
            assert keys.focused()["main"], f"{name}: the skip link leads to {keys.focused()['what']}"
        print(f"keyboard: the first Tab of {len(site.paths)} pages shows the skip link, which leads to the content")


def check_every_stop(browser: Browser, site: Site) -> None:
    """Tab goes through a whole page, comes to its end, and can be seen everywhere."""
    with opened(browser, site) as page:
        told, stops = [], 0
        for name in ("index", "article", "compose"):
            page.goto(site.page(name, "uk"))
            for _ in range(1_000):
                page.keyboard.press("Tab")
                at = page.evaluate(FOCUSED)
                if at["what"].startswith("<body"):
                    break
                stops += 1
                if not (at["outlined"] and at["inside"]):
                    told.append(f"{name}: {'outside of the screen' if at['outlined'] else 'no outline'}: {at['what']}")
            else:
                told.append(f"{name}: Tab never leaves it")
        assert not told, "the focus cannot be seen:\n" + "\n".join(told[:20])
        print(f"keyboard: {stops} stops on the index, the article and the compose page, each outlined")
