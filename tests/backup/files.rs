//! A backup has all, of one instant, and no bit of it changes unseen.

use crate::composed;
use crate::fill;
use crate::fresh;
use crate::lines;
use crate::material::at;
use crate::poll;
use crate::seen;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::tempdir;
use visnyk::backup::error::BackupError;
use visnyk::backup::file::check;
use visnyk::backup::file::write;
use visnyk::backup::mending::Present;
use visnyk::backup::mending::restore;
use visnyk::model::article::Article;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::known::Change;
use visnyk::store::Store;
use visnyk::store::dump::Scribe;
use visnyk::store::refill::Validators;

fn similar(one: &str, other: &str) {
    for (one, other) in one.lines().zip(other.lines()) {
        assert!(one == other, "{one:.300}\n{other:.300}");
    }
    assert_eq!(one.lines().count(), other.lines().count());
}

#[tokio::test]
async fn a_restored_store_is_the_same_to_readers_and_in_its_next_backup() {
    let folder = tempdir().unwrap();
    let store = fill(&folder.path().join("one"), 32).await;
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let written = write(&store, &first, at(1_700_000_000)).await.unwrap();
    assert_eq!(written.unread, []);
    assert_eq!(written.backup.articles(), 94);
    assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
    let before = seen(&store).await;
    store.close().await.unwrap();
    let kinds: BTreeSet<&str> = written.backup.counts.keys().map(String::as_str).collect();
    for kind in [
        "article",
        "definition",
        "departure",
        "document",
        "hidden_copy",
        "history",
        "known",
        "labelling",
        "left",
        "page",
        "place",
        "reads",
        "receipt",
        "removal",
        "shelf",
        "trail",
        "version",
        "views",
        "claim",
    ] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }

    let two = folder.path().join("two");
    let restored = restore(&first, &two, Present::Refused, Validators::Kept, at(0)).unwrap();
    assert_eq!((restored.left_out.len(), restored.aside), (0, None));
    let store = Store::open(&two, composed()).unwrap();
    assert_eq!(store.audit().await, Ok(Vec::new()));
    similar(&seen(&store).await, &before);
    write(&store, &second, at(1_800_000_000)).await.unwrap();
    store.close().await.unwrap();
    assert!(lines(&first) == lines(&second), "a restored store is written down otherwise");
}

#[tokio::test]
async fn a_backup_is_of_one_instant_whatever_commits_do_meanwhile() {
    let folder = tempdir().unwrap();
    let store = fill(&folder.path().join("one"), 200).await;
    let path = folder.path().join("before");
    write(&store, &path, at(1_700_000_000)).await.unwrap();
    let before = lines(&path);

    let dump = store.dump().await.unwrap();
    assert!(store.dump().await.is_err(), "two readings at once");
    let mut scribe = Scribe::default();
    let mut text = Vec::new();
    let mut slices = 0;
    loop {
        let slice = dump.slice().await.unwrap();
        scribe.write(&slice, &mut text).unwrap();
        slices += 1;
        // Something is added, edited, labelled anew, taken away, and read.
        for id in ["kyiv", "odesa"] {
            let n = 100 + slices * 7;
            let edited = Article {
                title: format!("Інше {slices}"),
                revision: 9,
                ..fresh(id, &n.to_string(), n)
            };
            let added = fresh(id, &format!("new {slices}"), 1_000 + slices);
            poll(&store, id, 100 + slices, vec![Change::Updated(edited), Change::Added(added)])
                .await;
            let why = "meanwhile".to_owned();
            let removal = Removal { by: Remover::Source, why, at: at(1_695_000_000 + slices) };
            let gone = fresh(id, &(n + 1).to_string(), n + 1).id;
            store.remove(gone, removal).await.unwrap();
        }
        if slice.is_last() {
            break;
        }
    }
    dump.end().await;
    assert!(slices > 2, "{slices} slices");
    assert!(String::from_utf8(text).unwrap() == before.concat(), "a commit is in the backup");
    assert_eq!(store.audit().await, Ok(Vec::new()));
    let after = folder.path().join("after");
    write(&store, &after, at(1_700_000_000)).await.unwrap();
    assert!(lines(&after) != before);
    store.close().await.unwrap();
}

#[tokio::test]
async fn no_flipped_bit_and_no_cut_passes_for_a_backup() {
    let folder = tempdir().unwrap();
    let store = fill(&folder.path().join("one"), 32).await;
    let path = folder.path().join("whole");
    write(&store, &path, at(1_700_000_000)).await.unwrap();
    store.close().await.unwrap();
    let whole = fs::read(&path).unwrap();
    let damaged = folder.path().join("damaged");
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&damaged, bytes).unwrap();
        let error = match check(&damaged) {
            Err(error @ BackupError::Damaged { .. }) => error.to_string(),
            other => panic!("{what}: {other:?}"),
        };
        assert!(error.contains("this backup is damaged"), "{error}");
    };
    let ends = [0..64, whole.len() - 64..whole.len()];
    let places = ends.into_iter().flatten().chain((0..whole.len()).step_by(211));
    let mut count = 0;
    for place in places {
        for bit in [0, 3, 7] {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << bit;
            refused(&flipped, &format!("bit {bit} of byte {place}"));
            count += 1;
        }
    }
    for length in (0..whole.len()).step_by(307).chain(whole.len() - 50..whole.len()) {
        refused(&whole[..length], &format!("{length} bytes"));
        count += 1;
    }
    refused(&[&whole[..], b"x"].concat(), "a byte more");
    refused(&[&whole[..], &whole[..]].concat(), "twice");
    assert!(count > 500, "{count}");
    // Nothing is made of it, and nothing is left of the trial.
    let to = folder.path().join("two");
    let error = restore(&damaged, &to, Present::Refused, Validators::Kept, at(0)).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_that_is_there_is_replaced_only_if_that_is_said_and_never_while_it_is_open() {
    let folder = tempdir().unwrap();
    let directory = folder.path().join("one");
    let store = fill(&directory, 32).await;
    let path = folder.path().join("backup");
    write(&store, &path, at(1_700_000_000)).await.unwrap();
    let again = |present| restore(&path, &directory, present, Validators::Kept, at(9));
    let error = again(Present::Replaced).unwrap_err();
    assert!(matches!(error, BackupError::Locked(_)), "{error}");
    let more = vec![Change::Added(fresh("kyiv", "more", 7))];
    poll(&store, "kyiv", 60, more).await;
    let with_more = seen(&store).await;
    store.close().await.unwrap();
    let error = again(Present::Refused).unwrap_err();
    assert!(error.to_string().ends_with("`--replace` moves it aside"), "{error}");
    let aside = again(Present::Replaced).unwrap().aside.unwrap();
    let store = Store::open(&directory, composed()).unwrap();
    assert_ne!(seen(&store).await, with_more);
    store.close().await.unwrap();
    let store = Store::open(&aside, composed()).unwrap();
    similar(&seen(&store).await, &with_more);
    store.close().await.unwrap();
}
