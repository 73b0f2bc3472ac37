//! What the rules of feeds.toml do to an article: which of them fit, whether it is kept out, the
//! labels and the headline that they give, the labels and categories that they take.

use crate::classify::Classifier;
use crate::classify::evidence::Cause;
use crate::classify::evidence::Dismissed;
use crate::classify::words::Text;
use crate::classify::words::fold;
use crate::model::article::Article;
use crate::model::article::Field;
use crate::model::article::Labels;
use crate::model::article::Reason;
use crate::model::article::Why;
use crate::model::feed::Feed;
use crate::model::id::CommunityId;
use crate::model::rule::Fate;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use url::Url;

/// How many categories of an article are looked at.
const CATEGORIES_MAX: usize = 200;
/// How much of a category is looked at, in characters.
const CATEGORY_CHARS_MAX: usize = 200;
/// What the word of the admin counts.
pub(crate) const SAID: u16 = 100;

impl Classifier {
    /// The title as the rules have it.
    pub(crate) fn headline<'t>(&self, title: &'t str, rules: &[usize]) -> Cow<'t, str> {
        let mut headline = Cow::Borrowed(title);
        for at in rules {
            let (Some(what), Some((_, with))) = (&self.headlines[*at], &self.rules[*at].headline)
            else {
                continue;
            };
            let replaced = what.replace_all(&headline, with.as_str());
            let replaced = replaced.split_whitespace().collect::<Vec<_>>().join(" ");
            // An article without a headline is none.
            if !replaced.is_empty() && replaced != *headline {
                headline = Cow::Owned(replaced);
            }
        }
        headline
    }

    /// The categories that count.
    pub(crate) fn categories<'a>(
        &self,
        article: &'a Article,
        rules: &[usize],
        dismissed: &mut Vec<Dismissed>,
    ) -> Vec<&'a str> {
        let terms = article.categories.iter().take(CATEGORIES_MAX).flat_map(|category| {
            [Some(&category.term), category.label.as_ref()].into_iter().flatten()
        });
        let terms = terms.map(|term| head_chars(term, CATEGORY_CHARS_MAX));
        let mut kept: Vec<&str> = Vec::new();
        for term in terms {
            if kept.contains(&term) {
                continue;
            }
            let name = fold(term);
            match rules.iter().find(|at| self.dropped[**at].contains(&name)) {
                Some(at) => dismissed.push(Dismissed {
                    field: Some(Field::Category),
                    words: term.to_owned(),
                    why: Cause::Rule(self.rules[*at].id.clone()),
                }),
                None => kept.push(term),
            }
        }
        kept
    }

    /// The rules that fit an article, of those that are for its feed.
    pub(crate) fn fitting(
        &self,
        article: &Article,
        fields: &[(Field, Text<'_>)],
        categories: &[&str],
        rules: &[usize],
    ) -> Vec<usize> {
        if rules.is_empty() {
            return Vec::new();
        }
        let mut matched: Vec<usize> = Vec::new();
        for (field, text) in fields {
            matched.extend(self.patterns.find(text, *field).iter().map(|found| found.owner));
        }
        for category in categories {
            let found = self.patterns.find(&Text::new(category), Field::Category);
            matched.extend(found.iter().map(|found| found.owner));
        }
        let link = article.url.as_ref().map(Url::as_str).unwrap_or_default();
        let fits = |at: &usize| {
            !self.patterns.has_words(*at)
                || matched.contains(at)
                || self.patterns.has_link(*at, link)
        };
        rules.iter().copied().filter(fits).collect()
    }

    /// Whether a rule keeps an article out.
    pub(crate) fn judge(&self, rules: &[usize], fitting: &[usize], labels: &mut Labels) {
        let mut only = rules.iter().filter(|at| self.rules[**at].fate == Fate::Only);
        let excluded = fitting.iter().find(|at| self.rules[**at].fate == Fate::Exclude);
        let left_out = || {
            let is_in = fitting.iter().any(|at| self.rules[*at].fate == Fate::Only);
            only.next().filter(|_| !is_in)
        };
        labels.excluded_by = excluded.or_else(left_out).map(|at| self.rules[*at].id.clone());
    }

    /// What the admin says of the feed, and in rules.
    pub(crate) fn declare(&self, feed: &Feed, fitting: &[usize], labels: &mut Labels) {
        let of_feed = || Reason { why: Why::Feed, points: SAID };
        if let Some(region) = &feed.region {
            labels.regions.entry(region.clone()).or_default().push(of_feed());
        }
        if let Some(community) = &feed.community {
            labels.communities.entry(community.clone()).or_default().push(of_feed());
        }
        for tag in &feed.tags {
            labels.tags.entry(tag.clone()).or_default().push(of_feed());
        }
        for rule in fitting.iter().map(|at| &self.rules[*at]) {
            let of_rule = || Reason { why: Why::Rule(rule.id.clone()), points: SAID };
            for region in &rule.with.regions {
                labels.regions.entry(region.clone()).or_default().push(of_rule());
            }
            for community in &rule.with.communities {
                labels.communities.entry(community.clone()).or_default().push(of_rule());
            }
            for tag in &rule.with.tags {
                labels.tags.entry(tag.clone()).or_default().push(of_rule());
            }
        }
    }

    pub(crate) fn take_away(
        &self,
        fitting: &[usize],
        labels: &mut Labels,
        dismissed: &mut Vec<Dismissed>,
    ) {
        for rule in fitting.iter().map(|at| &self.rules[*at]) {
            let without = &rule.without;
            let mut gone: Vec<String> = Vec::new();
            labels.regions.retain(|id, _| kept(&without.regions, id, "region", &mut gone));
            labels.tags.retain(|id, _| kept(&without.tags, id, "tag", &mut gone));
            // Its communities would bring a region back.
            let is_in = |id: &CommunityId| {
                self.region_of(id).is_some_and(|region| without.regions.contains(region))
            };
            labels.communities.retain(|id, _| {
                !is_in(id) && kept(&without.communities, id, "community", &mut gone)
            });
            dismissed.extend(gone.into_iter().map(|words| Dismissed {
                field: None,
                words,
                why: Cause::Rule(rule.id.clone()),
            }));
        }
    }
}

/// Whether a rule leaves a label, and, if not, which it takes.
fn kept<Id: Ord + Display>(
    without: &BTreeSet<Id>,
    id: &Id,
    kind: &str,
    gone: &mut Vec<String>,
) -> bool {
    let is_kept = !without.contains(id);
    if !is_kept {
        gone.push(format!("{kind} {id}"));
    }
    is_kept
}

fn head_chars(text: &str, chars_max: usize) -> &str {
    text.char_indices().nth(chars_max).map_or(text, |(end, _)| &text[..end])
}
