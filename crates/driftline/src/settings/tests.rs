//! What an operator sees: settings in, meaning or message out.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::TimeDelta;
use connectors::files::Profiles;
use domain::SlaLimit;
use domain::{Cause, Severity};
use serde_json::Value;

use super::*;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config");

/// Two identity providers and an app, to which a test adds.
const SYSTEMS: &str = "
[idp.okta]
[[idp.okta.file]]
path = 'okta.json'
[idp.entra]
[app.secureframe]
idps = ['okta', 'entra']
";

/// The settings, read from a text at `/etc/driftline/driftline.toml`.
fn read_from(text: &str) -> Result<Settings, SettingsError> {
    understand(Path::new("/etc/driftline/driftline.toml"), text)
}

/// What the operator sees, from the place on.
fn message(text: &str) -> String {
    let Err(error) = read_from(text) else { panic!("these settings are fine: {text}") };
    let error = error.to_string();
    error.strip_prefix("`/etc/driftline/driftline.toml` ").unwrap_or(&error).to_owned()
}

#[test]
fn a_wrong_file_says_where_what_and_what_to_do() {
    let causes = "did you mean `leaver_active`?; `docs/rules` has a page for each";
    #[rustfmt::skip]
    let table = [
        ("databse = 'x.db'",
         "line 1, column 1: `databse` is not a key; did you mean `database`?; expected one of \
          `database`, `reports`, `reports_keep`, `profiles`, `nights`, `schedule`, `web`, `heartbeat`, `policy`, `keys`, `deployment`, `ledger`, `anchor`, `evidence`, `retention`, `idp`, `app`, `hr`, `register`, `alerting`, `alert`, `route`, `report`".to_owned()),
        ("[policy]\nmax_agee = '26h'",
         "line 2, column 1: `policy.max_agee` is not a key; did you mean `max_age`?; expected one of \
          `version`, `zone`, `max_age`, `rehire_after`, `sla`, `sla_clock`, `shrink_max_percent`, `guard`, `calendar`, `grace`, `severity`".to_owned()),
        ("[nights]\nfolder = 'n'\nschedule = 'daily'",
         "line 3, column 1: `nights.schedule` is not a key; expected one of `folder`, `time`".to_owned()),
        ("[[idp.okta.file]]\npath = 'a.csv'\n\n[[idp.okta.file]]\nprofile = 'x'",
         "line 4, column 1: `idp.okta.file[1]` lacks the key `path`: add it".to_owned()),
        ("[[idp.okta.file]]\npath = 7",
         "line 2, column 8: `idp.okta.file[0].path` must be a text in quotes".to_owned()),
        ("[[idp.okta.file]]\npath = 'a'\nrows = 'many'",
         "line 3, column 8: `idp.okta.file[0].rows` must be a whole number, 0 or more".to_owned()),
        ("[[idp.okta.file]]\npath = 'a'\nrows = -1",
         "line 3, column 8: `idp.okta.file[0].rows` must be a whole number, 0 or more".to_owned()),
        ("[app.a]\ndeprovision = 'hide'",
         "line 2, column 15: `app.a.deprovision` has a word that means nothing here; did you mean `hides`?; \
          expected one of `lists`, `hides`, `deletes`, `unknown`".to_owned()),
        ("[policy]\nsla = '4 hours'",
         "line 2, column 7: `policy.sla` is no time above 0: write a number and a unit, as `90m`, `26h` or `14d`, or `1 business day`".to_owned()),
        ("[policy]\nmax_age = '0h'",
         "line 2, column 11: `policy.max_age` is no time above 0: write a number and a unit, as `90m`, `26h` or `14d`".to_owned()),
        ("[policy.grace]\nleaver_active = 4",
         "line 2, column 17: `policy.grace.leaver_active` must be a text in quotes".to_owned()),
        ("[policy.grace]\nleaver_actve = '4h'",
         format!("line 2, column 16: `policy.grace.leaver_actve` is not a cause of findings; {causes}")),
        ("[policy]\nzone = 'Berlin'",
         "line 2, column 8: `policy.zone` is no zone: write its IANA name, as \"Europe/Berlin\" or \"UTC\"".to_owned()),
        ("[policy]\nshrink_max_percent = 0",
         "line 2, column 22: `policy.shrink_max_percent` must be 1 to 100: it can be raised, not switched off".to_owned()),
        ("[nights]\nfolder = 'n'\ntime = '2 am'",
         "line 3, column 8: `nights.time` is no time of day: write it with a zone, as \"02:00:00Z\"".to_owned()),
        ("[[hr.workday.file]]\npath = 'a'\nas_of = '2026-11-20 02:00'",
         "line 3, column 9: `hr.workday.file[0].as_of` is no instant: write date, time and zone, as \"2026-11-20T02:00:00Z\"".to_owned()),
        ("[idp.Okta]",
         "line 1, column 6: `idp.Okta` cannot be used: `Okta` is not a name of a system: 1 to 40 of a-z, 0-9, `-` and `_`, a letter first".to_owned()),
        ("[idp.okta]\n[hr.okta]",
         "line 2, column 5: `hr.okta` names a second system of this name: every system needs one of its own".to_owned()),
        ("[idp.okta]\n[app.a]\nidps = ['okat']",
         "line 3, column 9: `app.a.idps[0]` names `okat`, which is not an identity provider of this file; did you mean `okta`?; \
          there is `okta`; or add `[idp.okat]`".to_owned()),
        ("[idp.okta]\n[app.a]\nidps = ['okta', 'okta']",
         "line 3, column 17: `app.a.idps[1]` is named twice: take one out".to_owned()),
        ("[app.a]\nauthority = 'workday'",
         "line 2, column 13: `app.a.authority` names `workday`, which is not an identity provider or HR system of this file; \
          or add `[hr.workday]`".to_owned()),
        ("[[hr.workday.file]]\npath = 'a'\ngroup = 'g'",
         "line 3, column 9: `hr.workday.file[0].group` belongs to the files of an identity provider: take it out".to_owned()),
        ("[[idp.okta.file]]\npath = 'a'\nchannel = 'scim'",
         "line 3, column 11: `idp.okta.file[0].channel` belongs to the files of an app: take it out".to_owned()),
        ("[idp.google]\n[app.secureframe]\nidps = ['google']",
         "line 3, column 9: `app.secureframe.idps[0]` names Google Workspace, which Secureframe does not list as an identity \
          provider for SCIM: say `scim = false` in `[idp.google]` and give its user export as a file with a generic profile, \
          so that accounts without an owner are still found".to_owned()),
        ("[keys.domain_aliases]\n'a.test' = 'x@b.test'",
         "line 2, column 12: `keys.domain_aliases.a.test` has an `@` in it: write the domain alone".to_owned()),
        ("[ledger]\nprevious_key = 'file:k'",
         "line 2, column 16: `ledger.previous_key` signs beside `signing_key`: name that, too".to_owned()),
        ("database = ''",
         "line 1, column 12: `database` is empty: name a path, relative to this file".to_owned()),
    ];
    for (text, expected) in table {
        assert_eq!(message(text), expected, "{text}");
    }
}

#[test]
fn anchors_that_cannot_be_used_say_what_to_do() {
    let s3 = "[anchor.b.s3]\nurl = 'https://b.test'\nregion = 'eu'\n\
              access_key = 'env:ID'\nsecret_key = 'env:KEY'\n";
    #[rustfmt::skip]
    let table = [
        ("[anchor.a]\nca_bundle = 'x'".to_owned(),                "`anchor.a` needs one table that says where checkpoints are taken"),
        (format!("{s3}[anchor.b.folder]\npath = 'x'"),            "`anchor.b` needs one table that says where checkpoints are taken"),
        ("[anchor.A.folder]\npath = 'x'".to_owned(),              "`anchor.A` cannot be used"),
        ("[anchor.a.foldr]\npath = 'x'".to_owned(),               "`anchor.a.foldr` is not a key; did you mean `folder`?"),
        ("[anchor.a.git]\nrepository = 'x'\nremote = '--exec=x'".to_owned(), "`anchor.a.git.remote` is no name that git knows it by"),
        ("[anchor.a.git]\nrepository = 'x'\nbranch = ''".to_owned(), "`anchor.a.git.branch` is no name that git knows it by"),
        (s3.replace("env:KEY", "s3cret"),                         "`anchor.b.s3.secret_key` holds a secret in clear"),
        (s3.replace("env:ID", "AKID"),                            "`anchor.b.s3.access_key` holds a secret in clear"),
        (format!("{s3}retain = '30d'"),                           "`anchor.b.s3.retain` is no time of 365d to 36500d"),
        ("[anchor.a]\nproxy_credentials = 'env:P'\n[anchor.a.folder]\npath = 'x'".to_owned(), "`anchor.a.proxy_credentials` are for a proxy"),
    ];
    for (text, expected) in table {
        let message = message(&text);
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(read_from(s3).unwrap().anchors.len(), 1);
}

#[test]
fn alerts_that_cannot_be_used_say_what_to_do() {
    let mail = "[alert.m.email]\nhost = 'mail.test'\nfrom = 'a@b'\nto = ['c@d']\n";
    let route = format!("{mail}[[route]]\nto = ['m']\n");
    #[rustfmt::skip]
    let table = [
        ("[alert.a]\nnames = true".to_owned(),                   "`alert.a` needs one table that says how it speaks"),
        (format!("{mail}[alert.m.command]\nprogram = 'x'"),      "`alert.m` needs one table that says how it speaks"),
        ("[alert.A.command]\nprogram = 'x'".to_owned(),          "`alert.A` cannot be used"),
        ("[alert.a.comand]\nprogram = 'x'".to_owned(),           "`alert.a.comand` is not a key; did you mean `command`?"),
        ("[alert.p.pagerduty]\nrouting_key = 'R0'".to_owned(),   "`alert.p.pagerduty.routing_key` holds a secret in clear"),
        ("[alert.s.teams]\nwebhook_url = 'https://x'".to_owned(), "`alert.s.teams.webhook_url` holds a secret in clear"),
        ("[alert.w.webhook]\nurl = 'x'\nsecrets = []".to_owned(), "`alert.w.webhook.secrets` is empty"),
        (mail.replace("'c@d'", "'c@d', 'nobody'"),               "`alert.m.email.to[1]` is no address"),
        (mail.replace("'c@d'", ""),                              "`alert.m.email.to` is empty"),
        (format!("{mail}security = 'none'"),                     "`alert.m.email.security` is `none`, which is for a mail server on this machine"),
        (format!("{mail}user = 'x'"),                            "`alert.m.email.user` and `password` go together"),
        ("[alert.c.command]\nprogram = 'x'\ntimeout = '1h'".to_owned(), "`alert.c.command.timeout` is no time of 1s to 10m"),
        ("[alert.c]\nproxy_credentials = 'env:P'\n[alert.c.command]\nprogram = 'x'".to_owned(), "`alert.c.proxy_credentials` are for a proxy"),
        ("[[route]]\nto = ['m']".to_owned(),                     "`route[0].to[0]` names `m`, which is no channel of this file; or add `[alert.m]`"),
        (format!("{mail}[[route]]\nto = []"),                    "`route[0].to` is empty"),
        (format!("{route}causes = ['leaver_actve']"),            "did you mean `leaver_active`?"),
        (format!("{route}watcher = ['source_stle']"),            "did you mean `source_stale`?"),
        (format!("{route}apps = ['slack']"),                     "`route[0].apps[0]` is none of"),
        (format!("{route}older_than = '0h'"),                    "`route[0].older_than` is no time above 0"),
        (format!("{route}digest_at = '7 am'"),                   "`route[0].digest_at` is no time of day: write it as `07:30`"),
        (format!("{route}digest_at = '07:30'\nrepeat_after = '1d'"), "`route[0].repeat_after` is for what is told one by one"),
        (format!("{route}escalate_after = '1h'"),                "`route[0].escalate_after` and `escalate_to` go together"),
        (format!("{route}hours = {{ from = '18:00', until = '08:00' }}"), "`route[0].hours.until` is not after `from`"),
        ("[alerting]\nstorm_over = 0".to_owned(),                "`alerting.storm_over` must be 1 to 1000"),
        ("[alerting]\nfallback = ['x']".to_owned(),              "`alerting.fallback[0]` names `x`"),
        ("[alerting]\nreport_url = 'here'".to_owned(),           "`alerting.report_url` is no address"),
        (format!("{mail}[report]\nto = ['n']"),                  "`report.to[0]` names `n`, which is no channel of this file"),
        (format!("{mail}[report]\nto = ['m', 'm']"),             "`report.to[1]` is there twice"),
        ("[report]\nto = ['s']\n[alert.s.syslog]\nhost = 'x'".to_owned(), "`report.to[0]` is a channel of syslog, which carries no report: name one with `email`, `webhook` or `command`"),
        ("[report]\njson = true".to_owned(),                     "`report.json` is for channels that get the report"),
    ];
    for (text, expected) in table {
        let message = message(&text);
        assert!(message.contains(expected), "{message}");
    }
    assert!(read_from(&route).is_ok());
    let report = read_from(&format!("{mail}[report]\nto = ['m']")).unwrap().routes.report;
    assert_eq!((&*report.to[0], report.shows_document), ("m", false));
}

#[test]
fn without_routes_on_call_is_told_by_every_channel_and_with_routes_by_none_else() {
    let command = "[alert.a.command]\nprogram = 'x'\n[alert.b.command]\nprogram = 'x'\n";
    let routes = read_from(command).unwrap().routes.routes;
    assert_eq!(routes.len(), 1);
    assert_eq!(routes[0].to.iter().map(|it| &**it).collect::<Vec<&str>>(), ["a", "b"]);
    let routes = read_from(&format!("{command}[[route]]\nto = ['b']")).unwrap().routes.routes;
    assert_eq!((routes.len(), &*routes[0].to[0], routes[0].watcher.len()), (1, "b", 1));
}

#[test]
fn holidays_of_the_policy_are_in_no_hours_of_a_route() {
    let settings = read_from(
        "[policy]\nzone = 'Europe/Berlin'\n\
         [policy.calendar]\nholidays = ['2026-12-25']\n\
         [alert.a.command]\nprogram = 'x'\n\
         [[route]]\nto = ['a']\nhours = { from = '08:00', until = '18:00' }",
    );
    let hours = settings.unwrap().routes.routes[0].hours.clone().unwrap();
    assert_eq!(hours.holidays.into_iter().next(), "2026-12-25".parse().ok());
    assert_eq!(hours.zone, chrono_tz::Europe::Berlin);
}

#[test]
fn two_credentials_of_okta_are_one_too_many() {
    let okta = "[idp.okta.okta]\nurl = 'https://acme.okta.com'\napp_id = '0oa1'\n";
    let app = "[app.a]\nidps = ['okta']\n";
    let service = "client_id = 'c'\nprivate_key = 'file:key.pem'\n";
    let both = message(&format!("{okta}token = 'file:t'\n{service}{app}"));
    assert!(both.contains("`idp.okta.okta.token` is one credential, and"), "{both}");
    let none = message(&format!("{okta}{app}"));
    assert!(none.contains("`idp.okta.okta.url` needs a credential"), "{none}");
}

#[test]
fn who_waits_for_hours_without_a_schedule_is_told_that_a_run_must_fall_into_them() {
    let told = |more: &str| {
        let alert = "[alert.a.syslog]\nhost = 'localhost'\ntransport = 'udp'\n";
        let route = "[[route]]\nto = ['a']\n[route.hours]\ndays = ['mon']\nfrom = '08:00'\nuntil = '18:00'\n";
        let settings = read_from(&format!("{alert}{route}{more}")).unwrap();
        let advice = advice(&settings, &Profiles::builtin().unwrap());
        advice.iter().any(|it| it.contains("let one fall into them"))
    };
    assert!(told(""));
    assert!(!told("[schedule]\nruns = ['0 2 * * *']\n"));
}

#[test]
fn a_secret_in_clear_is_refused_and_never_shown() {
    #[rustfmt::skip]
    let table = [
        // settings | the key and its place
        ("[idp.okta]\napi_token = 'hunter2hunter2'",                 "line 2, column 1: `idp.okta.api_token`"),
        ("[idp.okta]\nclientSecret = \"\"\"\nhunter2\"\"\"",         "line 2, column 1: `idp.okta.clientSecret`"),
        ("[deployment]\nfingerprint_key = 'hunter2'",                "line 2, column 1: `deployment.fingerprint_key`"),
        ("[deployment]\nfingerprint_key = 'env:hunter2!'",           "line 2, column 1: `deployment.fingerprint_key`"),
        ("password = 4711",                                          "line 1, column 1: `password`"),
        ("[secrets]\nokta = 'hunter2'",                              "line 2, column 1: `secrets.okta`"),
        ("tokens = ['env:FINE', 'hunter2']",                         "line 1, column 23: `tokens[1]`"),
        ("idp.okta = { password = 'hunter2' }",                      "line 1, column 14: `idp.okta.password`"),
        // The secret is named before any other mistake.
        ("databse = 'x'\n[app.a]\ntoken = 'hunter2'",                "line 3, column 1: `app.a.token`"),
    ];
    for (text, place) in table {
        let message = message(text);
        let expected =
            format!("{place} holds a secret in clear: keep it in a file or in the environment");
        assert!(message.starts_with(&expected), "{message}");
        assert!(!message.contains("hunter2") && !message.contains("4711"), "{message}");
    }
}

#[test]
fn a_secret_in_an_address_is_refused_and_never_shown() {
    let system = |url: &str, more: &str| {
        format!(
            "[idp.okta.okta]\nurl = '{url}'\napp_id = '0oa1'\ntoken = 'file:t'\n{more}[app.a]\nidps = ['okta']\n"
        )
    };
    let through = |proxy: &str| {
        system("https://acme.okta.test", &format!("[idp.okta.okta.http]\nproxy = '{proxy}'\n"))
    };
    let address = "`idp.okta.okta.url`";
    let proxy = "`idp.okta.okta.http.proxy`";
    for (text, key, what) in [
        (system("https://bob:hunter2@acme.okta.test", ""), address, "give credentials apart"),
        (system("https://acme.okta.test?token=hunter2", ""), address, "has a query or a fragment"),
        (through("http://bob:hunter2@proxy.test:3128"), proxy, "give its credentials apart"),
        (through("proxy.test:3128"), proxy, "is no `http://HOST:PORT`"),
    ] {
        let message = message(&text);
        assert!(message.contains(key) && message.contains(what), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    assert_eq!(read_from(&through("http://proxy.test:3128")).unwrap().live.len(), 1);
}

#[test]
fn no_message_repeats_a_value_that_may_be_a_secret() {
    for text in [
        "token = hunter2",
        "token = \"hunter2",
        "[idp.okta]\ntoken = 'hunter2' 'more'",
        "x = \"\"\"\nhunter2=\nhunter2 = ]\n",
        "[idp.okta]\nscim = 'hunter2'",
        "[[idp.okta.file]]\npath = 'a'\nrows = 'hunter2'",
        "[app.a]\ndeprovision = 'hunter2'",
        "[policy]\nsla = 'hunter2'\n",
        "[[idp.okta.file]]\npath = 'a'\nas_of = 'hunter2'",
        "[policy]\nzone = 'hunter2'",
    ] {
        let message = message(text);
        assert!(!message.contains("hunter2"), "{message}");
        assert!(message.starts_with("line "), "{message}");
    }
}

#[test]
fn text_that_is_no_toml_names_the_place_and_the_key() {
    assert_eq!(
        message("database = 'a'\nreports = 'b"),
        "line 2, column 13: this is not TOML (at the key `reports`): invalid literal string, expected `'`"
    );
    assert_eq!(
        message("database = 'a'\ndatabase = 'b'"),
        "line 2, column 1: this is not TOML (at the key `database`): duplicate key"
    );
}

#[test]
fn a_file_that_is_no_settings_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("driftline.toml");
    let shown =
        |error: SettingsError| error.to_string().replace(&path.display().to_string(), "PATH");

    assert_eq!(
        shown(read(&path).unwrap_err()),
        "failed to read the settings file `PATH`: name yours with `--config FILE`, or begin with a \
         copy of `config/driftline.example.toml`"
    );
    std::fs::write(&path, b"database = '\xff'").unwrap();
    assert_eq!(
        shown(read(&path).unwrap_err()),
        "`PATH` is not a settings file: byte 12 is not UTF-8: save it as UTF-8"
    );
    std::fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert_eq!(
        shown(read(&path).unwrap_err()),
        "`PATH` is not a settings file: it has 1048577 bytes, and at most 1048576 are read"
    );
}

#[test]
fn an_empty_file_means_the_defaults_of_the_policy() {
    let settings = read_from("").unwrap();
    let expected = drift::Policy::default();
    assert_eq!(format!("{:?}", settings.policy), format!("{expected:?}"));
    assert_eq!(settings.database, Path::new("/etc/driftline/driftline.db"));
    assert_eq!(settings.reports, Path::new("/etc/driftline/reports"));
    assert!(settings.nights.is_none() && settings.fingerprint_key().unwrap().is_none());
}

#[test]
fn a_guard_or_calendar_that_cannot_be_says_where_and_why() {
    #[rustfmt::skip]
    let table = [
        ("[policy.guard]\nrun_max_percent = 0",
         "line 2, column 19: `policy.guard.run_max_percent` must be 1 to 100: it can be raised, not switched off"),
        ("[policy.guard]\nrun_min = 0",
         "line 2, column 11: `policy.guard.run_min` must be at least 1"),
        ("[policy.guard]\nrelease_for = 'ever'",
         "line 2, column 15: `policy.guard.release_for` is no time above 0: write a number and a unit, as `90m`, `26h` or `14d`"),
        ("[policy.calendar]\nworkdays = []",
         "line 2, column 12: `policy.calendar.workdays` is empty: name a day of the week, as \"mon\""),
        ("[policy.calendar]\nholidays = ['Christmas']",
         "line 2, column 12: `policy.calendar.holidays` has `Christmas`, which is no date: write it as 2026-12-25"),
    ];
    for (text, expected) in table {
        assert_eq!(message(text), expected, "{text}");
    }
}

#[test]
fn a_limit_may_count_business_days_of_a_calendar() {
    let text = format!(
        "{SYSTEMS}
        [policy]
        sla = '2 business days'
        zone = 'Europe/Berlin'
        [policy.calendar]
        workdays = ['sun', 'mon', 'tue', 'wed', 'thu']
        holidays = ['2026-12-24']
        [policy.guard]
        week_min = 90"
    );
    let settings = read_from(&text).unwrap();
    let policy = &settings.policy;
    assert_eq!(
        policy.calendar.describe(&policy.sla),
        "2 business days (Mon Tue Wed Thu Sun, 1 holidays, Europe/Berlin)"
    );
    assert_eq!((policy.guard.week_min, policy.guard.run_min), (90, 20));
}

#[test]
fn what_is_written_is_what_is_meant() {
    let text = format!(
        "{SYSTEMS}
        entitlement = 'all'
        deprovision = 'hides'
        required_channels = ['scim']
        external_id = {{ entra = 'mail_nickname' }}
        assigns_everyone = ['entra']
        [policy]
        sla = '2d'
        zone = 'Europe/Berlin'
        grace = {{ leaver_active = '90m' }}
        severity = {{ orphan_active = 'critical' }}
        [keys.domain_aliases]
        'Old.Test' = 'New.Test'"
    );
    let settings = read_from(&text).unwrap();
    assert_eq!(settings.policy.sla, SlaLimit::Span(TimeDelta::days(2)));
    assert_eq!(settings.policy.zone, chrono_tz::Europe::Berlin);
    assert_eq!(settings.policy.grace[&Cause::LeaverActive], TimeDelta::minutes(90));
    assert_eq!(settings.policy.severity[&Cause::OrphanActive], Severity::Critical);

    let app = &settings.apps[0];
    let idps: Vec<&str> = app.rules.idps.iter().map(|it| it.as_str()).collect();
    assert_eq!(idps, ["okta", "entra"]);
    assert_eq!(app.rules.entitlement, drift::Entitlement::All);
    assert_eq!(app.rules.deprovision, drift::Deprovision::Hides);
    assert_eq!(app.rules.required_channels, [domain::Channel::Scim]);
    assert_eq!(app.keys.external_id[0].1, graph::ExternalIdCarries::MailNickname);
    assert_eq!(app.keys.assigns_everyone[0].as_str(), "entra");
    assert_eq!(app.keys.person_keys, [graph::PersonKey::EmployeeNumber]);
    let alias = ("old.test".to_owned(), "new.test".to_owned());
    assert_eq!(app.keys.domain_aliases, [alias]);
}

#[test]
fn google_workspace_is_looked_at_when_it_does_not_feed_scim() {
    let text = "
        [idp.google]
        scim = false
        [[idp.google.file]]
        path = 'users.csv'
        profile = 'generic'
        [app.secureframe]
        idps = ['google']";
    assert_eq!(read_from(text).unwrap().apps[0].rules.idps.len(), 1);
}

#[test]
fn files_lie_beside_the_settings_or_in_their_night() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["2026-11-20", "2026-11-19", "latest", "2026-1-2"] {
        std::fs::create_dir_all(folder.path().join("samples").join(name)).unwrap();
    }
    std::fs::write(folder.path().join("samples/2026-11-21"), "a file").unwrap();
    let path = folder.path().join("driftline.toml");
    let text = format!("[nights]\nfolder = 'samples'\ntime = '03:30:00+01:00'\n{SYSTEMS}");
    std::fs::write(&path, text).unwrap();

    let settings = read(&path).unwrap();
    let nights = settings.nights().unwrap();
    let times: Vec<String> = nights.iter().map(|night| night.at.to_rfc3339()).collect();
    assert_eq!(times, ["2026-11-19T02:30:00+00:00", "2026-11-20T02:30:00+00:00"]);

    let file = settings.sources(Some(&nights[1]))[1].files[0].clone();
    assert_eq!(file.path, folder.path().join("samples/2026-11-20/okta.json"));
    assert_eq!(file.shown_as, "2026-11-20/okta.json");
    assert_eq!(file.as_of, Some(nights[1].at));

    let file = settings.sources(None)[1].files[0].clone();
    assert_eq!(file.path, folder.path().join("okta.json"));
    assert_eq!((file.shown_as.as_str(), file.as_of), ("okta.json", None));
}

#[test]
fn nights_that_cannot_be_listed_name_the_folder() {
    let settings = read_from("[nights]\nfolder = 'nowhere'").unwrap();
    assert_eq!(
        settings.nights().unwrap_err().to_string(),
        "failed to list the folder of nights `/etc/driftline/nowhere`: correct `nights.folder` in \
         `/etc/driftline/driftline.toml`"
    );
}

#[test]
fn a_secret_that_cannot_be_read_names_its_key() {
    let settings = read_from("[deployment]\nfingerprint_key = 'file:nowhere/key'").unwrap();
    let error = anyhow::Error::new(settings.fingerprint_key().unwrap_err());
    let text = format!("{error:#}");
    assert!(
        text.starts_with(
            "failed to read the secret of `deployment.fingerprint_key`: failed to read the secret \
             file `/etc/driftline/nowhere/key`: "
        ),
        "{text}"
    );
}

#[test]
fn advice_names_what_is_probably_not_meant() {
    let text = "
        [nights]
        folder = 'n'
        [idp.okta]
        [app.secureframe]
        [hr.workday]
        [[hr.workday.file]]
        path = 'a'
        profile = 'hr-leaver'";
    let advice = advice(&read_from(text).unwrap(), &Profiles::builtin().unwrap());
    let begins = [
        "app `secureframe` is bound to no identity provider",
        "app `secureframe` has no canaries: no report on it gets grade A",
        "app `secureframe` has `deprovision = \"unknown\"`",
        "app `secureframe` has no `authority`",
        "idp `okta` has no file",
        "idp `okta` is bound to no app",
        "app `secureframe` has no file",
        "`a` of `workday` names the profile `hr-leaver`, which there is not; did you mean `hr-leavers`?",
        "there is no `policy.zone`: a last day in hr `workday` that names no zone is one of UTC",
        "nights are 24h apart, over a quarter of the SLA of 24h: look every 6h or more often",
    ];
    assert_eq!(advice.len(), begins.len(), "{advice:#?}");
    for (advice, begin) in advice.iter().zip(begins) {
        assert!(advice.starts_with(begin), "{advice}");
    }
}

#[test]
fn the_sample_company_is_bound_to_two_identity_providers() {
    let settings = read(&Path::new(CONFIG).join("quickstart.toml")).unwrap();
    let dates: Vec<String> =
        settings.nights().unwrap().iter().map(|night| night.date.to_string()).collect();
    assert_eq!(dates, ["2026-11-19", "2026-11-20"]);
    for night in settings.nights().unwrap() {
        for source in settings.sources(Some(&night)) {
            for file in source.files {
                assert!(file.path.exists(), "{}", file.path.display());
            }
        }
    }
}

#[test]
fn the_committed_schema_is_current() {
    let made = schema::made();
    if SCHEMA != made {
        std::fs::write(Path::new(CONFIG).join("driftline.schema.json"), made).unwrap();
        panic!("config/driftline.schema.json is written anew: look at it, and commit it");
    }
}

#[test]
fn the_example_shows_every_key_with_its_default_and_is_valid() {
    let path = Path::new(CONFIG).join("driftline.example.toml");
    let advice = advice(&read(&path).unwrap(), &Profiles::builtin().unwrap());
    assert!(!advice.iter().any(|it| it.contains("names the profile")), "{advice:#?}");

    let text = std::fs::read_to_string(path).unwrap();
    let example: Value = toml::from_str(&text).unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::validate(&schema, &example).unwrap();

    let (mut asked, mut shown) = (BTreeSet::new(), BTreeSet::new());
    compare(&schema, &schema, &[&example], (&mut asked, &mut shown));
    let missing: Vec<&String> = asked.difference(&shown).collect();
    assert!(missing.is_empty(), "the example lacks {missing:#?}");
}

/// Notes every key that the schema knows, with its default where it has a plain one, and every
/// key that the values show. A kind of table counts once, wherever it stands.
fn compare(
    root: &Value,
    schema: &Value,
    values: &[&Value],
    (asked, shown): (&mut BTreeSet<String>, &mut BTreeSet<String>),
) {
    let schema = resolved(root, schema);
    let kind = schema["description"].as_str().unwrap_or_default();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let below: Vec<&Value> = values.iter().filter_map(|value| value.get(key)).collect();
        let default = &property["default"];
        let is_plain = default.is_string() || default.is_number() || default.is_boolean();
        let named = |value: &Value| match is_plain {
            true => format!("{key} = {value} ({kind})"),
            false => format!("{key} ({kind})"),
        };
        asked.insert(named(default));
        shown.extend(below.iter().map(|value| named(value)));
        compare(root, property, &below, (asked, shown));
    }
    for (list, below) in [
        ("items", values.iter().filter_map(|value| value.as_array()).flatten().collect()),
        (
            "additionalProperties",
            values
                .iter()
                .filter_map(|value| value.as_object())
                .flat_map(|it| it.values())
                .collect::<Vec<&Value>>(),
        ),
    ] {
        if schema[list].is_object() {
            compare(root, &schema[list], &below, (asked, shown));
        }
    }
}

/// Follows a reference, also that of an optional value.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let option = schema["anyOf"].as_array().and_then(|either| either.first());
    let schema = option.unwrap_or(schema);
    match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

#[test]
fn a_wrong_schedule_says_what_to_write() {
    #[rustfmt::skip]
    let table = [
        ("[schedule]\nruns = []",
         "`schedule.runs` is empty: write one, as `0 2 * * *`"),
        ("[schedule]\nruns = ['0 2 * * *', '0 2 * * 1']",
         "`schedule.runs[1]` numbers days of the week, which crons do differently: name them, as `MON-FRI`"),
        ("[schedule]\nruns = ['0 2 * * *']\nzone = 'Europe/Berlinn'",
         "`schedule.zone` is no zone: write its IANA name"),
        ("[schedule]\nruns = ['0 2 * * *']\njitter = '1h'",
         "`schedule.jitter` is no time of 0s to 30m"),
        ("[schedule]\nruns = ['*/5 * * * *']",
         "`schedule.jitter` is as long as the 5m between two runs: make it shorter"),
        ("[web]\nlisten = 'localhost'",
         "`web.listen` is no address and port, as `127.0.0.1:9637`"),
        ("[heartbeat]\nurl = 'https://ping.test/uuid'",
         "`heartbeat.url` must be `file:PATH`, `credential:NAME` or `env:NAME`"),
        ("reports_keep = '2h'",
         "`reports_keep` is no time of a day or more"),
    ];
    for (text, told) in table {
        assert!(message(text).contains(told), "{}", message(text));
    }
    assert!(!message("[heartbeat]\nurl = 'https://ping.test/uuid'").contains("uuid"));
}

#[test]
fn a_daemon_that_nobody_watches_or_that_looks_too_seldom_is_warned_of() {
    let advice = |text: &str| {
        let settings = read_from(&format!("{text}{SYSTEMS}")).unwrap();
        super::advice(&settings, &Profiles::builtin().unwrap()).join("\n")
    };
    let told = advice("[schedule]\nruns = ['0 2 * * *']\n");
    assert!(told.contains("runs are up to 24h apart, over a quarter of the SLA of 24h"), "{told}");
    assert!(told.contains("nobody notices when the daemon is dead"), "{told}");
    let told = advice("[schedule]\nruns = ['0 */6 * * *']\n[web]\nlisten = '0.0.0.0:9637'\n");
    assert!(!told.contains("apart") && !told.contains("dead"), "{told}");
    assert!(told.contains("`web.listen` is 0.0.0.0:9637"), "{told}");
}

#[test]
fn what_a_channel_has_no_use_for_is_refused() {
    let email = "email]\nhost = 'h'\nfrom = 'a@b.c'\nto = ['a@b.c']";
    let syslog = |transport: &str| format!("syslog]\nhost = 'h'\ntransport = '{transport}'");
    let command = "command]\nprogram = '/bin/true'";
    let proxy = "proxy = 'http://p:3128'";
    let no = |key: &str, what: &str, kind: &str| {
        format!(
            "`alert.m.{key}` is for channels that speak {what}, and {kind} does not: take it out"
        )
    };
    #[rustfmt::skip]
    let table = [
        (proxy,                 email.to_owned(),   no("proxy", "HTTP", "e-mail")),
        (proxy,                 syslog("tls"),      no("proxy", "HTTP", "syslog")),
        (proxy,                 command.to_owned(), no("proxy", "HTTP", "command")),
        ("ca_bundle = 'ca.pem'", syslog("udp"),      no("ca_bundle", "TLS", "syslog over UDP")),
        ("ca_bundle = 'ca.pem'", syslog("tcp"),      no("ca_bundle", "TLS", "syslog over TCP")),
        ("ca_bundle = 'ca.pem'", command.to_owned(), no("ca_bundle", "TLS", "command")),
    ];
    for (more, kind, wanted) in table {
        let shown = message(&format!("[alert.m]\n{more}\n[alert.m.{kind}\n"));
        let place = shown.split_once(": ").map_or(&*shown, |it| it.1);
        assert_eq!(place, wanted, "{more} {kind}");
    }
    read_from(&format!("[alert.m]\nca_bundle = 'ca.pem'\n[alert.m.{email}\n")).unwrap();
    let tls = syslog("tls");
    read_from(&format!("[alert.m]\nca_bundle = 'ca.pem'\n[alert.m.{tls}\n")).unwrap();
}
