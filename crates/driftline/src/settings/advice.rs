//! Settings that can be used and are probably not what was meant, or could be better.

use chrono::TimeDelta;
use connectors::files::Profiles;
use domain::SlaLimit;
use domain::{Pass, SystemId, SystemKind, Tier};
use drift::Deprovision;
use engine::AppPlan;

use super::Settings;
use crate::nearest::nearest;
use crate::when::written;

/// One sentence for each thing that an operator should know, in the order of the file.
/// Empty: nothing to say.
pub(crate) fn advice(settings: &Settings, profiles: &Profiles) -> Vec<String> {
    let mut advice = Vec::new();
    if settings.apps.is_empty() {
        advice.push(
            "no app is configured: nothing is judged until there is an `[app.NAME]`".to_owned(),
        );
    }
    for app in &settings.apps {
        of_app(settings, app, &mut advice);
    }
    of_files(settings, profiles, &mut advice);
    if let (Some(live), true) = (settings.live.first(), settings.nights.is_some()) {
        advice.push(format!(
            "`{}` is read over the network and `[nights]` are folders of exports: a run refuses \
             the two together, for an API speaks of now",
            live.system
        ));
    }
    of_interval(settings, &mut advice);
    of_service(settings, &mut advice);
    of_channels(settings, &mut advice);
    advice
}

fn of_channels(settings: &Settings, advice: &mut Vec<String>) {
    for channel in &settings.channels {
        let name = &channel.name;
        if channel.belongs_to_a_person() {
            advice.push(format!(
                "alert `{name}` is a Teams workflow, which belongs to a person and stops when they \
                 leave: give it a co-owner, and name a second channel that is none"
            ));
        }
        if channel.shows_names() {
            advice.push(format!(
                "alert `{name}` shows names and logins to all who can read it: `names = false` \
                 names accounts by key"
            ));
        }
        let is_led_to = settings.routes.routes.iter().any(|route| {
            let escalated = route.escalate.iter().flat_map(|it| &it.1);
            route.to.iter().chain(escalated).any(|it| it == name)
        });
        let gets_reports = settings.routes.report.to.contains(name);
        if gets_reports && settings.routes.report.shows_document && !channel.is_mailbox() {
            advice.push(format!(
                "alert `{name}` gets the whole report, which names people: `report.json = false` \
                 sends grades and counts"
            ));
        }
        if !is_led_to && !gets_reports {
            advice.push(format!("no route leads to alert `{name}`: it is told nothing"));
        }
    }
    let has_hours = settings.routes.routes.iter().any(|it| it.hours.is_some());
    if has_hours && settings.service.schedule.is_none() {
        advice.push(
            "a route has `hours`, and there is no `[schedule]`: what waits for them is sent by a run \
             within them alone; let one fall into them, or run the daemon"
                .to_owned(),
        );
    }
    if let [only] = &*settings.channels {
        advice.push(format!(
            "alert `{}` is the only channel: when it takes nothing, nobody is told; name a second",
            only.name
        ));
    }
}

fn of_app(settings: &Settings, app: &AppPlan, advice: &mut Vec<String>) {
    let (rules, name) = (&app.rules, &app.rules.app);
    if rules.idps.is_empty() {
        advice.push(format!(
            "app `{name}` is bound to no identity provider: nobody is entitled to it, and nothing \
             is judged; list them in `idps`"
        ));
    }
    if rules.canaries.is_empty() {
        advice.push(format!(
            "app `{name}` has no canaries: no report on it gets grade A; name an account or two \
             that must be in every list"
        ));
    }
    of_deprovision(settings, app, advice);
    let has_hr = settings.sources(None).iter().any(|source| source.kind == SystemKind::Hr);
    if has_hr && rules.authority.is_none() {
        advice.push(format!(
            "app `{name}` has no `authority`: where HR says that somebody left and an identity \
             provider entitles them, that is the finding `sources_disagree`"
        ));
    }
    if !rules.idps.is_empty() && app.keys.person_keys.is_empty() && rules.idps.len() > 1 {
        let key = Tier::EmployeeNumber.label();
        advice.push(format!(
            "app `{name}` has several identity providers and `keys.person` is empty: nobody is \
             known to be one person in two of them; list the {key} where it is kept"
        ));
    }
}

/// What becomes of an account that is switched off.
fn of_deprovision(settings: &Settings, app: &AppPlan, advice: &mut Vec<String>) {
    let (rules, name) = (&app.rules, &app.rules.app);
    let is_never_shown =
        settings.live.iter().any(|it| it.system == *name && it.never_shows_removal());
    if is_never_shown && rules.deprovision == Deprovision::Unknown {
        advice.push(format!(
            "app `{name}`: by its profile, who is gone from its list may have access all the same, so \
             absence never shows that an account is off, and a bag of evidence calls itself provisional; \
             leave `deprovision` unset"
        ));
        return;
    }
    if is_never_shown {
        advice.push(format!(
            "app `{name}` has `deprovision`, and by its profile who is gone from its list may have access \
             all the same: a leaver would be missed; take it out"
        ));
    }
    if rules.deprovision == Deprovision::Unknown {
        advice.push(format!(
            "app `{name}` has `deprovision = \"unknown\"`: an account that is gone from its list \
             is never proven gone; record what you observed when one was switched off"
        ));
    }
    if rules.is_on_vendors_word {
        advice.push(format!(
            "app `{name}` has no `deprovision`: what its vendor documents counts, and a bag of \
             evidence calls itself provisional; record what you observed when one was switched off"
        ));
    }
    if rules.deprovision == Deprovision::Hides && rules.inactive_canaries.is_empty() {
        advice.push(format!(
            "app `{name}` hides inactive accounts and has no `inactive_canaries`: that it still \
             does is never shown; name an account that is switched off"
        ));
    }
}

fn of_files(settings: &Settings, profiles: &Profiles, advice: &mut Vec<String>) {
    for source in settings.sources(None) {
        let is_live = settings.live.iter().any(|it| it.system == source.system);
        if source.files.is_empty() && !is_live {
            advice.push(format!(
                "{} `{}` has no file: nothing of it is seen; add `[[{}.{}.file]]`",
                source.kind, source.system, source.kind, source.system
            ));
        }
        for file in &source.files {
            let name = file.profile.as_deref().filter(|name| profiles.get(name).is_none());
            if let Some(name) = name {
                let guess = nearest(name, profiles.names())
                    .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
                advice.push(format!(
                    "`{}` of `{}` names the profile `{name}`, which there is not{guess}",
                    file.shown_as, source.system
                ));
            }
        }
        let has_no_zone = !settings.is_zone_said && source.files.iter().any(|it| it.zone.is_none());
        if source.kind == SystemKind::Hr && has_no_zone {
            advice.push(format!(
                "there is no `policy.zone`: a last day in hr `{}` that names no zone is one of UTC, hours \
                 before or after that of the people; name your zone",
                source.system
            ));
        }
        let is_bound = settings.apps.iter().any(|app| app.rules.idps.contains(&source.system));
        if source.kind == SystemKind::Idp && !is_bound {
            advice.push(format!("idp `{}` is bound to no app: it entitles nobody", source.system));
        }
    }
}

/// Who watches the watcher, and who may ask it.
fn of_service(settings: &Settings, advice: &mut Vec<String>) {
    let service = &settings.service;
    let Some(schedule) = &service.schedule else { return };
    let (sla, longest) = sla_and_its_quarter(settings);
    // A light pass looks at the leavers of who can be asked what happened, and by id.
    let is_live = |it: &SystemId| settings.live.iter().any(|live| live.system == *it);
    let all_live = settings.apps.iter().all(|it| it.rules.idps.iter().all(is_live));
    let looks = if all_live { Pass::ALL } else { &[Pass::Full] };
    if let Some(gap) = schedule.longest_gap(looks).filter(|it| *it > longest) {
        advice.push(format!(
            "runs are up to {} apart, over a quarter of the SLA of {sla}: look every {} or more \
             often, or many results will read `not_proven`",
            written(gap),
            written(longest)
        ));
    }
    if schedule.has_light() && settings.live.is_empty() {
        advice.push(
            "`schedule.light` asks by id, and nothing is read over the network: it finds nothing \
             new"
            .to_owned(),
        );
    }
    if service.listen.is_none() && !service.has_heartbeat() {
        advice.push(
            "there is a `[schedule]`, and neither `[heartbeat]` nor `[web]`: nobody notices when \
             the daemon is dead"
                .to_owned(),
        );
    }
    if let Some(address) = service.listen.filter(|it| !it.ip().is_loopback()) {
        advice.push(format!(
            "`web.listen` is {address}: whoever reaches it reads how many findings there are"
        ));
    }
}

/// The SLA as people write it, and a quarter of it.
fn sla_and_its_quarter(settings: &Settings) -> (String, TimeDelta) {
    let policy = &settings.policy;
    match policy.sla {
        SlaLimit::Span(span) => (written(span), span / 4),
        SlaLimit::BusinessDays(n) => {
            (policy.calendar.describe(&policy.sla), TimeDelta::days(n.into()) / 4)
        }
    }
}

/// Nights are a day apart. A quarter of the SLA is the longest interval between two looks at
/// which an account that is switched off in time can still be shown to have been.
fn of_interval(settings: &Settings, advice: &mut Vec<String>) {
    let (sla, longest) = sla_and_its_quarter(settings);
    if settings.nights.is_some() && longest < TimeDelta::days(1) {
        advice.push(format!(
            "nights are 24h apart, over a quarter of the SLA of {}: look every {} or more often, \
             or many results will read `not_proven`",
            sla,
            written(longest)
        ));
    }
    if settings.policy.max_age < TimeDelta::days(1) && settings.nights.is_some() {
        advice.push(format!(
            "`policy.max_age` of {} is shorter than the 24h between two nights: a list is too old \
             before the next one comes",
            written(settings.policy.max_age)
        ));
    }
}
