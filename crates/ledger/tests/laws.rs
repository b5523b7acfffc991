//! What always holds of trees, proofs and verification: the published examples, every prefix, and
//! one flipped bit.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};
use domain::{Digest, RunId, Signature};
use ledger::{
    Broken, Checkpoint, Edge, Event, KeyRing, Kind, Note, Proof, SecretKey, StoredEntry, Verified,
    Verifier, consistency, inclusion, leaf_hash, proves_consistency, proves_inclusion, root_of,
    seal,
};
use proptest::prelude::*;
use serde_json::json;

fn unhex(text: &str) -> Digest {
    let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

fn leaves(n: u32) -> Vec<Digest> {
    (0..n).map(|it| leaf_hash(&it.to_be_bytes())).collect()
}

/// The entries of Certificate Transparency's test vectors.
fn vectors() -> Vec<Digest> {
    let entries: [&[u8]; 8] = [
        &[],
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    entries.iter().map(|it| leaf_hash(it)).collect()
}

#[test]
fn proofs_are_those_of_the_published_vectors() {
    const A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
    const B: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
    const C: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
    const D: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    const E: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
    const F: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    const G: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
    let all = vectors();
    let hashes = |texts: &[&str]| texts.iter().map(|it| unhex(it)).collect::<Vec<Digest>>();
    assert_eq!(inclusion(&all, 0).unwrap(), hashes(&[A, B, C]));
    assert_eq!(inclusion(&all[..1], 0).unwrap(), hashes(&[]));
    assert_eq!(inclusion(&all, 8), None);
    assert_eq!(consistency(&all, 1).unwrap(), hashes(&[A, B, C]));
    assert_eq!(consistency(&all, 6).unwrap(), hashes(&[E, F, G]));
    assert_eq!(consistency(&all[..5], 2).unwrap(), hashes(&[B, D]));
    assert_eq!(consistency(&all, 9), None);
}

#[test]
fn every_entry_is_in_and_every_prefix_is_the_beginning() {
    for n in 0..70 {
        let all = leaves(n);
        let new = (u64::from(n), root_of(all.iter().copied()));
        for old in 0..=u64::from(n) {
            let root = root_of(all.iter().copied().take(usize::try_from(old).unwrap()));
            let path = consistency(&all, old).unwrap();
            assert!(proves_consistency((old, root), new, &path), "{old} of {n}");
            if old < u64::from(n) {
                let path = inclusion(&all, old).unwrap();
                let leaf = (old, all[usize::try_from(old).unwrap()]);
                assert!(proves_inclusion(leaf, new, &path), "{old} in {n}");
                assert!(!proves_inclusion((old + 1, leaf.1), new, &path) || n == 1);
            }
        }
    }
}

proptest! {
    #[test]
    fn one_flipped_bit_proves_nothing(n in 2_u32..200, old in 1_u32..200, bit in 0_usize..256, at in any::<prop::sample::Index>()) {
        let old = old.min(n - 1);
        let all = leaves(n);
        let new = (u64::from(n), root_of(all.iter().copied()));
        let was = (u64::from(old), root_of(all.iter().copied().take(old as usize)));
        let flip = |digest: &mut Digest| digest[bit / 8] ^= 1 << (bit % 8);

        let mut path = consistency(&all, was.0).unwrap();
        prop_assert!(proves_consistency(was, new, &path));
        let (mut false_was, mut false_new) = (was, new);
        flip(&mut false_was.1);
        flip(&mut false_new.1);
        prop_assert!(!proves_consistency(false_was, new, &path));
        prop_assert!(!proves_consistency(was, false_new, &path));
        flip(at.get_mut(&mut path));
        prop_assert!(!proves_consistency(was, new, &path));

        let mut path = inclusion(&all, was.0).unwrap();
        let leaf = (was.0, all[old as usize]);
        prop_assert!(proves_inclusion(leaf, new, &path));
        prop_assert!(!proves_inclusion(leaf, false_new, &path));
        flip(at.get_mut(&mut path));
        prop_assert!(!proves_inclusion(leaf, new, &path));
        path.pop();
        prop_assert!(!proves_inclusion(leaf, new, &path));
    }
}

const ORIGIN: &str = "driftline/0011223344556677";

fn key(seed: u8) -> SecretKey {
    SecretKey::parse(&SecretKey::text_of(ORIGIN, &[seed; 32]).unwrap()).unwrap()
}

fn at(minute: u32) -> DateTime<Utc> {
    format!("2026-11-20T02:{minute:02}:00Z").parse().unwrap()
}

fn ada() -> Signature {
    Signature { by: "Ada".to_owned(), at: at(0), place: "ada@host".to_owned() }
}

fn something(n: u32) -> Event {
    Event { body: json!({ "n": n }), kind: Kind::FindingOpened, ..gap() }
}

fn gap() -> Event {
    Event::runs_before(RunId(1), at(1), Some(RunId(2)))
}

/// A ledger as a table would keep it.
#[derive(Clone, Default)]
struct Kept {
    entries: Vec<(Kind, Vec<u8>)>,
    checkpoints: Vec<(u64, String)>,
    edge: Edge,
}

impl Kept {
    fn append(&mut self, events: &[Event], keys: &[&SecretKey]) {
        for event in events {
            let seq = self.edge.size();
            let entry = seal(event, seq, ("driftline", None), &mut || [9; 16]).unwrap().entry;
            self.edge.push(leaf_hash(&entry));
            self.entries.push((event.kind, entry));
        }
        let (size, root) = (self.edge.size(), self.edge.root());
        let text = Checkpoint { origin: ORIGIN.to_owned(), size, root }.to_string();
        let mut note = Note::new(text);
        keys.iter().for_each(|it| note.sign(it));
        self.checkpoints.push((size, note.to_string()));
    }

    fn verify(&self, mut verifier: Verifier) -> Result<Verified, Broken> {
        let mut checkpoints = self.checkpoints.iter().peekable();
        for (seq, (kind, entry)) in self.entries.iter().enumerate() {
            let hash = leaf_hash(entry);
            let (seq, kind) = (seq as u64, kind.name());
            verifier.entry(StoredEntry { seq, kind, entry, hash: &hash })?;
            if let Some((size, note)) = checkpoints.next_if(|it| it.0 == verifier.size()) {
                verifier.checkpoint(*size, note)?;
            }
        }
        for (size, note) in checkpoints {
            verifier.checkpoint(*size, note)?;
        }
        verifier.finish()
    }

    fn plain(&self) -> Result<Verified, Broken> {
        self.verify(Verifier::new(ORIGIN))
    }
}

/// Ten entries in five batches, signed since the second.
fn sample() -> Kept {
    let mut kept = Kept::default();
    kept.append(&[gap(), something(1)], &[]);
    kept.append(&[Event::first_key(key(1).public(), at(2), None), something(3)], &[&key(1)]);
    for n in [4, 6, 8] {
        kept.append(&[something(n), something(n + 1)], &[&key(1)]);
    }
    kept
}

#[test]
fn a_ledger_is_verified_with_its_keys() {
    let verified = sample().plain().unwrap();
    assert_eq!((verified.size_and_root().0, verified.n_checkpoints), (10, 5));
    assert_eq!(verified.signed_by, [key(1).public().clone()]);
    assert_eq!(Kept::default().plain().unwrap().head, None);
}

#[test]
fn a_new_key_counts_when_an_old_one_announces_it() {
    let mut kept = sample();
    kept.append(&[Event::key_added(key(2).public(), &ada())], &[&key(1), &key(2)]);
    kept.append(&[Event::key_revoked(key(1).public(), "rotated", &ada())], &[&key(2)]);
    kept.append(&[something(20)], &[&key(2)]);
    let trusting = |seed| kept.verify(Verifier::new(ORIGIN).trusting(key(seed).public().clone()));
    assert_eq!(trusting(1).unwrap().signed_by, [key(2).public().clone()]);
    assert!(trusting(2).is_ok());
    assert!(matches!(trusting(3), Err(Broken::Untrusted { .. })));

    // Somebody announces a key of their own.
    let mut forged = sample();
    forged.append(&[Event::key_added(key(3).public(), &ada())], &[&key(3)]);
    assert!(matches!(forged.plain(), Err(Broken::Unsigned { size: 11, .. })));
    // Somebody revokes a key without having it: that can be seen, and proves nothing to its holder.
    let mut revoked = sample();
    revoked.append(&[Event::key_revoked(key(1).public(), "lost", &ada())], &[]);
    revoked.append(&[Event::key_added(key(3).public(), &ada())], &[&key(3)]);
    let verified = revoked.plain().unwrap();
    assert_eq!(verified.keys.keys()[0].revoked, Some(10));
    let held = Verifier::new(ORIGIN).trusting(key(1).public().clone());
    assert!(matches!(revoked.verify(held), Err(Broken::Untrusted { .. })));
}

#[test]
fn keys_that_say_what_cannot_be_are_named() {
    let again = Event::key_added(key(1).public(), &ada());
    let unknown = Event::key_revoked(key(2).public(), "?", &ada());
    let other = Event { body: json!({"key": "other+00000000+AAAA"}), ..again.clone() };
    for event in [again, unknown, other] {
        let mut kept = sample();
        kept.append(&[event], &[&key(1)]);
        assert_eq!(kept.plain(), Err(Broken::Key { seq: 10 }));
    }
}

#[test]
fn a_key_is_asked_for_while_one_is_in_force() {
    let ring = sample().plain().unwrap().keys;
    assert_eq!(ring.is_new(ORIGIN, key(1).public()), Ok(false));
    assert_eq!(KeyRing::default().is_new(ORIGIN, key(2).public()), Ok(true));
    let error = ring.is_new(ORIGIN, key(2).public()).unwrap_err();
    assert!(error.to_string().contains("ledger key rotate"), "{error}");
    assert!(ring.is_new("another", key(1).public()).is_err());

    assert!(ring.check_signers(&ring, &[key(1).public()]).is_ok());
    assert!(KeyRing::default().check_signers(&KeyRing::default(), &[]).is_ok());
    let error = ring.check_signers(&ring, &[key(2).public()]).unwrap_err();
    assert!(error.to_string().contains("ledger.signing_key"), "{error}");
}

#[test]
fn what_is_not_signed_any_more_is_named() {
    let mut kept = sample();
    kept.append(&[something(10)], &[]);
    assert!(matches!(kept.plain(), Err(Broken::Unsigned { size: 11, .. })));
    let mut kept = sample();
    let (size, note) = kept.checkpoints.pop().unwrap();
    let mut forged = Note::new(note.split("\n\n").next().unwrap().to_owned() + "\n");
    forged.sign(&key(1));
    let forged = forged.to_string().replacen("driftline/", "Driftline/", 1);
    kept.checkpoints.push((size, forged));
    assert_eq!(kept.plain(), Err(Broken::Checkpoint { size: 10 }));
}

#[test]
fn a_history_written_again_with_the_key_is_caught_by_an_older_checkpoint() {
    let held = Checkpoint::parse(Note::parse(&sample().checkpoints[2].1).unwrap().text()).unwrap();
    let mut again = Kept::default();
    again.append(&[gap(), something(100)], &[]);
    again.append(&[Event::first_key(key(1).public(), at(2), None), something(3)], &[&key(1)]);
    let short = again.clone();
    again.append(&[something(4), something(5), something(6)], &[&key(1)]);
    assert!(again.plain().is_ok(), "in itself it is as good as the first");
    let since = |kept: &Kept| kept.verify(Verifier::new(ORIGIN).since(held.clone()));
    assert_eq!(since(&again), Err(Broken::Rewritten { held: 6 }));
    assert_eq!(since(&short), Err(Broken::Shorter { size: 4, held: 6 }));
    assert!(since(&sample()).is_ok());
}

#[test]
fn a_proof_reads_back_and_is_of_its_entry_alone() {
    let kept = sample();
    let hashes: Vec<Digest> = kept.entries.iter().map(|it| leaf_hash(&it.1)).collect();
    let note = Note::parse(&kept.checkpoints[4].1).unwrap();
    let proof = Proof { index: 3, path: inclusion(&hashes, 3).unwrap(), note };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 3\n"), "{text}");
    let read = Proof::parse(&text).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.check(&kept.entries[3].1).unwrap().size, 10);
    assert!(read.check(&kept.entries[4].1).is_err());
    assert_eq!(Proof::parse(&text.replacen("\nindex", "\nextra AAAA\nindex", 1)).unwrap(), proof);
    for (from, to) in
        [("v1", "v2"), ("index 3", "index x"), ("\n\n", "\n"), ("index 3\n", "index 3\n*\n")]
    {
        assert!(Proof::parse(&text.replacen(from, to, 1)).is_err(), "{from} {to}");
    }
}

proptest! {
    #[test]
    fn any_change_is_named_at_or_before_its_batch(
        at in 0_usize..10, with in 0_usize..10, bit in any::<prop::sample::Index>(), what in 0..4_u8
    ) {
        let mut kept = sample();
        let before = kept.entries.clone();
        match what {
            0 => {
                let entry = &mut kept.entries[at].1;
                let n_bits = entry.len() * 8;
                let bit = bit.index(n_bits);
                entry[bit / 8] ^= 1 << (bit % 8);
            }
            1 => { kept.entries.remove(at); }
            2 => kept.entries.swap(at, with),
            _ => { let entry = kept.entries[at].clone(); kept.entries.insert(at, entry); }
        }
        prop_assume!(kept.entries != before);
        let first = match kept.plain().unwrap_err() {
            Broken::Missing { seq } | Broken::Altered { seq } | Broken::Unchecked { seq } | Broken::Key { seq } => seq,
            Broken::Replaced { first, .. } => first,
            other => panic!("{other}"),
        };
        prop_assert!(first <= at.max(with) as u64 + 1, "{first} for {at}");
    }
}
