//! How records look where people read them, in the lines of a backup: instants as RFC 3339 has
//! them, digests in hexadecimal digits, header fields as text. In the store they are bytes.

use crate::store::records::InstantRecord;
use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error;

/// An instant that no calendar shows is written as the numbers that it is made of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum InstantForm {
    Text(String),
    Parts(i64, u32),
}

impl Serialize for InstantRecord {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(seconds, nanos) = *self;
        if !to.is_human_readable() {
            return (seconds, nanos).serialize(to);
        }
        let at = DateTime::from_timestamp(seconds, nanos);
        let text = at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        let same = |text: &String| text.parse::<DateTime<Utc>>().ok() == at;
        text.filter(same)
            .map_or(InstantForm::Parts(seconds, nanos), InstantForm::Text)
            .serialize(to)
    }
}

impl<'de> Deserialize<'de> for InstantRecord {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return <(i64, u32)>::deserialize(from).map(|(seconds, nanos)| Self(seconds, nanos));
        }
        match InstantForm::deserialize(from)? {
            InstantForm::Parts(seconds, nanos) => Ok(Self(seconds, nanos)),
            InstantForm::Text(text) => {
                text.parse::<DateTime<Utc>>().map(Self::from).map_err(D::Error::custom)
            }
        }
    }
}

/// Sixteen bytes: the digest of something, or an article's id.
pub(crate) mod digest {
    use crate::model::id::ArticleId;
    use crate::model::id::Digest;
    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serialize;
    use serde::Serializer;
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            Digest(*bytes).to_string().serialize(to)
        } else {
            bytes.serialize(to)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 16], D::Error> {
        if from.is_human_readable() {
            let text = String::deserialize(from)?;
            text.parse::<ArticleId>().map(|id| id.0.0).map_err(D::Error::custom)
        } else {
            <[u8; 16]>::deserialize(from)
        }
    }
}

/// The same, where there may be none.
pub(crate) mod maybe_digest {
    use crate::store::records::plain::digest;
    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serialize;
    use serde::Serializer;

    #[derive(Serialize, Deserialize)]
    struct Form(#[serde(with = "digest")] [u8; 16]);

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(
        bytes: &Option<[u8; 16]>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.map(Form).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<[u8; 16]>, D::Error> {
        Ok(Option::<Form>::deserialize(from)?.map(|Form(bytes)| bytes))
    }
}

/// The value of a header field: each byte is a character, so that none is lost.
pub(crate) mod header {
    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serialize;
    use serde::Serializer;
    use serde::de::Error;

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return bytes.serialize(to);
        }
        let text = |bytes: &Vec<u8>| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        bytes.as_ref().map(text).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        if !from.is_human_readable() {
            return Option::<Vec<u8>>::deserialize(from);
        }
        let bytes = |text: String| {
            text.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>().map_err(D::Error::custom)
        };
        Option::<String>::deserialize(from)?.map(bytes).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_the_same_in_every_form() {
        let records =
            [(0, 0), (1_688_382_960, 1), (-7, 999_999_999), (i64::MAX, 5), (59, 1_500_000_000)];
        for (seconds, nanos) in records {
            let text = serde_json::to_string(&InstantRecord(seconds, nanos)).unwrap();
            let InstantRecord(read, rest) = serde_json::from_str(&text).unwrap();
            assert_eq!((read, rest), (seconds, nanos), "{text}");
            let bytes = postcard::to_stdvec(&InstantRecord(seconds, nanos)).unwrap();
            assert_eq!(bytes, postcard::to_stdvec(&(seconds, nanos)).unwrap());
        }
        let text = serde_json::to_string(&InstantRecord(1_688_382_960, 0)).unwrap();
        assert_eq!(text, r#""2023-07-03T11:16:00Z""#);
    }
}
