//! From evidence to labels: which of the places that a text names it is about.
//!
//! # How
//! Points add up for each region and community, up to a bound in each part of the text, so that
//! ten words in passing are no headline. A name of several places is given to the one whose
//! region other words speak for, else to a chief city, else to the only city among them, else to
//! none. What counts much less than the best does not count; and a text that names many regions
//! alike is about none of them.

use crate::classify::evidence::Clue;
use crate::classify::evidence::Evidence;
use crate::classify::evidence::Scale;
use crate::model::article::Field;
use crate::model::article::Reason;
use crate::model::article::Why;
use crate::place::gazetteer::Centre;
use crate::place::gazetteer::Gazetteer;
use crate::place::gazetteer::Place;
use std::collections::BTreeMap;

/// How many points make a label.
pub(crate) const ENOUGH: u16 = 12;
/// How many make one where nothing speaks for another place.
const ENOUGH_ALONE: u16 = 6;
/// How many another region needs in a feed whose region the admin named.
const ENOUGH_BESIDE: u16 = 20;
/// What a place gets from each part of the text at most: title, lead, body, categories.
const MOST: [u16; 4] = [40, 36, 24, 60];
/// How many reasons of a label are told.
const REASONS_MAX: usize = 20;
/// How many regions one article is about at most.
const REGIONS_MAX: usize = 3;
/// How many if its headline is of the whole country and names none: others are examples.
const REGIONS_OF_COUNTRY_MAX: usize = 1;
/// How many communities one article is about at most.
const COMMUNITIES_MAX: usize = 4;

/// The points of a place, and what they are for.
#[derive(Debug, Default, Clone)]
struct Score {
    parts: [u16; 4],
    /// From elsewhere: the host, the point on the map.
    other: u16,
    reasons: Vec<Reason>,
}

impl Score {
    fn points(&self) -> u16 {
        self.parts.iter().zip(MOST).map(|(part, most)| *part.min(&most)).sum::<u16>() + self.other
    }

    fn named_up_front(&self) -> bool {
        self.parts[Field::Title as usize] >= 12 || self.parts[Field::Category as usize] > 0
    }
}

/// What was weighed.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// The regions that the text is about, by number.
    pub(crate) regions: BTreeMap<u16, Vec<Reason>>,
    /// The communities, by number.
    pub(crate) communities: BTreeMap<u16, Vec<Reason>>,
}

/// What speaks for places beside words.
#[derive(Debug, Clone)]
pub(crate) struct Hint {
    pub(crate) place: Place,
    pub(crate) reason: Reason,
}

/// What a text is about, when `declared` is the region that the admin named for the feed.
/// `scale` is what its headline is of.
pub(crate) fn weigh(
    gazetteer: &Gazetteer,
    evidence: &[Evidence],
    hints: &[Hint],
    declared: Option<u16>,
    scale: Scale,
) -> Verdict {
    let mut scores: BTreeMap<Place, Score> = BTreeMap::new();
    for hint in hints {
        let regions = [hint.place, Place::Region(region_of(gazetteer, hint.place))];
        for place in regions.into_iter().collect::<std::collections::BTreeSet<_>>() {
            let score = scores.entry(place).or_default();
            if matches!(hint.reason.why, Why::Category { .. }) {
                let part = &mut score.parts[Field::Category as usize];
                *part = part.saturating_add(hint.reason.points);
            } else {
                score.other += hint.reason.points;
            }
            if score.reasons.len() < REASONS_MAX {
                score.reasons.push(hint.reason.clone());
            }
        }
    }
    let (sure, unsure): (Vec<_>, Vec<_>) =
        evidence.iter().partition(|evidence| is_sure(gazetteer, evidence));
    for evidence in &sure {
        for place in &evidence.places {
            count(gazetteer, &mut scores, *place, evidence);
        }
    }
    let supported: BTreeMap<u16, u16> = scores
        .iter()
        .filter_map(|(place, score)| match place {
            Place::Region(at) => Some((*at, score.points())),
            Place::Community(_) => None,
        })
        .chain(declared.map(|region| (region, u16::MAX)))
        .collect();
    for evidence in &unsure {
        if let Some(place) = chosen(gazetteer, evidence, &supported) {
            count(gazetteer, &mut scores, place, evidence);
        }
    }
    decide(gazetteer, &scores, declared, scale)
}

/// Whether it is known which place a name means. An adjective may name a community and its region
/// at once.
fn is_sure(gazetteer: &Gazetteer, evidence: &Evidence) -> bool {
    if evidence.clue == Clue::Village {
        return false;
    }
    let communities = evidence.places.iter().filter(|place| matches!(place, Place::Community(_)));
    let regions: Vec<u16> =
        evidence.places.iter().map(|place| region_of(gazetteer, *place)).collect();
    communities.count() <= 1 && regions.windows(2).all(|pair| pair[0] == pair[1])
}

/// The place that a name of several means here.
fn chosen(
    gazetteer: &Gazetteer,
    evidence: &Evidence,
    supported: &BTreeMap<u16, u16>,
) -> Option<Place> {
    let located = |place: &Place| match place {
        Place::Community(at) => Some(&gazetteer.communities[usize::from(*at)]),
        Place::Region(_) => None,
    };
    let mut places = evidence.places.clone();
    // The communities of Crimea are on paper only.
    let is_real = |place: &Place| located(place).is_none_or(|located| located.council.is_some());
    if places.iter().any(is_real) {
        places.retain(is_real);
    }
    if evidence.council.is_some() {
        let same = |place: &Place| {
            located(place).is_none_or(|l| l.council.is_none() || l.council == evidence.council)
        };
        if places.iter().any(same) {
            places.retain(same);
        }
    }
    let near =
        |place: &&Place| supported.get(&region_of(gazetteer, **place)).is_some_and(|p| *p >= 6);
    let here: Vec<&Place> = places.iter().filter(near).collect();
    let best = here.iter().map(|place| supported[&region_of(gazetteer, **place)]).max();
    let best: Vec<&&Place> = here
        .iter()
        .filter(|place| Some(supported[&region_of(gazetteer, ***place)]) == best)
        .collect();
    if let [one] = best.as_slice() {
        return Some(***one);
    }
    if evidence.clue == Clue::Village {
        return None;
    }
    let of = |sizes: &[Centre]| {
        let mut of_size = places
            .iter()
            .filter(|place| located(place).is_none_or(|located| sizes.contains(&located.centre)));
        of_size.next().filter(|_| of_size.next().is_none()).copied()
    };
    let only = match places.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    only.or_else(|| of(&[Centre::Chief]))
        .or_else(|| of(&[Centre::Chief, Centre::City]).filter(|_| evidence.clue != Clue::Council))
}

fn count(
    gazetteer: &Gazetteer,
    scores: &mut BTreeMap<Place, Score>,
    place: Place,
    evidence: &Evidence,
) {
    let Evidence { field, points, .. } = *evidence;
    let why = match field {
        Field::Category => Why::Category { term: evidence.words.clone() },
        _ => Why::Words { field, words: evidence.words.clone() },
    };
    let reason = Reason { why, points };
    let mut add = |place| {
        let score = scores.entry(place).or_default();
        score.parts[field as usize] = score.parts[field as usize].saturating_add(points);
        if score.reasons.len() < REASONS_MAX && !score.reasons.contains(&reason) {
            score.reasons.push(reason.clone());
        }
    };
    add(place);
    if let Place::Community(at) = place {
        let region = gazetteer.communities[usize::from(at)].region;
        // An adjective that names both was counted for the region already.
        if !evidence.places.contains(&Place::Region(region)) {
            add(Place::Region(region));
        }
    }
}

fn decide(
    gazetteer: &Gazetteer,
    scores: &BTreeMap<Place, Score>,
    declared: Option<u16>,
    scale: Scale,
) -> Verdict {
    let regions = scores.iter().filter_map(|(place, score)| match place {
        Place::Region(at) => Some((*at, score)),
        Place::Community(_) => None,
    });
    let regions: Vec<_> = regions.collect();
    let headed = scale == Scale::Place || regions.iter().any(|(_, score)| score.named_up_front());
    let kept = kept(&regions, if headed { REGIONS_MAX } else { REGIONS_OF_COUNTRY_MAX }, declared);
    let mut verdict = Verdict::default();
    for region in &kept {
        verdict.regions.insert(*region, scores[&Place::Region(*region)].reasons.clone());
    }
    let communities = scores.iter().filter_map(|(place, score)| match place {
        Place::Community(at) => {
            let region = gazetteer.communities[usize::from(*at)].region;
            (kept.contains(&region) || declared == Some(region)).then_some((*at, score))
        }
        Place::Region(_) => None,
    });
    let communities: Vec<_> = communities.collect();
    let at_most = if headed { COMMUNITIES_MAX } else { REGIONS_OF_COUNTRY_MAX };
    let mut most = self::kept(&communities, at_most, None);
    // Beside its region as a whole, a community has to be named with some weight.
    most.retain(|at| {
        let points = scores[&Place::Community(*at)].points();
        let region = gazetteer.communities[usize::from(*at)].region;
        let of_region = scores.get(&Place::Region(region)).map_or(0, Score::points);
        points * 5 >= of_region
    });
    for at in most {
        verdict.communities.insert(at, scores[&Place::Community(at)].reasons.clone());
    }
    verdict
}

/// The numbers of those with enough points; none if there are too many alike.
fn kept(scores: &[(u16, &Score)], at_most: usize, declared: Option<u16>) -> Vec<u16> {
    let others = |(at, _): &&(u16, &Score)| declared != Some(*at);
    let best = scores.iter().map(|(_, score)| score.points()).max().unwrap_or(0);
    let alone = scores.iter().filter(|(_, score)| score.points() > 2).count() <= 1;
    // Beside one that the headline names, the lead tells of others in passing.
    let headed = scores.iter().any(|(_, score)| score.named_up_front());
    let least = |score: &Score| if headed && !score.named_up_front() { 75 } else { 45 };
    let enough = |score: &Score| match declared {
        Some(_) => score.points() >= ENOUGH_BESIDE && score.named_up_front(),
        None if alone => score.points() >= ENOUGH_ALONE,
        None => score.points() >= ENOUGH && score.points() * 100 >= best * least(score),
    };
    let mut kept: Vec<u16> = scores
        .iter()
        .filter(others)
        .filter(|(_, score)| enough(score))
        .map(|(at, _)| *at)
        .collect();
    let up_front =
        |at: &u16| scores.iter().any(|(other, score)| other == at && score.named_up_front());
    if kept.len() > at_most {
        kept.retain(up_front);
        if kept.len() > at_most {
            kept.clear();
        }
    }
    kept
}

fn region_of(gazetteer: &Gazetteer, place: Place) -> u16 {
    match place {
        Place::Region(at) => at,
        Place::Community(at) => gazetteer.communities[usize::from(at)].region,
    }
}
