//! `evidence`: the leavers of a period, a bag of evidence about them, and the check of a bag.

mod gather;
mod key;
mod leavers;
mod pdf;
mod rederive;
mod stamps;
mod verify;

use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use domain::{Clock, SystemId};
use engine::deprovision_of;
use evidence::{Contents, Scope, drawn, pack, sealed};
use ledger::{Event, Exported};
use store::Store;

use crate::cli::{EvidenceCommand, ExportArgs, PeriodArgs, SampleArgs};
use crate::commands::findings::existing;
use crate::commands::ledger::TO_SIGN;
use crate::exit::{Exit, UsageError};
use crate::settings::{self, Settings};
use crate::{print, when, who};

/// Does what was asked.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or what was asked cannot be done.
pub(crate) async fn evidence(
    config: &Path,
    command: &EvidenceCommand,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let now = clock.now();
    // An auditor has no settings.
    let (text, exit) = match command {
        EvidenceCommand::Verify(args) => verify::verify(args)?,
        EvidenceCommand::Controls => (evidence::CONTROLS.as_bytes().to_vec(), Exit::Fine),
        EvidenceCommand::Key(command) => (key::key(command)?.into_bytes(), Exit::Fine),
        EvidenceCommand::Leavers(args) => {
            let settings = settings::read(config)?;
            let period = Period::of(&settings, &args.period)?;
            let store = Store::open_existing_read_only(&settings.database)?;
            (leavers::leavers(&store, &period, args.format).await?, Exit::Fine)
        }
        EvidenceCommand::Sample(args) => {
            (sample(&settings::read(config)?, args).await?.into_bytes(), Exit::Fine)
        }
        EvidenceCommand::Rederive(args) => {
            let (text, exit) = rederive::rederive(&settings::read(config)?, args).await?;
            (text.into_bytes(), exit)
        }
        EvidenceCommand::Export(args) => {
            let (text, exit) = export(&settings::read(config)?, args, now).await?;
            (text.into_bytes(), exit)
        }
    };
    print::out(text)?;
    Ok(exit)
}

/// An app, and a time with its beginning and without its end.
#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) app: SystemId,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// The identity providers bound to the app.
    idps: Vec<SystemId>,
    /// What counts for the app.
    rules: drift::AppRules,
}

impl Period {
    pub(super) fn of(settings: &Settings, args: &PeriodArgs) -> anyhow::Result<Self> {
        let rules = settings.apps.iter().map(|it| &it.rules);
        let Some(rules) = rules.clone().find(|it| it.app.as_str() == args.app) else {
            let names = crate::nearest::listed(rules.map(|it| it.app.as_str()));
            let what = format!("the settings have no app `{}`; they have {names}", args.app);
            return Err(UsageError(what).into());
        };
        let instant = |option: &str, text: &str| {
            when::begin(text, settings.policy.zone).ok_or_else(|| {
                UsageError(format!("`{option} {text}` is no day: write it as 2026-07-01"))
            })
        };
        let (from, to) = (instant("--from", &args.from)?, instant("--to", &args.to)?);
        if from >= to {
            let what = "the period ends before it begins: `--to` is the first day after it";
            return Err(UsageError(what.to_owned()).into());
        }
        let (app, idps) = (rules.app.clone(), rules.idps.clone());
        Ok(Self { app, from, to, idps, rules: rules.clone() })
    }
}

async fn export(
    settings: &Settings,
    args: &ExportArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<(String, Exit)> {
    let period = Period::of(settings, &args.period)?;
    let key = settings.evidence_key()?;
    let controls = settings.controls()?;
    if args.output.is_file() {
        let what =
            "is there already, and may be a bag that was handed out: name a file that is new";
        return Err(UsageError(format!("`{}` {what}", args.output.display())).into());
    }
    let store = existing(settings)?;
    store.announce_ledger_key(now).await?;
    let by = who::signature(args.by.as_deref(), now);
    let seen = store.deprovisions().await?;
    let day = |at: DateTime<Utc>| at.with_timezone(&settings.policy.zone).date_naive().to_string();
    let scope = Scope {
        app: period.app.clone(),
        from: period.from,
        to: period.to,
        days: (day(period.from), day(period.to)),
        now,
        made_by: by.by.clone(),
        software: crate::SOFTWARE.to_owned(),
        settings: settings.digest,
        policy_version: settings.policy.version,
        is_redacted: args.redacted,
        chosen: args.person.clone(),
        is_provisional: !deprovision_of(&period.rules, &seen).is_known(),
        limits: engine::LIMITS.iter().map(|it| (*it).to_owned()).collect(),
        controls,
        ocsf: settings.ocsf_version,
    };
    let asked = settings.live.iter().filter(|it| it.provisioned() == Some(&period.app));
    let asked: Vec<SystemId> = asked.map(|it| it.system.clone()).collect();
    let contents = gather::contents(&store, scope, (&period.idps, &asked)).await?;
    let mut bag = pack(&contents)?;
    let mut exit = Exit::Fine;
    if let Some(printer) = &settings.printer {
        let page = bag.get(evidence::PAGE).unwrap_or_default().to_vec();
        let printed = pdf::printed(printer, &page, &args.output).await;
        if let Err(why) = &printed {
            print::err(&format!("error: the bag is without its PDF: {why}"));
            exit = Exit::Incomplete;
        }
        evidence::put_printed(&mut bag, &printer.name(), printed);
    }
    let digest = sealed(&mut bag, &contents, key.as_ref())?;
    print::file(&args.output, &bag.zip(&contents.name())?)?;
    let n_leavers = contents.leavers.len();
    let exported = Exported {
        app: &period.app,
        from: period.from,
        to: period.to,
        tag_manifest: digest,
        size: contents.ledger.checkpoint.size,
        n_leavers: u64::try_from(n_leavers).unwrap_or(u64::MAX),
        is_redacted: args.redacted,
        is_chosen: !args.person.is_empty(),
    };
    store.add_export(Event::export_created(&exported, &by)).await.with_context(|| {
        format!(
            "wrote `{}`, and the ledger was not told: do not hand it out",
            args.output.display()
        )
    })?;
    Ok((said(args, &contents, key.as_ref()), exit))
}

fn said(args: &ExportArgs, contents: &Contents, key: Option<&evidence::SigningKey>) -> String {
    let n_traces = contents.leavers.iter().filter(|it| it.is_chosen).count();
    let mut text = format!(
        "Wrote `{}`: {} of {}, {n_traces} with traces; the ledger to entry {}.\n",
        args.output.display(),
        domain::counted(contents.leavers.len(), "leaver"),
        contents.scope.app,
        contents.ledger.checkpoint.size.saturating_sub(1),
    );
    match key {
        Some(key) => text.push_str(&format!(
            "Signed by {} with the key {}.\n",
            key.identity(),
            key.fingerprint()
        )),
        None => text.push_str(
            "Not signed: `driftline evidence key new` makes a key, `[evidence]` names it.\n",
        ),
    }
    if !contents.ledger.note.has_signature() {
        text.push_str(&format!("The ledger is not signed: {}.\n", TO_SIGN));
    }
    if contents.scope.is_provisional {
        text.push_str(&format!(
            "Provisional: what {} does with an account that is switched off is neither in the settings nor seen, or was seen in two ways, or otherwise than set.\n",
            contents.scope.app
        ));
    }
    text
}

async fn sample(settings: &Settings, args: &SampleArgs) -> anyhow::Result<String> {
    let period = Period::of(settings, &args.period)?;
    let store = Store::open_existing_read_only(&settings.database)?;
    let (_, checkpoint) = gather::head(&store).await?;
    let leavers =
        gather::leavers(&store, &period.app, (period.from, period.to), &checkpoint).await?;
    let mut ids = Vec::with_capacity(leavers.len());
    for line in &leavers {
        ids.push(gather::leaf(&store, line).await?.1.id());
    }
    let drawn = drawn(&checkpoint, &args.nonce, ids.iter().map(|it| &**it), args.number);
    let mut text = format!(
        "{} of {} leavers, drawn by your text under this checkpoint; a later one draws others:\n{checkpoint}\n",
        drawn.len(),
        ids.len(),
    );
    drawn.iter().for_each(|it| text.push_str(&format!("{it}\n")));
    Ok(text)
}
