//! `probe deprovision`: switches a canary off over SCIM, and writes down what the app makes of it. The
//! only code of Driftline that writes to an app: with a token and a client of its own, to an account
//! that the settings name and that is nobody's, after somebody confirmed what would be sent.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connectors::live::{Answer, LivePull, Question};
use connectors::scim::{Scim, path_of};
use data_encoding::HEXLOWER;
use domain::{
    Account, Activity, Channel, Clock, Coverage, Deprovisioned, ProbeEnd, ProbeRequest, Request,
    Right, Rows, Text,
};
use engine::{Source, inspect};
use outbound::Patcher;
use sha2::{Digest as _, Sha256};
use store::Store;
use tokio::time::{Instant, sleep};

use crate::cli::{CONFIG, ProbeArgs, WAIT};
use crate::commands::findings::existing;
use crate::exit::{Exit, UsageError};
use crate::settings::{self, Settings};
use crate::{print, profiles, who};

/// Letters of a digest that somebody types again.
const SHOWN: usize = 12;

/// Between two looks at an app that does not show the account off yet.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// Probes, or says what it would send.
///
/// # Errors
///
/// Fails when the account may not be probed, what was confirmed is not what would be sent, or the
/// settings, the database or the app cannot be used.
pub(crate) async fn deprovision(
    config: &Path,
    args: &ProbeArgs,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let store = existing(&settings)?;
    let target = Target::of(&settings, args)?;
    target.is_a_canary(&settings, &store, args, clock.now()).await?;
    let before = target.is_on(&settings, &store, clock).await?;
    let digest = target.digest(args, &before);
    let Some(confirm) = &args.confirm else {
        print::out(target.shown(config, args, &before, &digest)?)?;
        return Ok(Exit::Fine);
    };
    if *confirm != digest {
        let what = format!(
            "what would be sent is not what was shown under `{confirm}`, or the account is not as it was: look again without --confirm"
        );
        return Err(UsageError(what).into());
    }
    let asked = who::signature(args.by.as_deref(), clock.now());
    // Kept before anything is sent: a probe that is cut off stands in the ledger.
    let probe = store.begin_probe(target.app.clone(), target.account.clone(), asked).await?;
    let number = probe.id;
    let end = target.probe(args, clock).await;
    let exit = if end.behaviour.is_some() { Exit::Fine } else { Exit::Incomplete };
    let page = target.told(args, number, &end);
    store.end_probe(probe, end).await?;
    print::out(page)?;
    Ok(exit)
}

/// The account, and how it is read and written.
struct Target {
    app: domain::SystemId,
    account: Text,
    scim: Scim,
    /// Whether who is gone from the list may have access all the same, by the app's profile.
    never_shows_removal: bool,
    patcher: Patcher,
    /// Below the base URL.
    path: String,
    /// The same with the base URL, for people.
    url: String,
}

impl Target {
    /// What the settings allow.
    fn of(settings: &Settings, args: &ProbeArgs) -> anyhow::Result<Self> {
        let refused = |what: String| UsageError(format!("{what}; nothing was sent"));
        let is_it = |it: &&settings::Live| {
            it.system.as_str() == args.app && it.channel() == Some(Channel::Scim)
        };
        let live = settings.live.iter().find(is_it);
        let live = live.ok_or_else(|| {
            refused(format!("the settings have no app `{}` with a `scim` table", args.app))
        })?;
        let allowed = live.prober()?;
        let (canaries, patcher) = allowed.ok_or_else(|| {
            let table = format!("[app.{}.scim.probe]", args.app);
            refused(format!("there is no {table}: name a token that may write, and the canaries"))
        })?;
        if !canaries.iter().any(|it| **it == *args.account) {
            let table = format!("[app.{}.scim.probe]", args.app);
            let what = format!("`{}` is not in `canaries` of {table}", args.account);
            return Err(refused(what).into());
        }
        let profiles = profiles::load(settings.profiles.as_deref())?;
        let Source::Scim(scim) = live.connect(&profiles)? else {
            return Err(refused(format!("`{}` is not read over SCIM", args.app)).into());
        };
        let path = path_of(&args.account);
        let url = patcher.url(&path)?.to_string();
        let (app, account) = (live.system.clone(), Text::from(args.account.as_str()));
        let never_shows_removal = live.never_shows_removal();
        Ok(Self { app, account, scim, never_shows_removal, patcher, path, url })
    }

    /// Refuses an account that is anybody's, as the last run saw it.
    async fn is_a_canary(
        &self,
        settings: &Settings,
        store: &Store,
        args: &ProbeArgs,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let last = store.latest_full_run().await?;
        let max_age = settings.policy.max_age;
        if last.is_none_or(|it| now - it.now > max_age) {
            let what = "no run of late has seen whose account it is: do one with `driftline run --once`; nothing was sent";
            return Err(UsageError(what.to_owned()).into());
        }
        if !self.belongs_to(settings, store, &args.account).await? {
            let what = format!(
                "no run has seen account `{}` of `{}`: do one with `driftline run --once`; nothing was sent",
                self.account, self.app
            );
            return Err(UsageError(what).into());
        }
        Ok(())
    }

    /// Refuses whatever goes by this name and is anybody's, and the account where that is not known.
    /// Returns whether the account goes by it.
    async fn belongs_to(
        &self,
        settings: &Settings,
        store: &Store,
        name: &str,
    ) -> anyhow::Result<bool> {
        let plan = settings.plan_to_judge_again(profiles::load(settings.profiles.as_deref())?)?;
        let answers = inspect(store, &plan, Some(&self.app), name).await?;
        for it in &answers {
            if !it.person.identities.is_empty() || it.link != domain::LinkKind::None {
                let what = format!(
                    "`{}` is no canary: it is, or goes by the name of, an account of {} ({}, {}); nothing was sent",
                    self.account,
                    it.person.identities.join(" or "),
                    it.right,
                    it.link
                );
                return Err(UsageError(what).into());
            }
        }
        let own = answers.iter().find(|it| it.account.as_deref() == Some(&*self.account));
        let why = match own.map(|it| it.right) {
            None | Some(Right::Unassigned) => return Ok(own.is_some()),
            Some(Right::SourceGone) => {
                "it is of somebody who is in no list any more, and its keys name nobody else"
            }
            Some(_) => "the identity providers were not seen whole, so whose it is is not known",
        };
        let what = format!("`{}` may be no canary: {why}; nothing was sent", self.account);
        Err(UsageError(what).into())
    }

    /// The account as it is now: on, and by no name of anybody.
    async fn is_on(
        &self,
        settings: &Settings,
        store: &Store,
        clock: &dyn Clock,
    ) -> anyhow::Result<Account> {
        let refused = |what: String| UsageError(format!("{what}; nothing was sent"));
        let (answer, _) = self.by_id(clock).await;
        let account = match answer {
            Answer::Found { row: Rows::Accounts(rows), .. } => rows.first(),
            Answer::Found { .. } | Answer::Gone => None,
            Answer::Unknown { why } => {
                return Err(
                    refused(format!("the app does not show `{}`: {why}", self.account)).into()
                );
            }
        };
        let account =
            account.ok_or_else(|| refused(format!("the app has no account `{}`", self.account)))?;
        if Activity::of(&account) != Activity::Active {
            let what = format!("`{}` is not on: nothing would be seen of it", self.account);
            return Err(refused(what).into());
        }
        let names = [&account.user_name, &account.email, &account.external_id];
        for name in names.into_iter().flatten() {
            self.belongs_to(settings, store, name).await?;
        }
        Ok(account)
    }

    /// Of all that was shown.
    fn digest(&self, args: &ProbeArgs, before: &Account) -> String {
        let shown = format!("{} {} {} {before:?}", self.url, body(false), args.put_back);
        HEXLOWER
            .encode(&Sha256::digest(shown.as_bytes()))
            .get(..SHOWN)
            .unwrap_or_default()
            .to_owned()
    }

    /// What would be sent.
    fn shown(
        &self,
        config: &Path,
        args: &ProbeArgs,
        before: &Account,
        digest: &str,
    ) -> anyhow::Result<String> {
        let mut page = format!(
            "Account `{}` of {} is on, and nobody's ({}).\n\nThis would be sent, with the token of [app.{}.scim.probe]:\n",
            self.account,
            self.app,
            before.user_name.as_deref().unwrap_or("without a name"),
            self.app
        );
        let mut request = |is_on: bool| {
            writeln!(
                page,
                "\n  PATCH {}\n  Content-Type: application/scim+json\n\n  {}",
                self.url,
                body(is_on)
            )
        };
        request(false)?;
        if args.put_back {
            request(true)?;
        }
        writeln!(
            page,
            "\nAfter the first, the list and the account by its id are read until it is off, for at most {} s.{}",
            args.wait,
            if args.put_back { "" } else { " It stays off: `--put-back` switches it on again." }
        )?;
        writeln!(
            page,
            "Nothing was written. To do it:\n  {} --confirm {digest}",
            again(config, args)
        )?;
        Ok(page)
    }

    /// Switches it off, looks, and puts it back if that was asked for.
    async fn probe(&self, args: &ProbeArgs, clock: &dyn Clock) -> ProbeEnd {
        let mut requests = Vec::new();
        let sent = self.switch(false, clock, &mut requests).await;
        let end = Instant::now() + Duration::from_secs(args.wait.into());
        let mut look = self.look(clock, &mut requests).await;
        while look.is_on() && Instant::now() + BETWEEN_LOOKS <= end {
            sleep(BETWEEN_LOOKS).await;
            look = self.look(clock, &mut requests).await;
        }
        let (behaviour, seen) = look.means();
        let mut outcome = format!("The app {sent}. {seen}");
        let mut is_back_on = false;
        if args.put_back {
            let back = match look.by_id {
                Answer::Gone => "It cannot be put back: by its id it is gone.".to_owned(),
                Answer::Found { .. } | Answer::Unknown { .. } => {
                    let sent = self.switch(true, clock, &mut requests).await;
                    is_back_on = self.look(clock, &mut requests).await.is_on();
                    let state = if is_back_on { "is on again" } else { "was not seen on again" };
                    format!("To switch it on again was sent, the app {sent}, and it {state}.")
                }
            };
            outcome = format!("{outcome} {back}");
        }
        ProbeEnd { at: clock.now(), behaviour, outcome, is_back_on, requests }
    }

    /// Sends one write. Says what the app did with it.
    async fn switch(
        &self,
        is_on: bool,
        clock: &dyn Clock,
        requests: &mut Vec<ProbeRequest>,
    ) -> String {
        let (body, at) = (body(is_on).into_bytes(), clock.now());
        let digest = Sha256::digest(&body).into();
        let mut keep = |all: &[Request], at| {
            let line = |it| ProbeRequest { sent_sha256: Some(digest), ..line(it, at) };
            requests.extend(all.iter().map(line));
        };
        match self.patcher.patch(&self.path, body).await {
            Ok(patched) => {
                keep(&patched.requests, patched.sent_at);
                match patched.status {
                    200..=299 => format!("took the change (HTTP {})", patched.status),
                    status => format!("refused the change (HTTP {status})"),
                }
            }
            Err(error) => {
                keep(&error.requests, at);
                format!("did not answer the change, which it may have made ({})", error.kind)
            }
        }
    }

    /// Reads the list, then the account by its id.
    async fn look(&self, clock: &dyn Clock, requests: &mut Vec<ProbeRequest>) -> Look {
        let at = clock.now();
        let pull = self.scim.pull(clock).await;
        requests.extend(of_pull(&pull).map(|it| line(it, at)));
        let list = self.in_list(pull);
        let (by_id, asked) = self.by_id(clock).await;
        requests.extend(asked);
        Look { list, by_id }
    }

    fn in_list(&self, pull: LivePull) -> InList {
        let Some(snapshot) = pull.snapshots.into_iter().next() else {
            let why = pull.failures.first().map(|it| it.error.to_string());
            return InList::NotKnown(why.unwrap_or_else(|| "it was not read".to_owned()));
        };
        let Rows::Accounts(accounts) = snapshot.rows else {
            return InList::NotKnown("it is no list of accounts".to_owned());
        };
        match (accounts.iter().find(|it| it.id == self.account), snapshot.coverage) {
            (Some(account), _) => InList::There(Activity::of(&account)),
            (None, Coverage::Complete(_)) => InList::NotThere,
            (None, Coverage::Partial { reason }) => InList::NotKnown(reason),
        }
    }

    async fn by_id(&self, clock: &dyn Clock) -> (Answer, Vec<ProbeRequest>) {
        let question = Question::Account(self.account.clone());
        let mut replies = self.scim.reread(clock, &[question]).await;
        match replies.pop() {
            Some(reply) => {
                let requests = reply.requests.iter().map(|it| line(it, reply.sent_at)).collect();
                (reply.answer, requests)
            }
            None => (Answer::Unknown { why: "it was not asked".to_owned() }, Vec::new()),
        }
    }

    fn told(&self, args: &ProbeArgs, number: i64, end: &ProbeEnd) -> String {
        let next = match end.behaviour {
            Some(_) if self.never_shows_removal => {
                "By the app's profile, who is gone from its list may have access all the same: leave `deprovision` unset.".to_owned()
            }
            Some(it) => {
                format!("If that is always so, set `deprovision = \"{it}\"` in [app.{}].", args.app)
            }
            None => "Nothing can be told from it: look at the account in the app.".to_owned(),
        };
        format!(
            "Probe {number} of account `{}` of {}: {}\n{next}\nKept with {} requests, in the database and the ledger.\n",
            self.account,
            self.app,
            end.outcome,
            end.requests.len()
        )
    }
}

/// The command as it was given, for a shell.
fn again(config: &Path, args: &ProbeArgs) -> String {
    let ProbeArgs { app, account, put_back, wait, by, confirm: _ } = args;
    let mut words = vec!["driftline".to_owned()];
    if config != Path::new(CONFIG) {
        words.extend(["--config".to_owned(), word(&config.display().to_string())]);
    }
    words.extend(["probe".to_owned(), "deprovision".to_owned(), word(app), word(account)]);
    if *put_back {
        words.push("--put-back".to_owned());
    }
    if *wait != WAIT {
        words.extend(["--wait".to_owned(), wait.to_string()]);
    }
    if let Some(by) = by {
        words.extend(["--by".to_owned(), word(by)]);
    }
    words.join(" ")
}

/// A text that a shell reads as one word.
fn word(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:@+,".contains(it);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What the app shows of the account.
struct Look {
    list: InList,
    by_id: Answer,
}

enum InList {
    There(Activity),
    /// And the list is whole.
    NotThere,
    NotKnown(String),
}

impl Look {
    /// Whether either shows it on.
    fn is_on(&self) -> bool {
        matches!(self.list, InList::There(Activity::Active)) || self.by_id_is(Activity::Active)
    }

    fn by_id_is(&self, activity: Activity) -> bool {
        matches!(&self.by_id, Answer::Found { row: Rows::Accounts(rows), .. }
            if rows.first().is_some_and(|it| Activity::of(&it) == activity))
    }

    /// What that shows of the app, and the same for people.
    fn means(&self) -> (Option<Deprovisioned>, String) {
        let is_off = self.by_id_is(Activity::Inactive);
        match (&self.list, &self.by_id) {
            _ if self.is_on() => (None, "It is still shown on.".to_owned()),
            (InList::There(Activity::Inactive), _) => {
                (Some(Deprovisioned::Lists), "It stays in the list, inactive.".to_owned())
            }
            (InList::NotThere, Answer::Found { .. }) if is_off => (
                Some(Deprovisioned::Hides),
                "It is not in the list, and by its id it is there, inactive.".to_owned(),
            ),
            (InList::NotThere, Answer::Gone) => (
                Some(Deprovisioned::Deletes),
                "It is not in the list, and by its id it is gone: deleted, or forgotten by what answers, which need not be the app.".to_owned(),
            ),
            (InList::NotKnown(why), _) => {
                (None, format!("The list was not seen whole, so it does not show whether the account is in it: {why}."))
            }
            (_, Answer::Unknown { why }) => {
                (None, format!("By its id the app did not show it: {why}."))
            }
            _ => (None, "The list and the account by its id do not say whether it is off.".to_owned()),
        }
    }
}

/// Replaces `active` (RFC 7644, 3.5.2.3).
fn body(is_on: bool) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"replace","path":"active","value":{is_on}}}]}}"#
    )
}

fn of_pull(pull: &LivePull) -> impl Iterator<Item = &Request> {
    pull.requests.iter().chain(pull.snapshots.iter().flat_map(|it| it.requests.iter()))
}

fn line(request: &Request, at: DateTime<Utc>) -> ProbeRequest {
    ProbeRequest {
        method: request.method.clone(),
        url: request.url.clone(),
        status: request.status,
        n_bytes: request.n_bytes,
        sha256: request.sha256,
        sent_sha256: None,
        at,
    }
}
