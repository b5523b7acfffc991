//! What people say of findings, in every other company: they acknowledge them and take that back, close
//! what cannot be seen any more, ask for exceptions, which somebody else approves, and say whose an
//! account is that names nobody. None of it changes what is true, or what is seen; nobody
//! calls a false positive what is none.

use chrono::TimeDelta;
use domain::{Decision, Disposition, Family, Finding, Signature, SystemId, Word};
use drift::{Disposed, dispose};
use store::{Disposal, NewWaiver, Store};

use super::company::Company;
use super::console::account_of;
use super::provider::Provider;

/// Of so many looks somebody goes through the findings before one.
const LOOKS: u32 = 4;
/// Of so many findings they say something of one.
const FINDINGS: u32 = 6;
const WORDS: [Word; 4] = [Word::Acknowledge, Word::Acknowledge, Word::Reopen, Word::Close];

impl Company {
    /// Lets somebody go through the findings, if this is such a company and such a time.
    pub(super) async fn speak(&mut self) -> anyhow::Result<()> {
        let is_time = self.has_operators && self.operators.u32(0..LOOKS) == 0;
        let Some(store) = self.store.take_if(|_| is_time) else { return Ok(()) };
        let findings = store.findings().await?;
        for finding in findings.iter().filter(|it| it.is_live()) {
            if self.operators.u32(0..FINDINGS) > 0 {
                continue;
            }
            match self.operators.u32(0..8) {
                0..=2 => self.say(&store, finding).await?,
                3..=5 => self.waive(&store, finding).await?,
                _ => self.decide(&store, finding).await?,
            }
        }
        self.store = Some(store);
        Ok(())
    }

    /// Says something, unless it cannot be said of this finding.
    async fn say(&mut self, store: &Store, before: &Finding) -> anyhow::Result<()> {
        let word = self.operators.choice(WORDS).unwrap_or(Word::Acknowledge);
        let until = self.in_some_days(20);
        let said = Disposition {
            finding: before.id,
            word,
            reason: "as it was looked at".to_owned(),
            said: self.signature("ada"),
            until: (word == Word::Acknowledge).then_some(until),
        };
        let Disposed::Done(done) = dispose(before, &said) else { return Ok(()) };
        let (after, event) = *done;
        store.dispose(vec![Disposal { said, before: before.clone(), after, event }]).await?;
        self.happened(self.now(), format!("{word} is said of {}", before.id));
        Ok(())
    }

    /// Asks for an exception. Three of four are approved.
    async fn waive(&mut self, store: &Store, finding: &Finding) -> anyhow::Result<()> {
        let waiver = NewWaiver {
            fingerprint: finding.fingerprint,
            cause: finding.cause,
            episode: finding.episode,
            reason: "until it is replaced".to_owned(),
            requested: self.signature("ada"),
            expires_at: self.in_some_days(60),
        };
        let asked = store.add_waivers(vec![waiver]).await?;
        let is_approved = self.operators.u32(0..4) > 0;
        if is_approved {
            store.approve_waivers(asked, self.signature("bob")).await?;
        }
        let what = format!("an exception of {} is asked for, approved {is_approved}", finding.id);
        self.happened(self.now(), what);
        Ok(())
    }

    /// Says whose the account is that it is about, which is so, where no key of it names anybody: who gets
    /// the address of somebody before them gets an account that has it.
    async fn decide(&mut self, store: &Store, finding: &Finding) -> anyhow::Result<()> {
        let is_uncertain = finding.family() == Family::Orphan;
        let account = account_of(&finding.subject.key).to_owned();
        let owner = self.truth.owner(&account, self.now()).filter(|_| is_uncertain);
        let owner = owner.filter(|it| self.seen_users.contains(*it)).map(str::to_owned);
        let Some(owner) = owner else { return Ok(()) };
        let signature = self.signature("ada");
        let decision = Decision {
            app: finding.app.clone(),
            identity: (SystemId::parse(Provider::of(&owner).name())?, owner.as_str().into()),
            account: finding.subject.key.clone(),
            is_owner: true,
            by: signature.by,
            at: signature.at,
            reason: "they were asked".to_owned(),
            entry: None,
        };
        store.add_decisions(vec![decision]).await?;
        self.happened(self.now(), format!("{account} is said to be of {owner}"));
        Ok(())
    }

    fn in_some_days(&mut self, at_most: i64) -> chrono::DateTime<chrono::Utc> {
        self.now() + TimeDelta::days(self.operators.i64(1..=at_most))
    }

    fn signature(&self, by: &str) -> Signature {
        Signature { by: by.to_owned(), at: self.now(), place: format!("{by}@desk") }
    }
}
