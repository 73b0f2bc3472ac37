//! References to characters: `&amp;`, `&#1110;` and the names that HTML 4.01 gives (section 24).

use crate::model::xml;
use encoding_rs::WINDOWS_1252;

/// The names of U+00A0 to U+00FF, in order.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg \
    macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 \
    iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave \
    Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc \
    Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc \
    euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
    uacute ucirc uuml yacute thorn yuml";

/// Other names, each before its character.
const OTHERS: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("OElig", 'Œ'),
    ("oelig", 'œ'),
    ("Scaron", 'Š'),
    ("scaron", 'š'),
    ("Yuml", 'Ÿ'),
    ("fnof", 'ƒ'),
    ("circ", 'ˆ'),
    ("tilde", '˜'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("dagger", '†'),
    ("Dagger", '‡'),
    ("bull", '•'),
    ("hellip", '…'),
    ("permil", '‰'),
    ("prime", '′'),
    ("Prime", '″'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("euro", '€'),
    ("trade", '™'),
    ("numero", '№'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("rarr", '→'),
    ("darr", '↓'),
    ("minus", '−'),
    ("le", '≤'),
    ("ge", '≥'),
    ("ne", '≠'),
    ("asymp", '≈'),
    ("infin", '∞'),
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("Delta", 'Δ'),
    ("Omega", 'Ω'),
    ("mu", 'μ'),
    ("pi", 'π'),
    ("sum", '∑'),
    ("radic", '√'),
];

/// What a reference stands for, without its `&` and `;`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// This character.
    Character(char),
    /// A character that XML does not allow; it is dropped.
    Forbidden,
    /// Nothing known; it is kept as it stands.
    Unknown,
}

/// What a reference stands for.
pub(super) fn resolve(name: &str) -> Reference {
    let Some(number) = name.strip_prefix('#') else {
        return named(name).map_or(Reference::Unknown, Reference::Character);
    };
    let number = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    };
    let Ok(number) = number else { return Reference::Forbidden };
    // Browsers read &#128; to &#159; as windows-1252, and publishers rely on it (HTML, 13.2.5.80).
    let character = match u8::try_from(number) {
        Ok(byte @ 0x80..=0x9f) => {
            WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next()
        }
        _ => char::from_u32(number),
    };
    character.filter(|c| xml::is_char(*c)).map_or(Reference::Forbidden, Reference::Character)
}

fn named(name: &str) -> Option<char> {
    if let Some((_, character)) = OTHERS.iter().find(|(known, _)| *known == name) {
        return Some(*character);
    }
    let place = LATIN.split_whitespace().position(|known| known == name)?;
    char::from_u32(0xa0 + u32::try_from(place).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_give_the_character_that_a_browser_shows() {
        for (name, expected) in [
            ("amp", Reference::Character('&')),
            ("nbsp", Reference::Character('\u{a0}')),
            ("laquo", Reference::Character('«')),
            ("yuml", Reference::Character('ÿ')),
            ("times", Reference::Character('×')),
            ("#1110", Reference::Character('і')),
            ("#x456", Reference::Character('і')),
            ("#150", Reference::Character('–')),
            ("#0", Reference::Forbidden),
            ("#11", Reference::Forbidden),
            ("#xD83D", Reference::Forbidden),
            ("#99999999999", Reference::Forbidden),
            ("#", Reference::Forbidden),
            ("lol9", Reference::Unknown),
            ("", Reference::Unknown),
        ] {
            assert_eq!(resolve(name), expected, "{name}");
        }
    }
}
