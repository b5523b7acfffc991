//! Time stamps (RFC 3161): an authority signs that it saw the SHA-256 of a checkpoint, and when.
//!
//! The answer is kept whole, with the certificates that it brings. Here it is only read: that it
//! is about this checkpoint, this request, and when. The authority's signature is checked by
//! `openssl ts -verify`, with roots that whoever checks chose.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use outbound::Poster;
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::{Made, NotMade, Parcel, told};

/// SHA-256 (RFC 5754, 2.2).
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// Signed data (RFC 5652, 5.1).
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// What a time stamp says (RFC 3161, 2.4.2).
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// A time stamp authority.
#[derive(Debug)]
pub struct Rfc3161 {
    /// Sends to its URL.
    pub poster: Poster,
}

/// Why something is no time stamp of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NoStamp {
    what: &'static str,
}

impl Rfc3161 {
    pub(crate) async fn make(&self, parcel: &Parcel) -> Result<Made, NotMade> {
        let mut nonce = [0; 16];
        let no_random = |_| NotMade::new("the system has no random bytes to give");
        SystemRandom::new().fill(&mut nonce).map_err(no_random)?;
        let query = request(parcel.note.as_bytes(), &nonce)
            .map_err(|_| NotMade::new("the request cannot be written"))?;
        let headers = [
            ("content-type", "application/timestamp-query"),
            ("accept", "application/timestamp-reply"),
        ];
        let answer = self.poster.post(&headers, query).await;
        let answer = answer.map_err(|it| told(&it))?;
        if answer.status != 200 {
            return Err(NotMade::new(format!("the authority answered with {}", answer.status)));
        }
        let refused = |no: NoStamp| NotMade::new(format!("the authority gave no time stamp: {no}"));
        let stamp = Stamp::read(&answer.body).map_err(refused)?;
        let at = stamp.check(parcel.note.as_bytes()).map_err(refused)?;
        if stamp.nonce != Some(&*positive(&nonce)) {
            return Err(refused(NoStamp { what: "it is one of another request" }));
        }
        if !stamp.has_certificates {
            return Err(refused(NoStamp { what: "its certificates are not in it" }));
        }
        let place = format!("stamped {}", at.to_rfc3339_opts(SecondsFormat::Millis, true));
        Ok(Made { place, proof: answer.body.to_vec() })
    }
}

/// When the authority says that it saw this note, by the answer that was kept. Does not check its
/// signature.
///
/// # Errors
///
/// Returns [`NoStamp`] when it is no time stamp, or one of something else.
pub fn stamped_at(response: &[u8], note: &[u8]) -> Result<DateTime<Utc>, NoStamp> {
    Stamp::read(response)?.check(note)
}

/// A request for a stamp on a note, with certificates (RFC 3161, 2.4.1).
fn request(note: &[u8], nonce: &[u8]) -> der::Result<Vec<u8>> {
    let digest = Sha256::digest(note);
    let algorithm = sequence(&[SHA256.to_der()?, der::asn1::Null.to_der()?])?;
    let imprint = sequence(&[algorithm, OctetStringRef::new(&digest)?.to_der()?])?;
    sequence(&[1_u8.to_der()?, imprint, UintRef::new(nonce)?.to_der()?, true.to_der()?])
}

fn sequence(parts: &[Vec<u8>]) -> der::Result<Vec<u8>> {
    AnyRef::new(Tag::Sequence, &parts.concat())?.to_der()
}

/// The content of an INTEGER that is this number: no zeros in front, and none that looks negative.
fn positive(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|it| *it != 0).unwrap_or(number.len().saturating_sub(1));
    let digits = number.get(start..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_some_and(|it| *it >= 0x80) { &[0] } else { &[] };
    [sign, digits].concat()
}

/// What a time stamp says.
struct Stamp<'r> {
    imprint: &'r [u8],
    at: DateTime<Utc>,
    /// The content of its INTEGER.
    nonce: Option<&'r [u8]>,
    has_certificates: bool,
}

impl<'r> Stamp<'r> {
    /// Reads a response (RFC 3161, 2.4.2).
    fn read(response: &'r [u8]) -> Result<Self, NoStamp> {
        let no = |what| NoStamp { what };
        let whole = AnyRef::from_der(response).map_err(|_| no("it is not DER"))?;
        let mut parts = parts(whole, Tag::Sequence)?.into_iter();
        let status = parts.next().ok_or(no("it has no status"))?;
        // 0: granted, 1: granted with changes.
        let status = self::parts(status, Tag::Sequence)?;
        let granted = status.first().map(|it| content(*it, Tag::Integer)).transpose()?;
        if !matches!(granted, Some([0 | 1])) {
            return Err(no("it was refused"));
        }
        let token = parts.next().ok_or(no("it has none"))?;
        let token = self::parts(token, Tag::Sequence)?;
        let [kind, content] = &*token else { return Err(no("it is no signed data")) };
        is(*kind, SIGNED_DATA)?;
        let signed = self::parts(inside(*content)?, Tag::Sequence)?;
        let encapsulated = signed.get(2).ok_or(no("it holds nothing"))?;
        let encapsulated = self::parts(*encapsulated, Tag::Sequence)?;
        let [kind, content] = &*encapsulated else { return Err(no("it holds nothing")) };
        is(*kind, TST_INFO)?;
        let octets = self::content(inside(*content)?, Tag::OctetString)?;
        let info = AnyRef::from_der(octets).map_err(|_| no("what it says is not DER"))?;
        let has_certificates = signed.iter().any(|it| is_context(*it) && !it.value().is_empty());
        Ok(Self { has_certificates, ..Self::of_info(info)? })
    }

    fn of_info(info: AnyRef<'r>) -> Result<Self, NoStamp> {
        let no = |what| NoStamp { what };
        let info = parts(info, Tag::Sequence)?;
        let [_version, _policy, imprint, _serial, at, more @ ..] = &*info else {
            return Err(no("it says too little"));
        };
        let imprint = parts(*imprint, Tag::Sequence)?;
        let [algorithm, imprint] = &*imprint else { return Err(no("it has no imprint")) };
        let algorithm = parts(*algorithm, Tag::Sequence)?;
        is(*algorithm.first().ok_or(no("its imprint has no algorithm"))?, SHA256)?;
        let imprint = content(*imprint, Tag::OctetString)?;
        let nonce = more.iter().find(|it| it.tag() == Tag::Integer).map(|it| it.value());
        let at = time(content(*at, Tag::GeneralizedTime)?).ok_or(no("its time is none"))?;
        Ok(Self { imprint, at, nonce, has_certificates: false })
    }

    /// When, if it is about this note.
    fn check(&self, note: &[u8]) -> Result<DateTime<Utc>, NoStamp> {
        if self.imprint == &Sha256::digest(note)[..] {
            Ok(self.at)
        } else {
            Err(NoStamp { what: "it is about something else" })
        }
    }
}

/// A time with or without fractions of a second (RFC 3161, 2.4.2; X.680, 46).
fn time(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = str::from_utf8(text).ok()?;
    NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S%.fZ").ok().map(|it| it.and_utc())
}

/// The values in a value of this tag, in order.
fn parts<'r>(value: AnyRef<'r>, tag: Tag) -> Result<Vec<AnyRef<'r>>, NoStamp> {
    read_all(content(value, tag)?)
}

fn read_all(bytes: &[u8]) -> Result<Vec<AnyRef<'_>>, NoStamp> {
    let wrong = |_| NoStamp { what: "it is not DER" };
    let mut reader = SliceReader::new(bytes).map_err(wrong)?;
    let mut all = Vec::new();
    while !reader.is_finished() {
        all.push(AnyRef::decode(&mut reader).map_err(wrong)?);
    }
    Ok(all)
}

/// The value under an explicit tag `[0]`.
fn inside(value: AnyRef<'_>) -> Result<AnyRef<'_>, NoStamp> {
    let no = NoStamp { what: "it has another form" };
    if !is_context(value) {
        return Err(no);
    }
    match *read_all(value.value())? {
        [inner] => Ok(inner),
        _ => Err(no),
    }
}

/// Is it tagged `[0]`, with values in it?
fn is_context(value: AnyRef<'_>) -> bool {
    value.tag() == Tag::ContextSpecific { constructed: true, number: TagNumber::N0 }
}

fn is(value: AnyRef<'_>, oid: ObjectIdentifier) -> Result<(), NoStamp> {
    let found = value.decode_as::<ObjectIdentifier>();
    if found == Ok(oid) { Ok(()) } else { Err(NoStamp { what: "it is of another kind" }) }
}

/// The content of a value of this tag.
fn content(value: AnyRef<'_>, tag: Tag) -> Result<&[u8], NoStamp> {
    if value.tag() == tag {
        Ok(value.value())
    } else {
        Err(NoStamp { what: "it has another form" })
    }
}
