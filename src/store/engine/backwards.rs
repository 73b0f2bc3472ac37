//! Keys from the greatest on, read by ranges that go forward only.
//!
//! sled 0.34 finds the node before another one by the key before its lowest: that key's last byte
//! less one, and four bytes 255. Where keys go on with four such bytes, and more of them than one
//! node holds, it finds the node before that, goes round a million times, and panics. The keys that
//! lie the newest first are such keys: a whole second ends with four bytes 255.

use crate::store::engine::Pair;

/// How many more pairs than are wanted may be read at a time.
const SPARE: usize = 32;

/// At most `limit` pairs whose keys begin with `prefix`, below `after` if there is one, the greatest
/// first. `forward` gives at most so many pairs from a key on that lie below another.
///
/// # Errors
/// What `forward` fails with.
pub(super) fn backwards<E>(
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
    forward: impl Fn(&[u8], &[u8], usize) -> Result<Vec<Pair>, E>,
) -> Result<Vec<Pair>, E> {
    let mut high = above(prefix);
    if let Some(after) = after.filter(|after| *after < high.as_slice()) {
        after.clone_into(&mut high);
    }
    let mut found = Vec::new();
    while found.len() < limit && high.as_slice() > prefix {
        let wanted = limit - found.len();
        let (low, pairs) = last(prefix, &high, wanted, &forward)?;
        found.extend(pairs.into_iter().rev().take(wanted));
        high = low;
    }
    Ok(found)
}

/// The last pairs below `high`, all from a key on, and that key. It is `prefix` once there are
/// fewer than wanted.
fn last<E>(
    prefix: &[u8],
    high: &[u8],
    wanted: usize,
    forward: &impl Fn(&[u8], &[u8], usize) -> Result<Vec<Pair>, E>,
) -> Result<(Vec<u8>, Vec<Pair>), E> {
    let most = wanted.saturating_mul(2).saturating_add(SPARE);
    let ask = |low: &[u8], high: &[u8]| forward(low, high, most.saturating_add(1));
    // What has most in common with `high` lies nearest.
    let common = if high.starts_with(prefix) { prefix.len()..high.len() } else { 0..0 };
    let nearest = common.rev().map(|length| &high[..length]).filter(|low| *low > prefix);
    let mut reached = None;
    for low in nearest.chain([prefix]) {
        let pairs = ask(low, high)?;
        if pairs.len() > most {
            reached = pairs.last().map(|(key, _)| key.clone());
            break;
        }
        if pairs.len() >= wanted || low == prefix {
            return Ok((low.to_vec(), pairs));
        }
    }
    // More than are read at a time: there is a key at `reached`, which goes up each time round, and
    // the space above it is halved.
    let mut reached = reached.unwrap_or_else(|| prefix.to_vec());
    let mut high = high.to_vec();
    loop {
        let pairs = ask(&reached, &high)?;
        match pairs.last() {
            Some((key, _)) if pairs.len() > most => reached.clone_from(key),
            _ => return Ok((reached, pairs)),
        }
        let middle = between(&reached, &high);
        match forward(&middle, &high, 1)?.pop() {
            None => high = middle,
            Some((key, _)) => reached = key,
        }
    }
}

/// The least key above all that begin with `prefix`, which does not begin with 255.
fn above(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|byte| *byte < u8::MAX).map_or(0, |at| at + 1);
    let mut above = prefix[..kept].to_vec();
    if let Some(byte) = above.last_mut() {
        *byte += 1;
    }
    above
}

/// The middle of two keys, taken as fractions. It is above `low`, or `low` itself without the zeros
/// at its end, and below `high`.
fn between(low: &[u8], high: &[u8]) -> Vec<u8> {
    let width = low.len().max(high.len()) + 1;
    let at = |key: &[u8], index: usize| u16::from(key.get(index).copied().unwrap_or(0));
    let mut sum = vec![0_u16; width];
    let mut carry = 0;
    for index in (0..width).rev() {
        let byte = at(low, index) + at(high, index) + carry;
        sum[index] = byte & 0xFF;
        carry = byte >> 8;
    }
    let mut middle = Vec::with_capacity(width);
    for byte in sum {
        let byte = byte | (carry << 8);
        middle.push(u8::try_from(byte >> 1).unwrap_or(u8::MAX));
        carry = byte & 1;
    }
    let kept = middle.iter().rposition(|byte| *byte > 0).map_or(0, |at| at + 1);
    middle.truncate(kept);
    middle
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    type Keys = BTreeMap<Vec<u8>, Vec<u8>>;

    fn read(keys: &Keys, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
        let forward = |low: &[u8], high: &[u8], limit: usize| {
            let range = keys.range(low.to_vec()..high.to_vec()).take(limit);
            Ok::<_, Infallible>(range.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        let Ok(pairs) = backwards(prefix, after, limit, forward);
        pairs.into_iter().map(|(key, _)| key).collect()
    }

    fn expected(keys: &Keys, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
        let below = |key: &&Vec<u8>| after.is_none_or(|after| key.as_slice() < after);
        let inside = keys.keys().rev().filter(|key| key.starts_with(prefix)).filter(below);
        inside.take(limit).cloned().collect()
    }

    #[test]
    fn the_same_comes_as_from_a_map_read_backwards() {
        // A plain generator: the same keys at each run.
        let mut state = 7_u32;
        let mut next = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 12).unwrap() % below
        };
        for round in 0..60 {
            let mut keys = Keys::new();
            let alphabet: [u8; 6] = [0, 1, 2, 128, 254, 255];
            for _ in 0..next(400) {
                let length = next(12);
                let mut key = vec![[b'l', b'm', b'n'][next(3)]];
                key.extend((0..length).map(|_| alphabet[next(6)]));
                keys.insert(key, vec![]);
            }
            for _ in 0..20 {
                let length = next(4);
                let mut prefix = vec![b'm'];
                prefix.extend((0..length).map(|_| alphabet[next(6)]));
                let after = keys.keys().nth(next(1 + keys.len())).cloned();
                let after = after.filter(|after| after.starts_with(&prefix));
                let limit = [0, 1, 2, 50, 1000, usize::MAX][next(6)];
                assert_eq!(
                    read(&keys, &prefix, after.as_deref(), limit),
                    expected(&keys, &prefix, after.as_deref(), limit),
                    "round {round}: {prefix:?} {after:?} {limit}"
                );
            }
        }
    }
}
