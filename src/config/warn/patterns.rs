//! Words of `match` that can never count, since `unless` voids them wherever they stand.

use crate::config::problem::Found;
use crate::config::problem::Span;
use crate::config::table::Row;
use crate::model::article::Field;
use crate::model::letters::is_apostrophe;
use crate::model::pattern::Pattern;
use crate::model::pattern::Scope;

/// Notes the words of tags that are void.
pub(crate) fn of_tags(rows: &[Row], found: &mut Found) {
    for row in rows {
        voided(row, found);
    }
}

/// Notes each text of `match` that is void, and tells whether all of them are.
pub(crate) fn voided(row: &Row, found: &mut Found) -> bool {
    let (matching, unless) = (patterns(row, "match"), patterns(row, "unless"));
    let mut void = 0;
    for (span, text, pattern) in &matching {
        let by = unless.iter().find(|(_, _, wide)| covers(wide, pattern));
        if let Some((there, by, _)) = by {
            void += 1;
            found.warn_pair(
                "void-words",
                format!("`{text}` never counts: `unless` voids it wherever it stands"),
                (span.clone(), "leave one of them out"),
                (there.clone(), format!("`{by}` is in it")),
            );
        }
    }
    !matching.is_empty() && void == matching.len()
}

fn patterns(row: &Row, key: &str) -> Vec<(Span, String, Pattern)> {
    let texts = row.texts(key).into_iter();
    texts
        .filter_map(|text| {
            let pattern = text.get_ref().parse().ok()?;
            Some((text.span(), text.into_inner(), pattern))
        })
        .collect()
}

/// Whether, wherever `narrow` fits, `wide` fits too, and on the same words.
pub(crate) fn covers(wide: &Pattern, narrow: &Pattern) -> bool {
    let of_text = |scope| matches!(scope, Scope::Field(Field::Title | Field::Lead | Field::Body));
    let same_part =
        wide.scope == narrow.scope || (wide.scope == Scope::Text && of_text(narrow.scope));
    if !same_part {
        return false;
    }
    if wide.scope == Scope::Link {
        let is_in = |part: &String| narrow.phrases.iter().any(|link| link.contains(part.as_str()));
        return wide.phrases.iter().all(is_in);
    }
    wide.phrases.iter().all(|wide| narrow.phrases.iter().any(|narrow| phrase_covers(wide, narrow)))
}

/// Whether a phrase stands in another.
fn phrase_covers(wide: &str, narrow: &str) -> bool {
    let (wide, narrow) = (words(wide), words(narrow));
    narrow.windows(wide.len()).any(|part| {
        part.iter().zip(&wide).all(|(narrow, wide)| match wide.strip_suffix('*') {
            Some(stem) => narrow.starts_with(stem),
            None => narrow == wide,
        })
    })
}

fn words(phrase: &str) -> Vec<String> {
    let lower = phrase.to_lowercase();
    let plain: String = lower.chars().map(|c| if is_apostrophe(c) { '’' } else { c }).collect();
    plain.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cover_those_that_hold_them() {
        for (wide, narrow, expected) in [
            ("школ*", "школ*", true),
            ("шко*", "школ*", true),
            ("школ*", "шко*", false),
            ("школа", "школ*", false),
            ("Школ*", "школа", true),
            ("школ*", "\"школа танців\"", true),
            ("\"школ* танц*\"", "школ*", false),
            ("танц* школ*", "\"школ* танц*\"", true),
            ("школ*", "title:школ*", true),
            ("title:школ*", "школ*", false),
            ("школ*", "category:школ*", false),
            ("link:/a", "link:/a/b", true),
            ("link:/a/b", "link:/a", false),
            ("link:/a", "a", false),
        ] {
            let [wide, narrow] = [wide, narrow].map(|text| text.parse::<Pattern>().unwrap());
            assert_eq!(covers(&wide, &narrow), expected, "{wide:?} {narrow:?}");
        }
    }
}
