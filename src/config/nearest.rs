//! What someone probably meant: the known word that is fewest letters away.

/// The known word nearest to `given`, if it is near enough that a slip of the finger explains it.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given_lower = given.to_lowercase();
    let length = given_lower.chars().count();
    if length > WORD_CHARS_MAX {
        return None;
    }
    known
        .into_iter()
        .filter(|word| word.chars().count().abs_diff(length) <= length.div_ceil(3))
        .map(|word| (strsim::osa_distance(&given_lower, &word.to_lowercase()), word))
        .filter(|(distance, _)| *distance <= length.div_ceil(3) && *distance < length)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A longer word is no slip of the finger, and the distance costs the square of the length.
const WORD_CHARS_MAX: usize = 100;

/// `a`, `b` and `c`, each in backquotes.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_seen_and_another_word_is_not() {
        let known = ["region", "regions", "republish", "tags"];
        for (given, expected) in [
            ("regoin", Some("region")),
            ("Region", Some("region")),
            ("regoins", Some("regions")),
            ("tag", Some("tags")),
            ("x", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
        assert_eq!(nearest(&"r".repeat(WORD_CHARS_MAX + 1), known), None);
    }
}
