//! Content codings: which one a client wants (RFC 9110, 12.5.3), and the bytes in it.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io;
use std::io::Write;

/// How much is done for a small form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Much: it is given out again and again.
    Kept,
    /// Little: it is for one, who waits.
    Once,
}

impl Effort {
    fn gzip(self) -> u32 {
        if self == Self::Kept { 9 } else { 4 }
    }

    fn brotli(self) -> u32 {
        if self == Self::Kept { 9 } else { 3 }
    }

    fn zstd(self) -> i32 {
        if self == Self::Kept { 9 } else { 2 }
    }
}

/// A window of 4 MiB; what clients accept as `zstd` ends at 8 MiB (RFC 9659, 3).
const BROTLI_WINDOW_BITS: u32 = 22;

/// A content coding that documents are given out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
}

/// In the order in which they are preferred where the client does not care.
pub const CODINGS: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

impl Coding {
    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The bytes in this coding. Takes a while: not for an async thread.
    ///
    /// # Errors
    /// The encoder refuses.
    pub fn encode(self, bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
        match self {
            Self::Brotli => {
                let buffer_bytes = 4096;
                let mut writer = brotli::CompressorWriter::new(
                    Vec::new(),
                    buffer_bytes,
                    effort.brotli(),
                    BROTLI_WINDOW_BITS,
                );
                writer.write_all(bytes)?;
                writer.flush()?;
                Ok(writer.into_inner())
            }
            Self::Zstd => zstd::encode_all(bytes, effort.zstd()),
            Self::Gzip => {
                // Without a time in its header: the same bytes give the same bytes.
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(effort.gzip()));
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }
}

/// What a client wants by its `Accept-Encoding`; none is the document as it is, which everybody
/// gets who wants nothing that there is.
#[must_use]
pub fn wanted(accept_encoding: &str) -> Option<Coding> {
    let mut named: Vec<(&str, f32)> = Vec::new();
    for member in accept_encoding.split(',') {
        let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
        let parameter = parameters.trim();
        let weight = match parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")) {
            Some(weight) => weight.trim().parse().unwrap_or(-1.0),
            None => 1.0,
        };
        if (0.0..=1.0).contains(&weight) {
            named.push((name.trim(), weight));
        }
    }
    let said = |name: &str| {
        named.iter().find(|(said, _)| said.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight)
    };
    let identity = said("identity").unwrap_or(0.0);
    let mut best = None;
    let mut best_weight = 0.0;
    for coding in CODINGS {
        let alias = if coding == Coding::Gzip { said("x-gzip") } else { None };
        let weight = said(coding.name()).or(alias).or(said("*")).unwrap_or(0.0);
        if weight > best_weight && weight >= identity {
            (best, best_weight) = (Some(coding), weight);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_is_the_one_that_the_client_likes_best() {
        for (header, expected) in [
            ("", None),
            ("identity", None),
            ("gzip", Some(Coding::Gzip)),
            ("x-gzip", Some(Coding::Gzip)),
            ("GZIP ; Q=0.5", Some(Coding::Gzip)),
            ("gzip, deflate, br, zstd", Some(Coding::Brotli)),
            ("gzip;q=1, br;q=0.9", Some(Coding::Gzip)),
            ("zstd, gzip", Some(Coding::Zstd)),
            ("br;q=0, gzip;q=0", None),
            ("*", Some(Coding::Brotli)),
            ("*;q=0.1, br;q=0", Some(Coding::Zstd)),
            ("gzip;q=0.2, identity;q=0.9", None),
            ("*;q=0", None),
            ("gzip;q=nan, br;q=7", None),
            ("deflate", None),
            (",,;q=1,", None),
        ] {
            assert_eq!(wanted(header), expected, "{header:?}");
        }
    }
}
