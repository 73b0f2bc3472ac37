//! The text format of Prometheus, version 0.0.4: families of samples, each family with what it means
//! and of which type it is, before its samples.

use std::fmt::Write;

/// The media type.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A document in the making.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    family: &'static str,
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Only grows, until the daemon starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by bounds.
    Histogram,
    /// A sum and a count.
    Summary,
}

impl Exposition {
    /// Begins a family; the samples that follow are its.
    pub fn family(&mut self, name: &'static str, kind: Type, help: &str) {
        let kind = match kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
            Type::Summary => "summary",
        };
        self.family = name;
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// A sample of the family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.part("", labels, value);
    }

    /// A sample of a part of the family: `_sum`, `_count`, `_bucket`.
    pub fn part(&mut self, part: &str, labels: &[(&str, &str)], value: f64) {
        let name = self.family;
        self.line(format_args!("{name}{part}"));
        for (index, (label, value)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            self.line(format_args!("{before}{label}=\"{}\"", escaped(value)));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        self.line(format_args!(" {value}\n"));
    }

    /// The document.
    #[must_use]
    pub fn text(self) -> String {
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // To write into a text cannot fail.
        let _ = self.text.write_fmt(line);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stand_below_their_family_and_labels_are_escaped() {
        let mut document = Exposition::default();
        document.family("a_seconds", Type::Summary, "how long");
        document.part("_sum", &[("b", "x\"y\\z\n"), ("c", "")], 1.5);
        document.part("_count", &[], 1e15);
        let expected = "# HELP a_seconds how long\n# TYPE a_seconds summary\n\
                        a_seconds_sum{b=\"x\\\"y\\\\z\\n\",c=\"\"} 1.5\n\
                        a_seconds_count 1000000000000000\n";
        assert_eq!(document.text(), expected);
    }
}
