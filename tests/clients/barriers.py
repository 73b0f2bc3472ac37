"""axe-core looks for what keeps people out, on each page, in both schemes, on wide and narrow screens."""

import pathlib

import axe_playwright_python
from playwright.sync_api import Browser, Page

from browser import LANGUAGES, NARROW, SCHEMES, WIDE, Site, opened

AXE = pathlib.Path(axe_playwright_python.__file__).with_name("axe.min.js")
# The rule about the size of what is clicked is off unless it is asked for.
RUN = "() => axe.run(document, {resultTypes: ['violations', 'incomplete'], rules: {'target-size': {enabled: true}}})"


def check_barriers(browser: Browser, site: Site) -> None:
    told, passed, runs, unsure = [], 0, 0, set()
    for language in LANGUAGES:
        for scheme in SCHEMES:
            for width in (WIDE, NARROW):
                with opened(browser, site, language=language, scheme=scheme, width=width) as page:
                    for name in site.paths:
                        found = look(page, site.page(name, language))
                        runs += 1
                        passed += len(found["passes"])
                        told += [
                            f"{name}, {language}, {scheme}, {width} px: {line}" for line in lines(found["violations"])
                        ]
                        unsure |= {f"{name}: {line}" for line in lines(found["incomplete"])}
    assert not told, f"axe-core finds {len(told)} violations:\n" + "\n".join(told[:60])
    print(f"axe-core: {runs} runs without a violation, {passed} rules passed, {len(unsure)} left to people")
    for line in sorted(unsure):
        print(f"  to look at: {line[:300]}")


def look(page: Page, address: str) -> dict:
    page.goto(address)
    page.evaluate(AXE.read_text())
    return page.evaluate(RUN)


def lines(results: list[dict]) -> list[str]:
    """One line for each rule: what it says, on how many elements, and the first of them."""
    written = []
    for rule in results:
        first = rule["nodes"][0]
        why = " ".join(check["message"] for check in [*first["any"], *first["all"], *first["none"]])
        written.append(f"{rule['id']} ({rule['impact']}), {len(rule['nodes'])}: {first['html'][:160]}: {why[:200]}")
    return written
