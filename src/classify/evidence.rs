//! What a name of a place is as evidence, and what is told of one that is none.

use crate::model::article::Field;
use crate::model::id::RuleId;
use crate::model::id::TagId;
use crate::place::gazetteer::Council;
use crate::place::gazetteer::Place;

/// What kind of evidence a name is, with its points in the headline, in the first paragraph and
/// in the text below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clue {
    /// «Харківська область», «Харківщина».
    Explicit,
    /// «Мереф’янська громада», «Харківська міська рада».
    Council,
    /// «Ізюмський район», «Ізюмщина».
    District,
    /// The name of a city.
    City,
    /// The name of a town.
    Town,
    /// The name of a village; counts where its region is known otherwise.
    Village,
    /// «харків’яни».
    People,
    /// «харківські лікарі».
    Adjective,
    /// «Харківський університет», «донецький клуб»: it may have moved, or play elsewhere.
    School,
}

impl Clue {
    /// What it is worth.
    pub(crate) fn points(self, field: Field) -> u16 {
        let [title, lead, body, category] = match self {
            Self::Explicit | Self::Council => [30, 22, 10, 40],
            Self::District => [20, 14, 7, 30],
            Self::City => [20, 14, 6, 40],
            Self::Town => [16, 12, 5, 30],
            Self::Village => [12, 8, 4, 20],
            Self::People => [16, 10, 4, 14],
            Self::Adjective => [14, 8, 3, 14],
            Self::School => [5, 4, 2, 5],
        };
        match field {
            Field::Title => title,
            Field::Lead => lead,
            Field::Body => body,
            Field::Category => category,
        }
    }
}

/// A place that a text names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) field: Field,
    pub(crate) clue: Clue,
    /// The places of which it may be one.
    pub(crate) places: Vec<Place>,
    pub(crate) points: u16,
    pub(crate) words: String,
    /// «міська», «селищна» or «сільська», if it is said.
    pub(crate) council: Option<Council>,
}

/// What a headline is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// The whole country: «Уряд», «Кабмін».
    Country,
    /// Anything else.
    Place,
}

/// What did not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissed {
    /// Where it stands; none for what was a label before a rule came.
    pub field: Option<Field>,
    /// The words, as they stand there.
    pub words: String,
    /// Why it does not count.
    pub why: Cause,
}

/// Why something does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// What it is instead.
    Is(&'static str),
    /// It is a place in passing: too little beside others, or beside what feeds.toml says.
    Passing,
    /// It speaks for a tag, with so many points, which are too few.
    Weak(TagId, u16),
    /// A rule says so.
    Rule(RuleId),
}
