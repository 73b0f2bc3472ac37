//! Regular expressions for numbers in a range: a schema knows ranges of numbers, not of the numbers
//! in a text such as `"60s"`.

/// An expression for the whole numbers from `min` to `max`, in a group, with zeros before it.
pub(crate) fn number(min: u64, max: u64) -> String {
    let mut parts = Vec::new();
    let mut from = min;
    while from <= max {
        let to = last_alike(from, max);
        parts.push(alike(from, to));
        from = to + 1;
    }
    format!("0*(?:{})", parts.join("|"))
}

/// The last number up to which those from `from` are one expression: equal digits, then a digit of
/// a range, then any digits.
fn last_alike(from: u64, max: u64) -> u64 {
    let mut any = 1;
    // As many digits may be any as there are zeros at the end, and as the range has room for.
    while from > 0 && from.is_multiple_of(any * 10) && from + any * 10 - 1 <= max {
        any *= 10;
    }
    let digit = from / any % 10;
    let fitting = (digit..=9).rev().map(|last| from + (last - digit + 1) * any - 1);
    fitting.into_iter().find(|to| *to <= max).unwrap_or(from)
}

fn alike(from: u64, to: u64) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    let mut text = String::new();
    for (first, last) in from.chars().zip(to.chars()) {
        match (first, last) {
            (first, last) if first == last => text.push(first),
            ('0', '9') => text.push_str("[0-9]"),
            (first, last) => text.extend(["[", &first.to_string(), "-", &last.to_string(), "]"]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn an_expression_fits_the_numbers_of_its_range_and_no_others() {
        for (min, max) in [
            (0, 0),
            (0, 59),
            (1, 31),
            (1, 600),
            (60, 3600),
            (64, 1000),
            (7, 7),
            (95, 1204),
            (0, 255),
        ] {
            let pattern = Regex::new(&format!("^{}$", number(min, max))).unwrap();
            for at in 0..4000_u64 {
                let fits = (min..=max).contains(&at);
                assert_eq!(pattern.is_match(&at.to_string()), fits, "{at} in {min} to {max}");
            }
        }
    }
}
