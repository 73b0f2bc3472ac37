//! Articles come into selections, change there, and leave them: what that does to the indexes.
//!
//! # Where a member is
//! On the front of its selection, or on a page of its archive. A closed page never changes: what
//! an article was then is kept as a version of it, the edited article comes to the front again,
//! and one that leaves and comes back, as labels do, is where it was.

use crate::model::article::Article;
use crate::model::front::standing;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::publication::Selection;
use crate::model::publication::selections_of;
use crate::store::archive::Archive;
use crate::store::commit::Turnover;
use crate::store::engine::Batch;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::records::InstantRecord;
use crate::store::records::front::MemberRecord;
use crate::store::records::front::OpenRecord;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The selections that a batch changes, and how.
pub(crate) type Turnovers = BTreeMap<Selection, Turnover>;

/// An article with the digest of what readers see of it.
struct Seen<'a> {
    article: &'a Article,
    content: Digest,
}

impl Archive {
    /// How a batch changes a selection; begun if it is not yet.
    pub(crate) fn turnover<'t>(
        &self,
        turnovers: &'t mut Turnovers,
        selection: &Selection,
        at: DateTime<Utc>,
    ) -> Result<&'t mut Turnover, StoreError> {
        if !turnovers.contains_key(selection) {
            let before = self.shelf(selection)?;
            // Later than before by a second at least, the unit of Last-Modified: whoever has the
            // earlier one must not be told that nothing changed.
            let next =
                before.and_then(|shelf| shelf.changed.checked_add_signed(TimeDelta::seconds(1)));
            let changed = next.map_or(at, |next| next.max(at));
            let turnover = Turnover {
                before,
                changed,
                growth: 0,
                gone: BTreeSet::new(),
                come: BTreeSet::new(),
            };
            turnovers.insert(selection.clone(), turnover);
        }
        Ok(turnovers.get_mut(selection).expect("it was just put there"))
    }

    /// Adds to a batch what a changed article does in its selections. None before is a new one,
    /// and none after one that is taken away.
    pub(crate) fn turn(
        &self,
        batch: &mut Batch,
        before: Option<&Article>,
        after: Option<&Article>,
        turnovers: &mut Turnovers,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (before, after) = (self.seen(before)?, self.seen(after)?);
        let of = |seen: &Option<Seen<'_>>| {
            let article = seen.as_ref().map(|seen| seen.article);
            article.map(|article| selections_of(article, &self.composed)).unwrap_or_default()
        };
        let (old, new) = (of(&before), of(&after));
        for selection in old.union(&new) {
            let turnover = self.turnover(turnovers, selection, at)?;
            let changed = turnover.changed;
            let was = before.as_ref().filter(|_| old.contains(selection));
            let is = after.as_ref().filter(|_| new.contains(selection));
            turnover.growth += i64::from(is.is_some()) - i64::from(was.is_some());
            turnover.gone.extend(was.map(|was| keys::fresh(selection, was.article)));
            turnover.come.extend(is.map(|is| keys::fresh(selection, is.article)));
            let place = match (was, is) {
                (Some(was), _) => self.leave(batch, selection, was.article)?,
                (None, Some(is)) => self.return_to(batch, selection, is.article)?,
                (None, None) => None,
            };
            if was.is_some() && is.is_none() {
                let key = keys::departed(selection);
                self.put(batch, Space::Departed, key, &InstantRecord::from(changed))?;
            }
            if let (Some(was), None) = (was, is)
                && after.as_ref().is_none_or(|after| after.article.labels.excluded_by.is_some())
            {
                self.show_copies(batch, selection, was.article.id, at, changed)?;
            }
            match (place, is) {
                (place, Some(is)) => {
                    let place = moved(place, was, is, at, changed);
                    self.enter(batch, selection, is.article, place)?;
                }
                (Some(place @ MemberRecord::Closed { .. }), None) => {
                    if let (Some(was), Some(_)) = (was, &after) {
                        let left = keys::left(selection, was.article.id);
                        self.put(batch, Space::Left, left, &place)?;
                    }
                }
                _ => {}
            }
        }
        if let (Some(before), Some(after)) = (before, after)
            && before.content != after.content
        {
            self.keep_version(batch, before.article, before.content)?;
        }
        Ok(())
    }

    fn seen<'a>(&self, article: Option<&'a Article>) -> Result<Option<Seen<'a>>, StoreError> {
        let Some(article) = article else { return Ok(None) };
        Ok(Some(Seen { article, content: self.content(article)? }))
    }

    /// Takes an article out of a selection. Gives the place that it had.
    pub(crate) fn leave(
        &self,
        batch: &mut Batch,
        selection: &Selection,
        article: &Article,
    ) -> Result<Option<MemberRecord>, StoreError> {
        let member = keys::member(selection, article);
        let place = self.place_of(&member)?;
        if let Some(MemberRecord::Open { standing, .. }) = place {
            batch.insert(keys::open(selection, self.instant(standing)?, article.id), None);
        }
        batch.insert(member, None);
        batch.insert(keys::fresh(selection, article), None);
        Ok(place)
    }

    /// Puts an article into a selection.
    pub(crate) fn enter(
        &self,
        batch: &mut Batch,
        selection: &Selection,
        article: &Article,
        place: MemberRecord,
    ) -> Result<(), StoreError> {
        if let MemberRecord::Open { standing, open } = place {
            let key = keys::open(selection, self.instant(standing)?, article.id);
            self.put(batch, Space::Open, key, &open)?;
        }
        batch.insert(keys::fresh(selection, article), Some(Vec::new()));
        self.put(batch, Space::Member, keys::member(selection, article), &place)
    }

    /// Brings the copies to the front that were hidden behind an article which no page shows any
    /// more.
    fn show_copies(
        &self,
        batch: &mut Batch,
        selection: &Selection,
        id: ArticleId,
        at: DateTime<Utc>,
        changed: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let copies = self.scan(Space::Behind, &keys::copies_of(selection, id), usize::MAX)?;
        for (key, _) in copies {
            let copy = keys::id_of(&key).map(|copy| self.article(copy)).transpose()?.flatten();
            batch.insert(key, None);
            let Some(copy) = copy else { continue };
            let member = keys::member(selection, &copy);
            // Who left, or changes in the same batch, is where that leads.
            if batch.contains_key(&member) || self.place_of(&member)?.is_none() {
                continue;
            }
            self.enter(batch, selection, &copy, fresh_place(&copy, at, changed))?;
        }
        Ok(())
    }

    /// The place that an article has on a page from when it was in the selection before.
    fn return_to(
        &self,
        batch: &mut Batch,
        selection: &Selection,
        article: &Article,
    ) -> Result<Option<MemberRecord>, StoreError> {
        let left = keys::left(selection, article.id);
        let Some(value) = self.engine.get(&left)? else { return Ok(None) };
        let place = self.record(Space::Left, &left, &value)?;
        batch.insert(left, None);
        Ok(Some(place))
    }

    /// Where the member at a key is; none if there is no such member.
    pub(crate) fn place_of(&self, member: &[u8]) -> Result<Option<MemberRecord>, StoreError> {
        let value = self.engine.get(member)?;
        value.map(|value| self.record(Space::Member, member, &value)).transpose()
    }
}

/// A new place on the front.
pub(crate) fn fresh_place(
    article: &Article,
    at: DateTime<Utc>,
    changed: DateTime<Utc>,
) -> MemberRecord {
    let standing = standing(article.published, at).into();
    MemberRecord::Open { standing, open: OpenRecord { changed: changed.into(), edited: None } }
}

/// The place that an article has once it changed: a label leaves it where it stands, an edit
/// brings it to the front.
fn moved(
    place: Option<MemberRecord>,
    was: Option<&Seen<'_>>,
    is: &Seen<'_>,
    at: DateTime<Utc>,
    changed: DateTime<Utc>,
) -> MemberRecord {
    let is_edited = was.is_none_or(|was| was.article.revision != is.article.revision);
    let article = is.article;
    // An edit counts as published when it was made.
    let fresh = standing(article.published.max(article.updated), at).into();
    let (standing, edited) = match place {
        Some(place @ MemberRecord::Closed { content, .. })
            if content == is.content.0 || !is_edited =>
        {
            return place;
        }
        Some(MemberRecord::Closed { page, .. }) => (fresh, Some(page)),
        Some(MemberRecord::Open { open, .. }) if is_edited => (fresh, open.edited),
        Some(MemberRecord::Open { standing, open }) => (standing, open.edited),
        None => return fresh_place(article, at, changed),
    };
    MemberRecord::Open { standing, open: OpenRecord { changed: changed.into(), edited } }
}
