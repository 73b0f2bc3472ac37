//! Identifiers: slugs that people write and read, and digests that only machines compare.

use std::fmt;
use std::str::FromStr;

/// The longest slug that is accepted, in bytes.
pub const SLUG_BYTES_MAX: usize = 80;

/// Why a text is not a slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identifier: write 1 to {SLUG_BYTES_MAX} of a-z, 0-9 and `-`")]
pub struct BadSlug {
    /// The text as it was given.
    pub text: String,
}

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a slug: 1 to [`SLUG_BYTES_MAX`] of `a-z`, `0-9` and `-`.
            ///
            /// # Errors
            /// The text is empty, too long, or has another character.
            pub fn new(text: &str) -> Result<Self, BadSlug> {
                let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                if text.is_empty() || text.len() > SLUG_BYTES_MAX || !text.bytes().all(allowed) {
                    return Err(BadSlug { text: text.to_owned() });
                }
                Ok(Self(text.into()))
            }

            /// The slug as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadSlug;
            fn from_str(text: &str) -> Result<Self, BadSlug> {
                Self::new(text)
            }
        }
    };
}

slug_id!(
    /// A feed, as feeds.toml names it. Explicit, so that a feed may move to another address and
    /// stay itself.
    FeedId
);
slug_id!(
    /// A region: an oblast, or an equal unit elsewhere.
    RegionId
);
slug_id!(
    /// A community: a hromada or a city, inside a region.
    CommunityId
);
slug_id!(
    /// A topic.
    TagId
);
slug_id!(
    /// A rule of feeds.toml.
    RuleId
);
slug_id!(
    /// A publication that the admin composed.
    PublicationId
);

/// Sixteen bytes of BLAKE3: equal texts have equal digests, and others do not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The digest of parts, each kept apart from the next by its length.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An article: made once, at first sight, from its feed's id and its own key within the feed.
///
/// Never from the clock, from chance, or from what an editor may correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArticleId(pub Digest);

impl ArticleId {
    /// The id of what `feed` calls `key`.
    #[must_use]
    pub fn of(feed: &FeedId, key: &str) -> Self {
        Self(Digest::of(["article", feed.as_str(), key]))
    }
}

impl fmt::Display for ArticleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Why a text is not an article's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an article's id is 32 hexadecimal digits in lower case")]
pub struct BadArticleId;

impl FromStr for ArticleId {
    type Err = BadArticleId;

    fn from_str(text: &str) -> Result<Self, BadArticleId> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(BadArticleId),
        };
        let text = text.as_bytes();
        if text.len() != 32 {
            return Err(BadArticleId);
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(Digest(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_short_lower_case_and_plain() {
        for good in ["a", "kharkivska", "ua-63", &"x".repeat(SLUG_BYTES_MAX)] {
            assert_eq!(RegionId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "Kharkivska", "харківська", "a/b", "..", "a b", &"x".repeat(81)] {
            assert!(RegionId::new(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn an_article_id_is_read_back_from_its_own_text() {
        let id = ArticleId::of(&FeedId::new("kharkiv").unwrap(), "https://a.example/1");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "00", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33)] {
            assert_eq!(bad.parse::<ArticleId>(), Err(BadArticleId), "{bad:?}");
        }
    }

    #[test]
    fn parts_of_a_digest_do_not_run_together() {
        assert_ne!(Digest::of(["ab", "c"]), Digest::of(["a", "bc"]));
    }
}
