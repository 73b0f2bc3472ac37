//! What servers do wrong, and what is to come of each.

use crate::server::Act;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use flate2::write::GzEncoder;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// A misdeed, and how the poll is to end: the first word is its kind, and what follows is said.
pub(crate) struct Misdeed {
    pub(crate) name: &'static str,
    pub(crate) act: Act,
    pub(crate) ends: &'static str,
}

/// What bombs become, in bytes.
const BOMB_BYTES: usize = 256 * 1024 * 1024;
static PIECE: [u8; 64 * 1024] = [b' '; 64 * 1024];

pub(crate) fn rss() -> Vec<u8> {
    let mut text =
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>t</title>".to_owned();
    for n in 0..20 {
        text.extend([format!(
            "<item><guid isPermaLink=\"false\">{n}</guid><title>Новина {n}</title></item>"
        )]);
    }
    (text + "</channel></rss>").into_bytes()
}

/// A whole answer with this status, these headers and this body.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn ok(headers: &str, body: &[u8]) -> Act {
    Act::Say(answer("200 OK", headers, body))
}

fn raw(text: &str) -> Act {
    Act::Say(text.replace('\n', "\r\n").into_bytes())
}

fn bomb(mut encoder: impl Write) {
    for _ in 0..BOMB_BYTES / PIECE.len() {
        encoder.write_all(&PIECE).unwrap();
    }
    encoder.flush().unwrap();
}

fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    bomb(&mut encoder);
    encoder.finish().unwrap()
}

fn twice_gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&gzip_bomb()).unwrap();
    encoder.finish().unwrap()
}

fn zlib_bomb() -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    bomb(&mut encoder);
    encoder.finish().unwrap()
}

fn deflate_bomb() -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    bomb(&mut encoder);
    encoder.finish().unwrap()
}

fn brotli_bomb() -> Vec<u8> {
    let mut out = Vec::new();
    bomb(brotli::CompressorWriter::new(&mut out, 4096, 5, 22));
    out
}

fn zstd_bomb() -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    bomb(&mut encoder);
    encoder.finish().unwrap()
}

/// An entity that is a thousand million times itself.
fn entity_bomb() -> Vec<u8> {
    let mut text = "<?xml version=\"1.0\"?><!DOCTYPE rss [<!ENTITY a0 \"ha\">".to_owned();
    for n in 1..30 {
        text.extend([format!("<!ENTITY a{n} \"&a{0};&a{0};\">", n - 1)]);
    }
    text += "]><rss version=\"2.0\"><channel><title>t</title><item><guid>1</guid><title>&a29;</title></item></channel></rss>";
    text.into_bytes()
}

fn of_items(inner: &str) -> Vec<u8> {
    format!("<rss version=\"2.0\"><channel><title>t</title>{inner}</channel></rss>").into_bytes()
}

fn redirect(status: &str, location: &str) -> Act {
    Act::Say(answer(status, &format!("location: {location}\r\n"), b""))
}

const CHUNKED: &str = "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n";

/// What servers do wrong with a connection, and at the head of an answer.
fn of_the_head() -> Vec<Misdeed> {
    let one = |name, act, ends| Misdeed { name, act, ends };
    vec![
        one("never answers", Act::Hang(Vec::new()), "failed the server said nothing"),
        one("closes without a word", Act::Say(Vec::new()), "failed connection closed"),
        one("resets the connection", Act::Reset, "failed"),
        one("half a status line", Act::Say(b"HTTP/1.1 20".to_vec()), "failed"),
        one(
            "half a header, and then nothing",
            Act::Hang(b"HTTP/1.1 200 OK\r\nconte".to_vec()),
            "failed the server said nothing",
        ),
        one(
            "garbage instead of HTTP",
            Act::Say(b"\x16\x03\x01 SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
            "failed",
        ),
        one("HTTP/0.9", Act::Say(rss()), "failed"),
        one("a status of 999", raw("HTTP/1.1 999 Blocked\ncontent-length: 0\n\n"), "failed 999"),
        one("a status of 099", raw("HTTP/1.1 099 What\ncontent-length: 0\n\n"), "failed"),
        one(
            "a flood of interim answers",
            Act::Flood(Vec::new(), b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n".repeat(100)),
            "failed the server said nothing",
        ),
        one(
            "a flood of headers",
            Act::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(1_000)),
            "failed",
        ),
        one(
            "a header of 1 MiB",
            ok(&format!("x: {}\r\n", "y".repeat(1024 * 1024)), &rss()),
            "failed",
        ),
        one(
            "a header without an end",
            Act::Flood(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), PIECE.to_vec()),
            "failed",
        ),
        one(
            "headers that drip",
            Act::Drip(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
            "failed the server said nothing",
        ),
    ]
}

/// What servers do wrong in what they say before the body.
fn of_the_status() -> Vec<Misdeed> {
    let one = |name, act, ends| Misdeed { name, act, ends };
    vec![
        one("a length of -1", raw("HTTP/1.1 200 OK\ncontent-length: -1\n\n<rss/>"), "failed"),
        one(
            "two lengths that differ",
            raw("HTTP/1.1 200 OK\ncontent-length: 5\ncontent-length: 6\n\n<rss/>"),
            "failed",
        ),
        one("a thousand cookies", ok(&"set-cookie: a=b\r\n".repeat(90), &rss()), "read 20"),
        one(
            "an ETag of 7 KB",
            ok(&format!("etag: \"{}\"\r\n", "x".repeat(7_000)), &rss()),
            "read 20",
        ),
        one("a Last-Modified that is none", ok("last-modified: yesterday\r\n", &rss()), "read 20"),
        one("204 No Content", Act::Say(answer("204 No Content", "", b"")), "failed 204"),
        one(
            "206 that nobody asked for",
            Act::Say(answer("206 Partial Content", "content-range: bytes 0-1/2\r\n", b"<r")),
            "failed 206",
        ),
        one(
            "226 that nobody asked for",
            Act::Say(answer("226 IM Used", "im: feed\r\n", &rss())),
            "failed 226",
        ),
        one(
            "304 that nobody asked for",
            Act::Say(answer("304 Not Modified", "", b"")),
            "failed 304",
        ),
        one(
            "401 and a challenge",
            Act::Say(answer("401 Unauthorized", "www-authenticate: Basic\r\n", b"")),
            "failed 401",
        ),
        one("403", Act::Say(answer("403 Forbidden", "", b"no")), "failed 403"),
        one("404 with a feed in it", Act::Say(answer("404 Not Found", "", &rss())), "failed 404"),
        one("410", Act::Say(answer("410 Gone", "", b"")), "gone"),
        one(
            "429 without a word on when",
            Act::Say(answer("429 Too Many Requests", "", b"")),
            "later",
        ),
        one(
            "429 until the year 9999",
            Act::Say(answer(
                "429 Too Many Requests",
                "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
                b"",
            )),
            "later",
        ),
        one(
            "503 for a negative time",
            Act::Say(answer("503 Service Unavailable", "retry-after: -5\r\n", b"")),
            "failed 503",
        ),
        one(
            "500 with a feed in it",
            Act::Say(answer("500 Internal Server Error", "", &rss())),
            "failed 500",
        ),
    ]
}

/// What servers do wrong with redirects.
fn of_redirects() -> Vec<Misdeed> {
    let one = |name, act, ends| Misdeed { name, act, ends };
    vec![
        one(
            "a redirect to itself",
            redirect("301 Moved Permanently", "http://HOST/SELF"),
            "failed leads back",
        ),
        one(
            "a redirect without an address",
            Act::Say(answer("302 Found", "", b"")),
            "failed names no address",
        ),
        one(
            "a redirect to nonsense",
            redirect("302 Found", "http://"),
            "failed its address is wrong",
        ),
        one(
            "a redirect to a file",
            redirect("302 Found", "file:///etc/passwd"),
            "failed leads to `file:`",
        ),
        one(
            "a redirect to gopher",
            redirect("307 Temporary Redirect", "gopher://HOST/1"),
            "failed leads to `gopher:`",
        ),
        one(
            "a redirect of 1 MiB",
            redirect("302 Found", &format!("/{}", "x".repeat(1024 * 1024))),
            "failed",
        ),
        one(
            "a redirect with an endless body",
            Act::Flood(
                b"HTTP/1.1 302 Found\r\nlocation: http://HOST/SELF\r\n\r\n".to_vec(),
                PIECE.to_vec(),
            ),
            "failed",
        ),
    ]
}

/// What servers do wrong with bodies.
fn of_the_body() -> Vec<Misdeed> {
    let one = |name, act, ends| Misdeed { name, act, ends };
    let coded = |name: &str, body: &[u8]| ok(&format!("content-encoding: {name}\r\n"), body);
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    vec![
        one("nothing", ok("", b""), "failed the body is empty"),
        one("half a body, and then nothing", Act::Hang(answer("200 OK", "", &rss())[..300].to_vec()), "failed"),
        one("a body that drips", Act::Drip(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_vec()), "failed"),
        one("a length that is too long", raw("HTTP/1.1 200 OK\ncontent-length: 99999\n\n<rss version=\"2.0\">"), "failed"),
        one("an endless body", Act::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), PIECE.to_vec()), "failed over 16777216 bytes"),
        one("a body of 17 MiB", ok("", &vec![b' '; 17 * 1024 * 1024]), "failed over 16777216 bytes"),
        one("chunks that break off", raw(&format!("{CHUNKED}ff\n<rss")), "failed"),
        one("a chunk without a size", raw(&format!("{CHUNKED}xyz\n<rss")), "failed"),
        one("a chunk of 2^64 bytes", raw(&format!("{CHUNKED}ffffffffffffffffff\n<rss")), "failed"),
        one("endless chunk extensions", Act::Flood(format!("{CHUNKED}1;").replace('\n', "\r\n").into_bytes(), PIECE.to_vec()), "failed"),
        one("endless trailers", Act::Flood(format!("{CHUNKED}0\n").replace('\n', "\r\n").into_bytes(), b"x: y\r\n".repeat(1_000)), "failed"),
        one("a gzip bomb", coded("gzip", &gzip_bomb()), "failed over 16777216 bytes"),
        one("a gzip bomb in gzip", coded("gzip, gzip", &twice_gzip_bomb()), "failed over 16777216 bytes"),
        one("a gzip bomb that says nothing of it", ok("", &gzip_bomb()), "failed over 16777216 bytes"),
        one("a zlib bomb", coded("deflate", &zlib_bomb()), "failed over 16777216 bytes"),
        one("a deflate bomb", coded("deflate", &deflate_bomb()), "failed over 16777216 bytes"),
        one("a brotli bomb", coded("br", &brotli_bomb()), "failed over 16777216 bytes"),
        one("a zstd bomb", coded("zstd", &zstd_bomb()), "failed over 16777216 bytes"),
        one("gzip that breaks off", coded("gzip", &cut(gzip_bomb())), "failed"),
        one("a coding that nobody knows", coded("rot13", &rss()), "failed `rot13` cannot be undone"),
        one("gzip that is none", coded("gzip", &rss()), "read 20"),
        one("brotli that is none", coded("br", b"\xff\xff\xff\xff no"), "failed does not decompress"),
        one("a feed that says it is a picture", ok("content-type: image/png\r\n", &rss()), "read 20"),
        one("a page to log in", ok("content-type: text/html\r\n", "<!DOCTYPE html><title>Вхід</title><form><input type=password></form>".as_bytes()), "failed a page to log in"),
        one("a page that offers its feeds", ok("", b"<html><head><link rel=alternate type=\"application/rss+xml\" href=\"/feed/\"></head>"), "failed it names these feeds: http://127."),
        one("an entity that grows for ever", ok("", &entity_bomb()), "read 1"),
        one("an entity that is a file", ok("", b"<!DOCTYPE rss [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><rss version=\"2.0\"><channel><item><guid>1</guid><title>&x;</title></item></channel></rss>"), "read 1"),
        one("elements 100,000 deep", ok("", &of_items(&format!("<item><title>a</title>{}</item>", "<b>".repeat(100_000) + &"</b>".repeat(100_000)))), "read 1"),
        one("100,000 entries", ok("", &of_items(&"<item><title>a</title></item>".repeat(100_000))), "read 2000"),
        one("100,000 attributes", ok("", &of_items(&format!("<item {}><title>a</title></item>", "a='b' ".repeat(100_000)))), "read 1"),
        one("bytes that are no text", ok("content-type: text/xml; charset=utf-8\r\n", &b"\xff\xfe\xfd".repeat(100_000)), "failed"),
        one("a feed that breaks off", ok("", &rss()[..rss().len() / 2]), "read"),
        one("JSON 100,000 deep", ok("", "{\"items\":".as_bytes().iter().copied().chain(vec![b'['; 100_000]).collect::<Vec<_>>().as_slice()), "failed"),
    ]
}

pub(crate) fn all() -> Vec<Misdeed> {
    [of_the_head(), of_the_status(), of_redirects(), of_the_body()].into_iter().flatten().collect()
}
