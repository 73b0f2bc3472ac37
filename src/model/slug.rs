//! Slugs from Ukrainian names, transliterated, so that addresses read well and never change with
//! the admin's language.

use crate::model::id::SLUG_BYTES_MAX;
use crate::model::letters::transliterate;

/// The slug of a name: transliterated, in lower case, every run of other characters one `-`,
/// cut at a word's border to fit an identifier. Empty if the name has no letter or digit.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for word in transliterate(name).to_lowercase().split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        let separator = usize::from(!slug.is_empty());
        if slug.len() + separator + word.len() > SLUG_BYTES_MAX {
            if slug.is_empty() {
                slug.push_str(&word[..SLUG_BYTES_MAX]);
            }
            break;
        }
        if separator == 1 {
            slug.push('-');
        }
        slug.push_str(word);
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_no_edge_dashes_and_fits_an_identifier() {
        for (name, expected) in [
            ("Харківська область", "kharkivska-oblast"),
            ("  міжнародна   підтримка! ", "mizhnarodna-pidtrymka"),
            ("е-врядування", "e-vriaduvannia"),
            ("Albuquerque, NM", "albuquerque-nm"),
            ("…", ""),
        ] {
            assert_eq!(slug(name), expected);
        }
        assert!(slug(&"дуже довга назва ".repeat(20)).len() <= SLUG_BYTES_MAX);
        assert_eq!(slug(&"щ".repeat(90)).len(), SLUG_BYTES_MAX);
    }
}
