use super::*;
use proptest::prelude::*;
use scraper::Selector;

fn base() -> Url {
    Url::parse("https://misto.example/news/1").unwrap()
}

#[test]
fn a_news_text_stays_one() {
    for (given, expected) in [
        ("<p class=x style='a'>Так</p>", "<p>Так</p>"),
        ("<div>один</div><div>два</div>", "<p>один</p><p>два</p>"),
        ("<h1>Г</h1>", "<h2>Г</h2>"),
        ("<p>\u{a0}</p><p>&nbsp;<br></p><p>a</p>", "<p>a</p>"),
        ("<p>a<script>x</script>b</p>", "<p>ab</p>"),
        (
            "<a href='/b'>c</a>",
            "<a href=\"https://misto.example/b\" rel=\"noopener nofollow ugc\">c</a>",
        ),
        ("<img src='//c.example/d.jpg' alt=e>", "<img src=\"https://c.example/d.jpg\" alt=\"e\">"),
        ("<img src='https://t.example/p' width=1 height=1>", ""),
        ("<img src='data:image/png;base64,AA'>", ""),
        ("a < b", "a &lt; b"),
    ] {
        assert_eq!(clean(given, Some(&base())), expected, "{given}");
    }
    assert_eq!(clean("<a href='/b'>c</a><img src='d.jpg'>", None).matches("href").count(), 0);
    assert_eq!(paragraphs("один\n\nдва <b>"), "<p>один</p><p>два &lt;b&gt;</p>");
}

#[test]
fn a_long_body_is_cut_and_says_so() {
    let body = clean(&"<p>слово</p>".repeat(40_000), None);
    assert!(body.len() <= BODY_BYTES_MAX + 64 && body.ends_with("<p>…</p>"));
}

#[test]
fn deep_nesting_needs_neither_much_stack_nor_much_time() {
    for tag in [
        "<div>",
        "<b>",
        "<i id=x><p>",
        "<blockquote>",
        "<table><tr><td>",
        "<ul><li>",
        "<zz",
        "<a href=\"",
        "<title></x=\"",
        "<!--",
        "&nbsp",
        "<p>&nbsp;",
    ] {
        let deep = tag.repeat(100_000);
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let started = std::time::Instant::now();
        let body = thread.spawn(move || clean(&deep, None)).unwrap().join().unwrap();
        assert!(started.elapsed().as_secs() < 30, "{tag}");
        assert!(body.len() <= 2 * BODY_BYTES_MAX, "{tag}");
    }
}

const VECTORS: [&str; 62] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=http://x.example/a.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=javascript:alert(1)>",
    "<img src=\"jav\tascript:alert(1)\">",
    "<img src=\"jav&#x0A;ascript:alert(1)\">",
    "<img src=`javascript:alert(1)`>",
    "<img \"\"\"><script>alert(1)</script>\">",
    "<img src=https://a.example/a onload=alert(1)>",
    "<img src=https://a.example/a style=x:expression(alert(1))>",
    "<img/onerror=alert(1)/src=x>",
    "<img srcset='javascript:alert(1)'>",
    "<img src='data:text/html,<script>alert(1)</script>'>",
    "<img src='vbscript:x'>",
    "<img src=\"&#106;avascript:alert(1)\">",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='java&#13;script:alert(1)'>x</a>",
    "<a href='\u{1}javascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "<a href=https://a.example onclick=alert(1)>x</a>",
    "<a href='https://a.example' target=_blank ping=x>x</a>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><input type=submit></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<input onfocus=alert(1) autofocus>",
    "<select onfocus=alert(1)><option>x</select>",
    "<textarea><script>alert(1)</script></textarea>",
    "<title><img src=x onerror=alert(1)></title>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<style>@import 'javascript:alert(1)';</style>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=javascript:alert(1)//>",
    "<body onload=alert(1)>",
    "<p style='background:url(javascript:alert(1))'>x</p>",
    "<p onmouseover=alert(1)>x</p>",
    "<p id=a class=b>x</p>",
    "<table background=javascript:alert(1)><tr><td background=javascript:x>x</table>",
    "<video src=x onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<!--><script>alert(1)</script>-->",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
];

#[test]
fn no_vector_leaves_anything_but_a_news_text() {
    let all = Selector::parse("*").unwrap();
    for vector in VECTORS {
        for base in [None, Some(&base())] {
            let body = clean(vector, base);
            for element in Html::parse_fragment(&body).select(&all) {
                let name = element.value().name();
                assert!(
                    name == "html" || INLINE.contains(&name) || BLOCK.contains(&name),
                    "{vector} gave {body}"
                );
                for (key, value) in element.value().attrs() {
                    let allowed = match key {
                        "href" | "src" => ["http://", "https://", "mailto:", "tel:"]
                            .iter()
                            .any(|scheme| value.starts_with(scheme)),
                        "rel" | "alt" | "width" | "height" | "colspan" | "rowspan" => true,
                        _ => false,
                    };
                    assert!(allowed, "{vector} gave {body}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn a_clean_body_stays_as_it_is(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<i>", "<a href='/x'>", "</a>",
                "<table>", "<tr>", "<td>", "</table>", "<li>", "<ul>", "</ul>", "слово", " ", "&amp;",
                "&lt;", "<", ">", "<img src=a.jpg>", "<br>", "&nbsp;", "<pre>\n", "</pre>", "<h2>",
                "\u{b}", "\u{85}", "\u{fffd}", "<img src=b.jpg alt='\u{fffd}'>", "\"", "<!--", "-->", "<figure>", "<figcaption>",
            ]),
            0..25,
        )
    ) {
        let once = clean(&parts.concat(), Some(&base()));
        prop_assert!(once.chars().all(|c| xml::is_char(c) && !says_nothing(c)));
        prop_assert_eq!(clean(&once, Some(&base())), once);
    }

    #[test]
    fn no_text_panics(source in any::<String>()) {
        let once = clean(&source, None);
        prop_assert_eq!(clean(&once, None), once);
        let _ = looks_like_html(&source);
    }
}
