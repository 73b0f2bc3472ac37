//! Content codings (RFC 9110, 8.4.1) undone, within a bound on what comes of them.

use flate2::read::DeflateDecoder;
use flate2::read::MultiGzDecoder;
use flate2::read::ZlibDecoder;
use std::io;
use std::io::Read;

/// What we accept, as a header says it.
pub(crate) const ACCEPTED: &str = "gzip, br, zstd, deflate";
/// How many codings may lie over each other.
const CODINGS_MAX: usize = 2;
/// The largest window of zstd, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW_MAX: u32 = 23;
/// The buffer of a decoder, in bytes.
const BUFFER_BYTES: usize = 16 * 1024;

/// A coding that can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// All of it.
    Whole(Vec<u8>),
    /// More than is allowed.
    TooLarge,
}

/// The codings that a header names, in the order in which they were applied.
///
/// # Errors
/// The name of one that cannot be undone, or of the one too many.
pub(crate) fn read(header: &str) -> Result<Vec<Coding>, String> {
    let names = header.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut codings = Vec::new();
    for name in names {
        match name.to_ascii_lowercase().as_str() {
            "identity" => continue,
            "gzip" | "x-gzip" => codings.push(Coding::Gzip),
            "deflate" => codings.push(Coding::Deflate),
            "br" => codings.push(Coding::Brotli),
            "zstd" => codings.push(Coding::Zstd),
            _ => return Err(name.to_owned()),
        }
        if codings.len() > CODINGS_MAX {
            return Err(header.to_owned());
        }
    }
    Ok(codings)
}

/// Whether nothing is to be undone.
pub(crate) fn is_plain(bytes: &[u8], codings: &[Coding]) -> bool {
    codings.is_empty() && !is_gzip(bytes)
}

/// Undoes codings. A body that is gzip and says nothing of it is undone too, and one that says
/// gzip and is none is taken as it is: both are usual mistakes of servers.
pub(crate) fn undo(bytes: &[u8], codings: &[Coding], bytes_max: u64) -> io::Result<Undone> {
    let mut now = bytes.to_vec();
    let undeclared =
        if codings.is_empty() && is_gzip(bytes) { &[Coding::Gzip] as &[_] } else { &[] };
    for coding in codings.iter().chain(undeclared).rev() {
        if now.is_empty() || (*coding == Coding::Gzip && looks_like_a_feed(&now)) {
            continue;
        }
        match bounded(*coding, &now, bytes_max)? {
            Undone::Whole(bytes) => now = bytes,
            Undone::TooLarge => return Ok(Undone::TooLarge),
        }
    }
    Ok(if now.len() as u64 > bytes_max { Undone::TooLarge } else { Undone::Whole(now) })
}

fn bounded(coding: Coding, bytes: &[u8], bytes_max: u64) -> io::Result<Undone> {
    match coding {
        Coding::Gzip => all(MultiGzDecoder::new(bytes), bytes_max),
        // What is meant is zlib (RFC 1950); some send what it wraps (RFC 1951).
        Coding::Deflate if is_zlib(bytes) => all(ZlibDecoder::new(bytes), bytes_max),
        Coding::Deflate => all(DeflateDecoder::new(bytes), bytes_max),
        Coding::Brotli => all(brotli::Decompressor::new(bytes, BUFFER_BYTES), bytes_max),
        Coding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
            decoder.window_log_max(ZSTD_WINDOW_MAX)?;
            all(decoder, bytes_max)
        }
    }
}

/// All that a decoder gives, up to one byte more than allowed, so that it shows.
fn all(decoder: impl Read, bytes_max: u64) -> io::Result<Undone> {
    let mut bytes = Vec::new();
    decoder.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > bytes_max { Undone::TooLarge } else { Undone::Whole(bytes) })
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

/// RFC 1950, 2.2: the method 8, and a check over the first two bytes.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, ..] if a & 15 == 8 && (u16::from(*a) << 8 | u16::from(*b)) % 31 == 0)
}

fn looks_like_a_feed(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    text.starts_with(b"<") || text.starts_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use flate2::write::GzEncoder;
    use flate2::write::ZlibEncoder;
    use std::io::Write;

    const MAX: u64 = 1024 * 1024;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn coded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => gzip(bytes),
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Brotli => {
                let mut out = Vec::new();
                brotli::BrotliCompress(
                    &mut &*bytes,
                    &mut out,
                    &brotli::enc::BrotliEncoderParams::default(),
                )
                .unwrap();
                out
            }
            Coding::Zstd => zstd::encode_all(bytes, 3).unwrap(),
        }
    }

    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    #[test]
    fn every_coding_is_undone_within_its_bound() {
        let text = "Харків ".repeat(1_000).into_bytes();
        for coding in ALL {
            let packed = coded(coding, &text);
            let whole = undo(&packed, &[coding], text.len() as u64).unwrap();
            assert_eq!(whole, Undone::Whole(text.clone()), "{coding:?}");
            let less = undo(&packed, &[coding], text.len() as u64 - 1).unwrap();
            assert_eq!(less, Undone::TooLarge, "{coding:?}");
            let half = undo(&packed[..packed.len() / 2], &[coding], MAX);
            assert!(half.is_err(), "{coding:?}: {half:?}");
            for other in ALL {
                let twice = coded(other, &packed);
                let whole = undo(&twice, &[coding, other], MAX).unwrap();
                assert_eq!(whole, Undone::Whole(text.clone()), "{coding:?}, {other:?}");
            }
        }
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(&text).unwrap();
        let raw = raw.finish().unwrap();
        assert_eq!(undo(&raw, &[Coding::Deflate], MAX).unwrap(), Undone::Whole(text.clone()));
        let members = [gzip(&text[..7]), gzip(&text[7..])].concat();
        assert_eq!(undo(&members, &[Coding::Gzip], MAX).unwrap(), Undone::Whole(text.clone()));
        assert_eq!(undo(&gzip(&text), &[], MAX).unwrap(), Undone::Whole(text));
        let plain = Undone::Whole(b"<rss/>".to_vec());
        assert_eq!(undo(b"<rss/>", &[Coding::Gzip], MAX).unwrap(), plain);
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let zeros = vec![0; 32 * 1024 * 1024];
        for coding in ALL {
            let bomb = coded(coding, &zeros);
            assert!(bomb.len() < 300_000, "{coding:?}: {}", bomb.len());
            assert_eq!(undo(&bomb, &[coding], MAX).unwrap(), Undone::TooLarge, "{coding:?}");
        }
    }

    #[test]
    fn codings_are_read_from_the_header() {
        for (header, expected) in [
            ("", Ok(vec![])),
            ("identity", Ok(vec![])),
            ("GZIP", Ok(vec![Coding::Gzip])),
            ("x-gzip", Ok(vec![Coding::Gzip])),
            ("deflate, br", Ok(vec![Coding::Deflate, Coding::Brotli])),
            ("gzip,,zstd", Ok(vec![Coding::Gzip, Coding::Zstd])),
            ("rot13", Err("rot13")),
            ("gzip, gzip, gzip", Err("gzip, gzip, gzip")),
        ] {
            assert_eq!(read(header), expected.map_err(str::to_owned), "{header}");
        }
    }
}
