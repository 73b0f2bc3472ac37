//! What a name of a place is as evidence, and what is told of one that is none.

use crate::model::article::Field;
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

/// A name that is no evidence, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissed {
    /// Where it stands.
    pub field: Field,
    /// The words, as they stand there.
    pub words: String,
    /// Why it does not count.
    pub why: &'static str,
}
