"""Feeds of invented news, as many as wanted, and a feeds.toml that polls them: the same for one seed.

usage: generate.py FOLDER [ARTICLES] [SEED]

Ukrainian texts with places in their cases, topics, pictures, files; and what real feeds have besides:
HTML of every kind of badness, characters that nobody can see, dates that are missing, wrong or to
come, ids of every kind, one story in several feeds, feeds that claim the ids of others.
"""

import datetime
import html
import json
import pathlib
import random
import sys
from email.utils import format_datetime

ARTICLES = 3_000
SEED = 5
# A document holds at most 2,000 entries (src/parse.rs); real ones hold far fewer.
# A day that is over wherever this runs, and the same in every run.
NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)

# Id of a community, its region, the town in four cases, the region's name in the locative.
PLACES = [
    ("kharkivska", "kharkivska", ("Харків", "Харкова", "Харкові", "Харковом"), "Харківщині"),
    ("lvivska", "lvivska", ("Львів", "Львова", "Львові", "Львовом"), "Львівщині"),
    ("sumska", "sumska", ("Суми", "Сум", "Сумах", "Сумами"), "Сумщині"),
    ("poltavska", "poltavska", ("Полтава", "Полтави", "Полтаві", "Полтавою"), "Полтавщині"),
    ("lutska", "volynska", ("Луцьк", "Луцька", "Луцьку", "Луцьком"), "Волині"),
    ("vinnytska", "vinnytska", ("Вінниця", "Вінниці", "Вінниці", "Вінницею"), "Вінниччині"),
    ("odeska", "odeska", ("Одеса", "Одеси", "Одесі", "Одесою"), "Одещині"),
    ("mykolaivska-mykolaivska", "mykolaivska", ("Миколаїв", "Миколаєва", "Миколаєві", "Миколаєвом"), "Миколаївщині"),
    ("ternopilska", "ternopilska", ("Тернопіль", "Тернополя", "Тернополі", "Тернополем"), "Тернопільщині"),
    ("chernihivska-chernihivska", "chernihivska", ("Чернігів", "Чернігова", "Чернігові", "Черніговом"), "Чернігівщині"),
    ("zhytomyrska", "zhytomyrska", ("Житомир", "Житомира", "Житомирі", "Житомиром"), "Житомирщині"),
    ("uzhhorodska", "zakarpatska", ("Ужгород", "Ужгорода", "Ужгороді", "Ужгородом"), "Закарпатті"),
]  # fmt: skip
WHO = (
    "Комунальники,Педагоги,Лікарі,Рятувальники,Депутати,Енергетики,Волонтери,Партнери,Художники,Водії,"
    "Учні,Архітектори,Фахівці ЦНАПу,Екологи,Старости"
).split(",")
DID = (
    "відремонтували,відкрили,отримали,передали,оновили,представили,обговорили,підтримали,завершили,"
    "запровадили,відновили,обстежили,придбали,облаштували,перевірили"
).split(",")
WHAT = (
    "дах школи,укриття ліцею,генератори для лікарні,автобусний маршрут,музейну виставку,бюджет громади,"
    "меморандум про співпрацю,дитячий садок,насосну станцію,парк і набережну,бібліотеку,"
    "сонячну електростанцію,програму відновлення,тролейбусну лінію,амбулаторію"
).split(",")
WHEN = (
    "до кінця року,ще торік,уже навесні,цього тижня,напередодні зими,після ремонту,за три місяці,"
    "попри негоду,разом із громадою,коштом місцевого бюджету,за підтримки ЮНІСЕФ,на прохання мешканців"
).split(",")
CATEGORIES = [
    "освіта",
    "Медицина",
    "бюджет",
    "культура",
    "партнерство",
    "ЖКГ",
    "транспорт",
    "Оголошення",
    "Новини",
    "<b>важливо</b>",
    " ",
    "Відновлення; довкілля",
    "події & люди",
]
BAD_HTML = [
    "<script>alert('{n}')</script><p>Після скрипту.</p>",
    '<p onclick="steal()" style="position:fixed" class="x">Абзац із обробником.</p>',
    '<a href="javascript:alert(1)">посилання</a> <a href=" java\tscript:alert(2)">ще</a> <a href="/rishennia/{n}">рішення</a>',
    '<img src="/i/{n}.jpg" srcset="/i/{n}-2x.jpg 2x" onerror="x()" alt="Фото"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    '<iframe src="https://video.example/{n}"></iframe><p>Відео вище.</p>',
    "<table><tr><td>один<td>два<tr><td colspan=2>три</table>",
    "<p>Незакритий <b>жирний <i>курсив <a href='https://misto.example/{n}'>і посилання<p>далі",
    "<!--[if mso]><o:p></o:p><![endif]--><p class=MsoNormal><span style='mso-spacerun:yes'>&nbsp;</span>З редактора</p>",
    '<svg><script>alert(1)</script></svg><math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
    '<form action="/vote"><input name="q"><textarea><p>так</textarea></form><p>Опитування.</p>',
    '<video poster="/v/{n}.jpg"><source src="v{n}.mp4"></video><object data="a.swf"></object><p>Запис.</p>',
    "<p>Погано: a < b && c > d; R&D &nbsp;&bogus; &#0; &#x1F1FA;&#x1F1E6; &amp;lt;b&amp;gt;</p>",
    '<blockquote cite="../zvit">Цитата</blockquote><q cite="#a">ще</q>' + "<div>" * 90 + "глибоко" + "</div>" * 90,
    '<a href="//cdn.example/{n}">без схеми</a> <a href="?id={n}">запит</a> <a href="#top">вгору</a> <a href="HTTPS://Misto.Example:443/{n}">гучно</a>',
    '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/"><link rel="stylesheet" href="x.css"><p>Зміст.</p>',
]  # fmt: skip
ODD_CHARACTERS = [
    "\u202eназад\u202c",
    "а\u0301",
    "zero\u200bwidth",
    "м\u00adякий",
    "\ufffdвтрата",
    "\x85\x92кома",
    "👩‍🚒🇺🇦",
    "]]>",
    "</script>",
    "\u2028рядок",
    "\ue000",
    "𝕏",
    "\ufeff",
    "‘лапки’",
    "x\x7fy",
    "&amp;quot;двічі&amp;quot;",
]
KINDS = ["rss", "atom", "json", "rss1251", "rdf"]


class Story:
    """What one source tells, before it is written in any format."""

    def __init__(self, rng: random.Random, number: int, place: tuple, age_minutes_max: int):
        self.number, self.place = number, place
        community, region, town, area = place
        self.title = f"{rng.choice(WHO)} {town[1]} {rng.choice(DID)} {rng.choice(WHAT)} {rng.choice(WHEN)}"
        sentences = [
            f"У {town[2]} {rng.choice(WHO).lower()} {rng.choice(DID)} {rng.choice(WHAT)} {rng.choice(WHEN)}, усього {rng.randrange(2, 9000)} одиниць.",
            f"На {area} {rng.choice(WHO).lower()} {rng.choice(DID)} {rng.choice(WHAT)}, повідомив заступник номер {number}.",
        ]
        for _ in range(rng.randrange(2, 9)):
            sentences.append(
                f"{rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHAT)} {rng.choice(WHEN)}: {rng.randrange(10**6)} гривень,"
                f" {rng.choice(WHO).lower()} {rng.choice(DID)} {rng.choice(WHAT)} на вулиці №{rng.randrange(10**4)}."
            )
        self.sentences = sentences
        self.bad = [rng.choice(BAD_HTML).replace("{n}", str(number)) for _ in range(rng.choice([0, 0, 1, 2]))]
        self.date = NOW - datetime.timedelta(minutes=rng.randrange(1, age_minutes_max))
        self.categories = rng.sample(CATEGORIES, rng.randrange(4))
        self.author = rng.choice(
            [None, None, "Олена Коваль", "press@rada.example (Прес-служба)", "Іван «Дід» O'Нил & Ко"]
        )
        self.picture = rng.choice([None, "https://{host}/i/{n}.jpg?w=800&h=600", "/i/{n}.png", "javascript:alert(1)"])
        self.file = rng.choice(
            [None] * 6
            + [
                ("/zvit-{n}.pdf", "application/pdf", 1024),
                ("/audio/{n}.mp3", "audio/mpeg", 0),
                ("/file/{n}", None, None),
                ("/doc/{n}.docx", "bad type", 7),
            ]
        )
        self.link = f"https://{community}.example/news/{number}"

    def html(self) -> str:
        return "".join(f"<p>{html.escape(text)}</p>" for text in self.sentences) + "".join(self.bad)


def feed_stories(rng: random.Random, feed: int, count: int, first: int, shared: list[Story], days: int) -> list[Story]:
    place = PLACES[feed % len(PLACES)]
    stories = []
    for at in range(count):
        if shared and rng.random() < 0.04:
            stories.append(rng.choice(shared))
            continue
        story = Story(rng, first + at, place if rng.random() < 0.8 else rng.choice(PLACES), days * 24 * 60)
        odd = rng.random()
        if odd < 0.06:
            story.title += " " + rng.choice(ODD_CHARACTERS)
            story.sentences[0] += " " + rng.choice(ODD_CHARACTERS)
        elif odd < 0.07:
            story.title = story.title * rng.choice([12, 400])
        elif odd < 0.08:
            story.title = ""
        elif odd < 0.09:
            story.sentences = []
            story.bad = []
        elif odd < 0.091:
            story.sentences *= 400
        if rng.random() < 0.02:
            shared.append(story)
        del shared[:-200]
        stories.append(story)
    return stories


def dated(rng: random.Random, story: Story) -> datetime.datetime | str | None:
    """When it came out, as its source tells it."""
    chance = rng.random()
    if chance < 0.05:
        return None
    if chance < 0.06:
        return NOW + datetime.timedelta(days=rng.randrange(1, 3_000))
    if chance < 0.07:
        return rng.choice(
            ["вчора", "0000-00-00", "31 лютого 2026", "Thu, 01 Jan 1970 00:00:00 GMT", "29.02.2025 25:61"]
        )
    return story.date


def given_id(rng: random.Random, story: Story) -> str | None:
    return rng.choice([
        story.link, f"https://{story.place[0]}.example/?p={story.number}", f"urn:uuid:00000000-0000-4000-8000-{story.number:012}",
        f"tag:{story.place[0]}.example,2020:{story.number}", str(story.number), None, f"HTTP://{story.place[0].upper()}.Example/%7e{story.number}",
        f"post {story.number}",
    ])  # fmt: skip


def written(kind: str, host: str, title: str, stories: list[Story], rng: random.Random) -> bytes:
    write = {"rss": rss, "rss1251": rss, "rdf": rdf, "atom": atom, "json": json_feed}[kind]
    if kind == "rss1251":
        return write(host, title, stories, rng, "windows-1251").encode("windows-1251", "xmlcharrefreplace")
    return write(host, title, stories, rng, "utf-8").encode()


def address(text: str, host: str, story: Story) -> str:
    return text.replace("{host}", host).replace("{n}", str(story.number))


def rss(host: str, title: str, stories: list[Story], rng: random.Random, encoding: str) -> str:
    items = []
    for story in stories:
        date, own_id = dated(rng, story), given_id(rng, story)
        date = format_datetime(date) if isinstance(date, datetime.datetime) else date
        parts = [f"<title>{xml(story.title, rng)}</title>", f"<link>{xml(story.link)}</link>"]
        if own_id:
            parts.append(f'<guid isPermaLink="{str(own_id == story.link).lower()}">{xml(own_id)}</guid>')
        if date:
            parts.append(f"<pubDate>{xml(date)}</pubDate>")
        parts += [f"<category>{xml(name)}</category>" for name in story.categories]
        if story.author:
            parts.append(f"<author>{xml(story.author)}</author>")
        if story.picture:
            parts.append(
                f'<media:content url="{xml(address(story.picture, host, story))}" medium="image" width="800" height="600"/>'
            )
        if story.file:
            path, mime, length = story.file
            more = (f' type="{mime}"' if mime else "") + (f' length="{length}"' if length is not None else "")
            parts.append(f'<enclosure url="{xml(address(path, host, story))}"{more}/>')
        if rng.random() < 0.5:
            parts.append(f"<description>{xml(' '.join(story.sentences[:1]))}</description>")
            parts.append(f"<content:encoded><![CDATA[{story.html().replace(']]>', ']]&gt;')}]]></content:encoded>")
        else:
            parts.append(f"<description>{xml(story.html())}</description>")
        items.append(f"<item>{''.join(parts)}</item>")
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        f' xmlns:media="http://search.yahoo.com/mrss/"><channel><title>{xml(title)}</title><link>https://{host}/</link>'
        f"<description>Новини</description><language>uk</language>{''.join(items)}</channel></rss>"
    )


def rdf(host: str, title: str, stories: list[Story], rng: random.Random, encoding: str) -> str:
    items = []
    for story in stories:
        date = dated(rng, story)
        date = date.isoformat() if isinstance(date, datetime.datetime) else date
        told = f"<dc:date>{xml(date)}</dc:date>" if date else ""
        items.append(
            f'<item rdf:about="{xml(story.link)}"><title>{xml(story.title, rng)}</title><link>{xml(story.link)}</link>{told}'
            f"<description>{xml(story.html())}</description></item>"
        )
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel rdf:about="https://{host}/"><title>{xml(title)}</title>'
        f"<link>https://{host}/</link><description>Новини</description></channel>{''.join(items)}</rdf:RDF>"
    )


def atom(host: str, title: str, stories: list[Story], rng: random.Random, encoding: str) -> str:
    entries = []
    for story in stories:
        date, own_id = dated(rng, story), given_id(rng, story)
        date = date.isoformat() if isinstance(date, datetime.datetime) else date
        parts = [f"<title>{xml(story.title, rng)}</title>", f'<link href="/news/{story.number}"/>']
        parts.append(f"<id>{xml(own_id or story.link)}</id>")
        if date:
            edited = story.date + datetime.timedelta(hours=rng.choice([-5, 0, 3]))
            parts.append(f"<published>{xml(date)}</published><updated>{edited.isoformat()}</updated>")
        parts += [f'<category term="{xml(name)}"/>' for name in story.categories]
        if story.author:
            parts.append(f"<author><name>{xml(story.author)}</name><uri>javascript:alert(1)</uri></author>")
        if story.file:
            path, mime, length = story.file
            more = (f' type="{mime}"' if mime else "") + (f' length="{length}"' if length is not None else "")
            parts.append(f'<link rel="enclosure" href="{xml(address(path, host, story))}"{more}/>')
        parts.append(f'<content type="html">{xml(story.html())}</content>')
        entries.append(f"<entry>{''.join(parts)}</entry>")
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://{host}/a/" xml:lang="uk">'
        f"<title>{xml(title)}</title><id>urn:x:{host}</id><updated>{NOW.isoformat()}</updated>{''.join(entries)}</feed>"
    )


def json_feed(host: str, title: str, stories: list[Story], rng: random.Random, encoding: str) -> str:
    items = []
    for story in stories:
        date = dated(rng, story)
        item = {
            "id": given_id(rng, story) or story.link,
            "url": story.link,
            "title": story.title,
            "content_html": story.html(),
            "tags": story.categories,
        }
        if date:
            item["date_published"] = date.isoformat() if isinstance(date, datetime.datetime) else date
        if story.author:
            item["authors"] = [{"name": story.author, "url": "data:,x"}]
        if story.picture:
            item["image"] = address(story.picture, host, story)
        if story.file:
            path, mime, length = story.file
            item["attachments"] = [{"url": address(path, host, story), "mime_type": mime, "size_in_bytes": length}]
        items.append(item)
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": title,
            "home_page_url": f"https://{host}/",
            "language": "uk",
            "items": items,
        },
        ensure_ascii=rng.random() < 0.5,
    )


def xml(text: str, rng: random.Random | None = None) -> str:
    """Escaped; now and then as careless software does it."""
    careless = rng is not None and rng.random() < 0.01
    return text.replace("&", "& ") if careless and "<" not in text else html.escape(text)


def config(feeds: list[tuple[str, str, tuple]]) -> str:
    lines = [
        '[site]', 'title = "Вісник <перевірки> & Ко"', 'address = "https://visnyk.example/"', 'listen = "127.0.0.1:0"',
        'contact = "redaktor@visnyk.example"', 'rights = "Тексти належать їхнім джерелам"', 'since = 2026-01-01',
        '[polling]', 'schedule = "@weekly"', '[publishing]', 'entries = 50',
    ]  # fmt: skip
    for name, english, words in [
        ("освіта", "education", ["школ*", "ліце*", '"дитячий садок"']), ("медицина", "health", ["лікар*", "амбулатор*"]),
        ("транспорт", "transport", ["автобусн*", "тролейбусн*"]), ("культура", "culture", ["музе*", "бібліотек*"]),
        ("партнерство", "partnership", ["меморандум*", '"за підтримки"']), ("бюджет", "budget", ["бюджет*"]),
    ]:  # fmt: skip
        lines += [
            "[[tag]]",
            f'name = "{name}"',
            f'name_en = "{english}"',
            f"match = {json.dumps(words, ensure_ascii=False)}",
        ]
    for at, (name, file, place) in enumerate(feeds):
        lines += ["[[feed]]", f'id = "{name}"', f'title = "Стрічка {at} <{place[2][0]}> & Ко"', f'url = "file:{file}"']
        lines += [f'community = "{place[0]}"'] if at % 4 else [f'region = "{place[1]}"'] if at % 8 else []
        lines += [[], ['republish = "summary"'], ['republish = "link"'], []][at % 4]
        lines += ["unite = false"] if at % 10 == 9 else []
    lines += [
        '[[rule]]', 'id = "no-adverts"', 'match = ["category:оголошення"]', 'exclude = true',
        '[[rule]]', 'id = "short-titles"', 'replace = "до кінця року$"', 'with = "до грудня"',
        '[[publication]]', 'id = "skhid"', 'title = "Схід"', 'regions = ["kharkivska", "sumska", "poltavska"]',
        '[[publication]]', 'id = "shkoly-bez-biudzhetu"', 'title = "Школи"', 'tags = ["osvita"]', 'without_tags = ["biudzhet"]',
        '[[publication]]', 'id = "dvi-strichky"', 'title = "Дві стрічки"', f'feeds = ["{feeds[0][0]}", "{feeds[1][0]}"]',
        '[[publication]]', 'id = "porozhnia"', 'title = "Порожня"', 'communities = ["yaltynska"]',
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def generate(folder: pathlib.Path, articles: int = ARTICLES, seed: int = SEED) -> pathlib.Path:
    """Writes feeds and feeds.toml; gives the path of the latter."""
    rng = random.Random(seed)
    per_feed = 100 if articles <= 10_000 else 500
    days = max(30, articles // 200)
    shared: list[Story] = []
    feeds = []
    (folder / "feeds").mkdir(parents=True, exist_ok=True)
    for at, first in enumerate(range(0, articles, per_feed)):
        place = PLACES[at % len(PLACES)]
        stories = feed_stories(rng, at, min(per_feed, articles - first), first, shared, days)
        kind = KINDS[at % len(KINDS)]
        name = f"{place[0]}-{at}"
        body = written(kind, f"{place[0]}.example", f"Новини {place[2][1]}", stories, rng)
        (folder / "feeds" / f"{name}.{kind}").write_bytes(body)
        feeds.append((name, f"feeds/{name}.{kind}", place))
    (folder / "feeds.toml").write_text(config(feeds))
    return folder / "feeds.toml"


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[2:]]
    print(generate(pathlib.Path(sys.argv[1]), *numbers))
