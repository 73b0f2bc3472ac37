//! The bytes of a document as text.
//!
//! A byte-order mark is believed before the Content-Type, that before the XML declaration, that
//! before a guess (RFC 7303, 3). But bytes that are valid UTF-8 are UTF-8 whatever is declared:
//! no other encoding gives them by chance, and many servers declare what they always did.

use crate::model::entry::Charset;
use crate::model::entry::CharsetBy;
use crate::model::exchange::Document;
use crate::parse::Repairs;
use chardetng::EncodingDetector;
use chardetng::Iso2022JpDetection;
use chardetng::Utf8Detection;
use encoding_rs::Encoding;
use encoding_rs::ISO_2022_JP;
use encoding_rs::KOI8_U;
use encoding_rs::UTF_8;
use encoding_rs::UTF_16BE;
use encoding_rs::UTF_16LE;
use encoding_rs::WINDOWS_1251;
use encoding_rs::WINDOWS_1252;

/// How far into a document its XML declaration may reach.
const DECLARATION_BYTES_MAX: usize = 1_024;

/// How much of a document is looked at to guess its encoding.
const GUESS_BYTES_MAX: usize = 256 * 1_024;

/// Text is UTF-8 with damage if it has this many good sequences for each bad one.
const GOOD_FOR_EACH_BAD: usize = 4;

/// The text of a document, without a byte-order mark, and what it was written in.
pub(super) fn decode(document: &Document, repairs: &mut Repairs) -> (String, Charset) {
    let mut by = CharsetBy::Bytes;
    let mut bytes = document.bytes.as_slice();
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(bytes) {
        bytes = &bytes[mark_bytes..];
        by = CharsetBy::Mark;
        if encoding != UTF_8 {
            return decode_as((encoding, by), bytes, repairs);
        }
    } else if let Some(encoding) = utf_16_without_mark(bytes) {
        repairs.note(&format!("{} without a byte-order mark was recognised", encoding.name()));
        return decode_as((encoding, by), bytes, repairs);
    }
    let header = document.content_type.as_deref().and_then(charset_of);
    let declaration = declared(bytes);
    let said = [header.and_then(encoding_of), declaration.and_then(encoding_of)];
    if let Some(place) = said.iter().position(|encoding| *encoding == Some(ISO_2022_JP))
        && bytes.contains(&0x1b)
    {
        let by = if place == 0 { CharsetBy::Header } else { CharsetBy::Declaration };
        return decode_as((ISO_2022_JP, by), bytes, repairs);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let other = said.iter().flatten().find(|encoding| **encoding != UTF_8);
        if let (Some(other), false) = (other, bytes.is_ascii()) {
            repairs.note(&format!("declared as {}, but is UTF-8", other.name()));
        }
        return (text.to_owned(), Charset { name: UTF_8.name(), by });
    }
    decode_as(choose(said, document, bytes, repairs), bytes, repairs)
}

/// The encoding of bytes that are not valid UTF-8.
fn choose(
    [header, declaration]: [Option<&'static Encoding>; 2],
    document: &Document,
    bytes: &[u8],
    repairs: &mut Repairs,
) -> (&'static Encoding, CharsetBy) {
    let legacy = |encoding: &&'static Encoding| {
        !matches!(encoding.name(), "UTF-8" | "UTF-16LE" | "UTF-16BE")
    };
    let (header, declaration) = (header.filter(legacy), declaration.filter(legacy));
    match (header, declaration) {
        (Some(header), Some(declaration)) if header != declaration => {
            // Latin-1 is what servers say of everything; the author of the document knew better.
            let chosen = if header == WINDOWS_1252 { declaration } else { header };
            repairs.note(&format!(
                "the Content-Type says {}, the XML declaration {}; read as {}",
                header.name(),
                declaration.name(),
                chosen.name()
            ));
            let by = if chosen == header { CharsetBy::Header } else { CharsetBy::Declaration };
            (chosen, by)
        }
        (Some(header), None) if header == WINDOWS_1252 => {
            let guessed = guess(document, bytes);
            if guessed != WINDOWS_1251 && guessed != KOI8_U {
                return (header, CharsetBy::Header);
            }
            repairs.note(&format!("declared as {}, read as {}", header.name(), guessed.name()));
            (guessed, CharsetBy::Guess)
        }
        (Some(encoding), _) => (encoding, CharsetBy::Header),
        (None, Some(encoding)) => (encoding, CharsetBy::Declaration),
        (None, None) if is_damaged_utf_8(bytes) => (UTF_8, CharsetBy::Bytes),
        (None, None) => {
            let guessed = guess(document, bytes);
            repairs.note(&format!("not UTF-8, read as {}", guessed.name()));
            (guessed, CharsetBy::Guess)
        }
    }
}

fn decode_as(
    (encoding, by): (&'static Encoding, CharsetBy),
    bytes: &[u8],
    repairs: &mut Repairs,
) -> (String, Charset) {
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    if had_errors {
        repairs.note(&format!("bytes that are not {} were replaced", encoding.name()));
    }
    (text.into_owned(), Charset { name: encoding.name(), by })
}

fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<' | b'{', 0, ..] => Some(UTF_16LE),
        [0, b'<' | b'{', ..] => Some(UTF_16BE),
        _ => None,
    }
}

fn is_damaged_utf_8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        // Bytes of 0xC0 and more begin the sequences of two bytes and more.
        good += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good >= bad.saturating_mul(GOOD_FOR_EACH_BAD)
}

fn guess(document: &Document, bytes: &[u8]) -> &'static Encoding {
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let end = bytes.len().min(first + GUESS_BYTES_MAX);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[first..end], end == bytes.len());
    let tld = document.url.domain().and_then(|domain| domain.rsplit('.').next());
    let tld = tld.filter(|tld| tld.len() > 1 && tld.bytes().all(|byte| byte.is_ascii_lowercase()));
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Deny)
}

/// The charset parameter of a Content-Type (RFC 9110, 8.3.2).
fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })
}

/// The encoding that an XML declaration names.
fn declared(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES_MAX)];
    let start = head.windows(5).position(|window| window == b"<?xml")?;
    let length = head[start..].windows(2).position(|window| window == b"?>")?;
    let declaration = std::str::from_utf8(&head[start..start + length]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}

/// The encoding with a label, also where it is misspelt as it often is.
fn encoding_of(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']).trim();
    Encoding::for_label(label.as_bytes()).or_else(|| {
        let plain: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = plain.to_ascii_lowercase();
        let page = ["windows", "win", "cp"].iter().find_map(|prefix| plain.strip_prefix(prefix));
        let label = match (page, plain.as_str()) {
            (Some(page), _) => format!("windows-{page}"),
            (None, "koi8u") => "koi8-u".to_owned(),
            (None, "koi8r") => "koi8-r".to_owned(),
            (None, _) => plain,
        };
        Encoding::for_label(label.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn check(content_type: Option<&str>, bytes: &[u8], text: &str, repairs_expected: usize) {
        let document = Document {
            url: Url::parse("https://rada.example.ua/rss").unwrap(),
            content_type: content_type.map(str::to_owned),
            bytes: bytes.to_vec(),
        };
        let mut repairs = Repairs::default();
        assert_eq!(decode(&document, &mut repairs).0, text, "{content_type:?}");
        assert_eq!(repairs.list.len(), repairs_expected, "{:?}", repairs.list);
    }

    #[test]
    fn every_spelling_of_windows_1251_is_understood() {
        for label in
            ["windows-1251", "cp1251", "CP1251", "cp-1251", "win-1251", "win1251", "WINDOWS_1251"]
        {
            assert_eq!(encoding_of(label).map(Encoding::name), Some("windows-1251"), "{label}");
        }
        assert_eq!(encoding_of("koi8u").map(Encoding::name), Some("KOI8-U"));
        assert_eq!(encoding_of("\"utf8\"").map(Encoding::name), Some("UTF-8"));
        assert_eq!(encoding_of("klingon"), None);
    }

    #[test]
    fn the_header_comes_before_the_declaration_and_a_mark_before_both() {
        let (bytes, _, _) = WINDOWS_1251.encode("<a>Київ — «місто» №1</a>");
        check(Some("text/xml; charset=cp-1251"), &bytes, "<a>Київ — «місто» №1</a>", 0);
        let (koi8, _, _) = KOI8_U.encode("<?xml encoding='koi8-r'?><a>Їжак</a>");
        check(
            Some("text/xml;charset=\"koi8-u\""),
            &koi8,
            "<?xml encoding='koi8-r'?><a>Їжак</a>",
            1,
        );
        check(Some("text/xml;charset=cp1251"), "\u{feff}<a>ї</a>".as_bytes(), "<a>ї</a>", 1);
    }

    #[test]
    fn valid_utf_8_is_utf_8_whatever_is_declared() {
        let text = "<?xml version='1.0' encoding='windows-1251'?><a>Харків</a>";
        check(None, text.as_bytes(), text, 1);
        check(Some("text/xml; charset=iso-8859-1"), text.as_bytes(), text, 1);
        check(Some("text/xml; charset=iso-8859-1"), b"<a/>", "<a/>", 0);
    }

    #[test]
    fn undeclared_bytes_are_guessed_and_a_damaged_byte_is_replaced() {
        let text = "<a>Міська рада повідомляє про ремонт вулиць і відкриття нового парку</a>";
        let (bytes, _, _) = WINDOWS_1251.encode(text);
        check(None, &bytes, text, 1);
        check(Some("text/xml; charset=utf-8"), &bytes, text, 1);
        check(Some("text/xml; charset=iso-8859-1"), &bytes, text, 1);
        check(Some("text/xml; charset=iso-8859-1"), b"<a>caf\xe9</a>", "<a>café</a>", 0);
        let mut damaged = text.as_bytes().to_vec();
        damaged.insert(3, 0xff);
        check(None, &damaged, &text.replace("<a>", "<a>\u{fffd}"), 1);
    }

    #[test]
    fn utf_16_is_read_in_both_orders_with_and_without_a_mark() {
        let text = "<a>Львів</a>";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(None, &little, text, 1);
        check(None, &big, text, 1);
        check(None, &[&[0xff, 0xfe], little.as_slice()].concat(), text, 0);
        check(None, &[&[0xfe, 0xff], big.as_slice()].concat(), text, 0);
    }

    #[test]
    fn how_the_charset_was_found_is_told() {
        let (cyrillic, _, _) =
            WINDOWS_1251.encode("<a>Міська рада повідомляє про ремонт вулиць</a>");
        let declared = [b"<?xml version='1.0' encoding='cp1251'?>".as_slice(), &cyrillic].concat();
        for (content_type, bytes, name, by) in [
            (None, "\u{feff}<a>ї</a>".as_bytes(), "UTF-8", CharsetBy::Mark),
            (Some("text/xml; charset=cp1251"), "<a>ї</a>".as_bytes(), "UTF-8", CharsetBy::Bytes),
            (Some("text/xml; charset=cp1251"), &cyrillic, "windows-1251", CharsetBy::Header),
            (None, &declared, "windows-1251", CharsetBy::Declaration),
            (None, &cyrillic, "windows-1251", CharsetBy::Guess),
        ] {
            let url = Url::parse("https://rada.example.ua/rss").unwrap();
            let content_type = content_type.map(str::to_owned);
            let document = Document { url, content_type, bytes: bytes.to_vec() };
            let (_, charset) = decode(&document, &mut Repairs::default());
            assert_eq!(charset, Charset { name, by });
        }
    }
}
