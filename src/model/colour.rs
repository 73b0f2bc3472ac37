//! A colour of the screen, and how well text is read on it.

use std::fmt;
use std::str::FromStr;

/// A colour (sRGB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The least contrast between text and ground (WCAG 2.2, 1.4.3).
pub const CONTRAST_MIN: f64 = 4.5;

impl Colour {
    /// Red, green and blue.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// The contrast with white, from 1 to 21 (WCAG 2.2, "contrast ratio").
    #[must_use]
    pub fn contrast_with_white(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// Not `#` and six hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadColour;

impl FromStr for Colour {
    type Err = BadColour;

    fn from_str(text: &str) -> Result<Self, BadColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number.ok_or(BadColour)?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_as_it_is_written() {
        for text in ["#0d2b4b", "#000000", "#ffffff"] {
            assert_eq!(text.parse::<Colour>().unwrap().to_string(), text);
        }
        for text in ["", "#fff", "0d2b4b", "#0d2b4", "#0d2b4g", "#+d2b4b", "#0d2b4b0", "red"] {
            assert_eq!(text.parse::<Colour>(), Err(BadColour), "{text}");
        }
    }

    #[test]
    fn the_contrast_is_that_of_the_guidelines() {
        for (text, expected) in [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54)] {
            let contrast = text.parse::<Colour>().unwrap().contrast_with_white();
            assert!((contrast - expected).abs() < 0.01, "{text}: {contrast}");
        }
    }
}
