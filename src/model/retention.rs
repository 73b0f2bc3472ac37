//! How long articles are kept: for everything, for a feed, for a region.
//!
//! # Which bound holds
//! That of the feed, if it has one; else those of the article's regions; else that for everything.
//! Of several regions the one that keeps it longest counts, and one without a bound of its own keeps
//! it as everything is kept. Age and number are decided apart. Without any bound an article is kept
//! for ever.

use crate::model::article::Article;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::publication::Selection;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// For how long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// So many days since readers last saw a change in it.
    Days(u32),
    /// Always.
    Forever,
}

/// What bounds the articles of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound {
    /// For how long they are kept; none where a wider bound says it.
    pub age: Option<Age>,
    /// How many of them are kept, the newest; none where a wider bound says it.
    pub articles: Option<u64>,
}

/// All bounds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retention {
    /// Of everything.
    pub all: Bound,
    /// Of the articles of a feed.
    pub feeds: BTreeMap<FeedId, Bound>,
    /// Of the articles of a region.
    pub regions: BTreeMap<RegionId, Bound>,
}

impl Retention {
    /// Whether nothing ever goes.
    #[must_use]
    pub fn keeps_everything(&self) -> bool {
        let bounds = self.feeds.values().chain(self.regions.values()).chain([&self.all]);
        bounds
            .into_iter()
            .all(|bound| bound.articles.is_none() && !matches!(bound.age, Some(Age::Days(_))))
    }

    /// For how long an article is kept.
    #[must_use]
    pub fn age_of(&self, article: &Article) -> Age {
        let everything = self.all.age.unwrap_or(Age::Forever);
        let own = self.feeds.get(&article.feed).and_then(|bound| bound.age);
        let of_region = |id| self.regions.get(id).and_then(|bound| bound.age).unwrap_or(everything);
        let of_regions = || article.labels.regions.keys().map(of_region).max();
        own.or_else(of_regions).unwrap_or(everything)
    }

    /// Whether an article is older than it is kept. One from the year of a broken clock is not.
    #[must_use]
    pub fn is_past(&self, article: &Article, now: DateTime<Utc>) -> bool {
        match self.age_of(article) {
            Age::Forever => false,
            Age::Days(days) => {
                let oldest = now.checked_sub_signed(TimeDelta::days(days.into()));
                oldest.is_some_and(|oldest| article.updated < oldest)
            }
        }
    }

    /// Beyond whose bounds an article has to be, all of them, to go by their numbers; it never goes
    /// so if there are none.
    #[must_use]
    pub fn counted(&self, article: &Article) -> BTreeSet<Selection> {
        let everything = self.all.articles.map(|_| Selection::All);
        let own = self.feeds.get(&article.feed).and_then(|bound| bound.articles);
        if own.is_some() {
            return BTreeSet::from([Selection::Source(article.feed.clone())]);
        }
        if article.labels.regions.is_empty() {
            return everything.into_iter().collect();
        }
        let of_region = |id: &RegionId| {
            let own = self.regions.get(id).and_then(|bound| bound.articles);
            own.map(|_| Selection::Region(id.clone())).or_else(|| everything.clone())
        };
        let all: Option<BTreeSet<Selection>> =
            article.labels.regions.keys().map(of_region).collect();
        all.unwrap_or_default()
    }

    /// How many articles are kept of what has a bound in numbers.
    #[must_use]
    pub fn numbers(&self) -> BTreeMap<Selection, u64> {
        let feeds = self.feeds.iter().map(|(id, bound)| (Selection::Source(id.clone()), bound));
        let regions = self.regions.iter().map(|(id, bound)| (Selection::Region(id.clone()), bound));
        let all = feeds.chain(regions).chain([(Selection::All, &self.all)]);
        all.filter_map(|(selection, bound)| Some((selection, bound.articles?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(feed: &str, regions: &str) -> Article {
        let mut article = crate::model::article::tests::article();
        article.feed = FeedId::new(feed).unwrap();
        let ids = regions.split_whitespace().map(|id| (RegionId::new(id).unwrap(), Vec::new()));
        article.labels.regions = ids.collect();
        article
    }

    fn bound(age: &str, articles: u64) -> Bound {
        let age = match age {
            "" => None,
            "forever" => Some(Age::Forever),
            days => Some(Age::Days(days.parse().unwrap())),
        };
        Bound { age, articles: (articles > 0).then_some(articles) }
    }

    fn retention() -> Retention {
        let feeds = [("brief", bound("30", 10)), ("kept", bound("forever", 0))];
        let regions =
            [("lvivska", bound("100", 5)), ("odeska", bound("900", 0)), ("sumska", bound("", 7))];
        Retention {
            all: bound("365", 1000),
            feeds: feeds.map(|(id, bound)| (FeedId::new(id).unwrap(), bound)).into(),
            regions: regions.map(|(id, bound)| (RegionId::new(id).unwrap(), bound)).into(),
        }
    }

    #[test]
    fn the_most_specific_bound_holds_and_of_regions_the_longest() {
        for (feed, regions, age, counted) in [
            ("city", "", Age::Days(365), "all"),
            ("brief", "odeska", Age::Days(30), "sources/brief"),
            ("kept", "lvivska", Age::Forever, "regions/lvivska"),
            ("city", "lvivska", Age::Days(100), "regions/lvivska"),
            ("city", "lvivska odeska", Age::Days(900), "all regions/lvivska"),
            ("city", "lvivska kyivska", Age::Days(365), "all regions/lvivska"),
            ("city", "sumska", Age::Days(365), "regions/sumska"),
        ] {
            let article = article(feed, regions);
            assert_eq!(retention().age_of(&article), age, "{feed} {regions}");
            let told: Vec<String> =
                retention().counted(&article).iter().map(Selection::path).collect();
            assert_eq!(told.join(" "), counted, "{feed} {regions}");
        }
    }

    #[test]
    fn a_region_without_a_bound_keeps_where_nothing_bounds_everything() {
        let retention = Retention { all: Bound::default(), ..retention() };
        let article = article("city", "lvivska kyivska");
        assert_eq!(retention.age_of(&article), Age::Forever);
        assert_eq!(retention.counted(&article), BTreeSet::new());
        assert!(!retention.keeps_everything());
        assert!(Retention::default().keeps_everything());
    }

    #[test]
    fn an_article_is_past_once_it_is_older_than_its_age() {
        let article = article("brief", "");
        let limit = article.updated + TimeDelta::days(30);
        assert!(!retention().is_past(&article, limit));
        assert!(retention().is_past(&article, limit + TimeDelta::seconds(1)));
    }
}
