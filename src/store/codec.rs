//! How a record becomes bytes: a format, a checksum, and postcard, compressed for articles.
//!
//! The checksum covers the key too, so that a value under another key does not pass for one's
//! own.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest record, in bytes before compression.
pub(crate) const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

const ZSTD_LEVEL: i32 = 1;
const CHECK_BYTES: usize = 8;
const LENGTH_BYTES: usize = 4;

// The formats of a value. A changed record takes the next number, and the old one stays readable.
const PLAIN_1: u8 = 1;
const ZSTD_1: u8 = 2;
/// What is remembered of a feed, since polls obey what publishers ask for.
const PLAIN_2: u8 = 3;
/// An article, since labels have points and are made anew.
const ZSTD_2: u8 = 4;
/// An article, since it is told when its feed last changed.
const ZSTD_3: u8 = 5;

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRecord {
    /// Fewer bytes than every value has.
    #[error("it has {0} bytes, which is too few")]
    Short(usize),
    /// The bytes are not those that were written here.
    #[error("its checksum differs")]
    Checksum,
    /// A later visnyk wrote it.
    #[error("its format {0} is not known")]
    Format(u8),
    /// Too much to hold.
    #[error("it has {0} bytes, more than {RECORD_BYTES_MAX}")]
    Large(usize),
    /// It does not decompress.
    #[error("it does not decompress: {0}")]
    Zstd(String),
    /// It is another record.
    #[error("its fields do not read: {0}")]
    Fields(String),
}

/// The bytes of a small record.
pub(crate) fn plain<T: Serialize>(key: &[u8], record: &T) -> Result<Vec<u8>, BadRecord> {
    Ok(seal(key, PLAIN_1, &packed(record)?))
}

/// The bytes of a small record in the second form of its kind.
pub(crate) fn plain_2<T: Serialize>(key: &[u8], record: &T) -> Result<Vec<u8>, BadRecord> {
    Ok(seal(key, PLAIN_2, &packed(record)?))
}

/// Whether a value holds the second form of its kind of record.
pub(crate) fn is_second(value: &[u8]) -> bool {
    matches!(value.first(), Some(&(PLAIN_2 | ZSTD_2)))
}

/// Whether a value holds the third form of its kind of record.
pub(crate) fn is_third(value: &[u8]) -> bool {
    value.first() == Some(&ZSTD_3)
}

/// The bytes of a record that is worth compressing.
pub(crate) fn compressed<T: Serialize>(key: &[u8], record: &T) -> Result<Vec<u8>, BadRecord> {
    squeezed(key, ZSTD_1, record)
}

/// The same in the second form of its kind.
#[cfg(test)]
pub(crate) fn compressed_2<T: Serialize>(key: &[u8], record: &T) -> Result<Vec<u8>, BadRecord> {
    squeezed(key, ZSTD_2, record)
}

/// The same in the third form of its kind.
pub(crate) fn compressed_3<T: Serialize>(key: &[u8], record: &T) -> Result<Vec<u8>, BadRecord> {
    squeezed(key, ZSTD_3, record)
}

fn squeezed<T: Serialize>(key: &[u8], format: u8, record: &T) -> Result<Vec<u8>, BadRecord> {
    squeezed_bytes(key, format, &packed(record)?)
}

/// Bytes that are no record, compressed.
pub(crate) fn compressed_bytes(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, BadRecord> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(BadRecord::Large(bytes.len()));
    }
    squeezed_bytes(key, ZSTD_1, bytes)
}

fn squeezed_bytes(key: &[u8], format: u8, bytes: &[u8]) -> Result<Vec<u8>, BadRecord> {
    let length = u32::try_from(bytes.len()).map_err(|_| BadRecord::Large(bytes.len()))?;
    let mut payload = length.to_be_bytes().to_vec();
    let squeezed = zstd::bulk::compress(bytes, ZSTD_LEVEL);
    payload.extend(squeezed.map_err(|error| BadRecord::Zstd(error.to_string()))?);
    Ok(seal(key, format, &payload))
}

/// The record that was written at a key.
pub(crate) fn read<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T, BadRecord> {
    let (format, payload) = opened(key, value)?;
    let fields = |bytes: &[u8]| {
        postcard::from_bytes(bytes).map_err(|error| BadRecord::Fields(error.to_string()))
    };
    if matches!(format, ZSTD_1 | ZSTD_2 | ZSTD_3) {
        fields(&unsqueezed(payload)?)
    } else {
        fields(payload)
    }
}

/// The bytes that were written at a key as they were.
pub(crate) fn read_bytes(key: &[u8], value: &[u8]) -> Result<Vec<u8>, BadRecord> {
    match opened(key, value)? {
        (ZSTD_1, payload) => unsqueezed(payload),
        (format, _) => Err(BadRecord::Format(format)),
    }
}

/// The format of a value, and what it holds.
fn opened<'v>(key: &[u8], value: &'v [u8]) -> Result<(u8, &'v [u8]), BadRecord> {
    let Some((&format, rest)) = value.split_first() else { return Err(BadRecord::Short(0)) };
    if !matches!(format, PLAIN_1 | ZSTD_1 | PLAIN_2 | ZSTD_2 | ZSTD_3) {
        return Err(BadRecord::Format(format));
    }
    let Some((check, payload)) = rest.split_at_checked(CHECK_BYTES) else {
        return Err(BadRecord::Short(value.len()));
    };
    if check == checksum(key, format, payload) {
        Ok((format, payload))
    } else {
        Err(BadRecord::Checksum)
    }
}

/// The bytes of a record alone.
pub(crate) fn packed<T: Serialize>(record: &T) -> Result<Vec<u8>, BadRecord> {
    let bytes =
        postcard::to_stdvec(record).map_err(|error| BadRecord::Fields(error.to_string()))?;
    if bytes.len() > RECORD_BYTES_MAX { Err(BadRecord::Large(bytes.len())) } else { Ok(bytes) }
}

fn unsqueezed(payload: &[u8]) -> Result<Vec<u8>, BadRecord> {
    let Some((length, squeezed)) = payload.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(BadRecord::Short(payload.len()));
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length > RECORD_BYTES_MAX {
        return Err(BadRecord::Large(length));
    }
    zstd::bulk::decompress(squeezed, length).map_err(|error| BadRecord::Zstd(error.to_string()))
}

fn seal(key: &[u8], format: u8, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + CHECK_BYTES + payload.len());
    value.push(format);
    value.extend(checksum(key, format, payload));
    value.extend_from_slice(payload);
    value
}

fn checksum(key: &[u8], format: u8, payload: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes());
    hasher.update(key).update(&[format]).update(payload);
    let mut check = [0; CHECK_BYTES];
    hasher.finalize_xof().fill(&mut check);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_under_its_own_key_only() {
        let text = "Харків і Альбукерке".repeat(50);
        for value in [plain(b"k", &text).unwrap(), compressed(b"k", &text).unwrap()] {
            assert_eq!(read::<String>(b"k", &value), Ok(text.clone()));
            assert_eq!(read::<String>(b"l", &value), Err(BadRecord::Checksum));
        }
        assert!(compressed(b"k", &text).unwrap().len() < text.len() / 4);
    }

    #[test]
    fn no_flipped_bit_and_no_cut_passes_for_a_record() {
        for value in [plain(b"k", &"вісник").unwrap(), compressed(b"k", &"вісник").unwrap()]
        {
            for i in 0..value.len() * 8 {
                let mut flipped = value.clone();
                flipped[i / 8] ^= 1 << (i % 8);
                assert!(read::<String>(b"k", &flipped).is_err(), "bit {i}");
            }
            for length in 0..value.len() {
                assert!(read::<String>(b"k", &value[..length]).is_err(), "{length} bytes");
            }
        }
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let mut value = plain(b"k", &1_u32).unwrap();
        value[0] = 200;
        assert_eq!(read::<u32>(b"k", &value), Err(BadRecord::Format(200)));
    }

    #[test]
    fn a_length_over_the_limit_is_not_believed() {
        let mut payload = u32::MAX.to_be_bytes().to_vec();
        payload.extend(zstd::bulk::compress(b"little", ZSTD_LEVEL).unwrap());
        let value = seal(b"k", ZSTD_1, &payload);
        assert_eq!(read::<u32>(b"k", &value), Err(BadRecord::Large(u32::MAX as usize)));
    }
}
