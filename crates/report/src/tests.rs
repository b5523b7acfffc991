//! What readers of a report see, in every format.

use domain::{Cause, Grade, RunRecord, Severity, SubjectKind};

use crate::sample::{finding, record};
use crate::v1::Report;
use crate::{
    Filter, HtmlOptions, Night, ReportError, Style, csv, finding_text, findings_csv, findings_json,
    findings_text, html, index_html, text, v1, xlsx,
};

/// A name that tries everything: markup, a formula, and marks that turn the writing.
const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}`\u{1b}[2J";

fn page(record: &RunRecord) -> String {
    text(&Report::of(record), Style::default())
}

fn page_of_html(report: &Report) -> String {
    html(report, &HtmlOptions::default()).unwrap()
}

/// The sample without findings, its apps at `grade`.
fn nothing_found(grade: Grade) -> RunRecord {
    let mut record = record();
    record.findings.clear();
    record.apps.iter_mut().for_each(|it| it.grade = grade);
    record
}

#[test]
fn the_committed_schema_is_current() {
    let committed = include_str!("../schema/report-v1.schema.json");
    assert!(
        committed == v1::schema(),
        "schema/report-v1.schema.json is not what `v1::schema` gives; \
         version 1 is frozen: is the change a new explanation, or a new version?"
    );
}

#[test]
fn a_report_without_a_ledger_stays_as_it_was_written() {
    let mut record = record();
    record.ledger = None;
    let json = Report::of(&record).to_json();
    assert!(!String::from_utf8_lossy(&json).contains("ledger"));
    assert_eq!(Report::parse(&json).unwrap().to_json(), json);
    assert!(!page(&record).contains("LEDGER"));
}

#[test]
fn a_report_fits_the_schema_and_a_stranger_does_not() {
    let schema = serde_json::from_str(&v1::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut document: serde_json::Value =
        serde_json::from_slice(&Report::of(&record()).to_json()).unwrap();
    assert!(validator.is_valid(&document));
    document["extra"] = true.into();
    assert!(!validator.is_valid(&document));
    assert!(Report::parse(document.to_string().as_bytes()).is_err());
}

#[test]
fn a_report_read_back_gives_the_same_bytes_in_every_format() {
    let first = Report::of(&record());
    let again = Report::parse(&first.to_json()).unwrap();
    assert_eq!(first, again);
    for report in [&Report::of(&record()), &again] {
        assert_eq!(report.to_json(), first.to_json());
        assert_eq!(csv(report), csv(&first));
        assert_eq!(xlsx(report).unwrap(), xlsx(&first).unwrap());
        assert_eq!(page_of_html(report), page_of_html(&first));
        assert_eq!(text(report, Style::default()), text(&first, Style::default()));
    }
}

#[test]
fn what_is_no_report_is_refused_without_panic() {
    let deep = "[".repeat(10_000);
    for bytes in [&b""[..], b"null", b"{}", b"\xff\xfe", br#"{"format":"v2"}"#, deep.as_bytes()] {
        assert!(matches!(Report::parse(bytes), Err(ReportError::NotAReport(_))));
    }
}

#[test]
fn zero_findings_without_complete_lists_is_not_proven() {
    #[rustfmt::skip]
    let table = [
        // grade   | proven
        ( Grade::A,  true  ),
        ( Grade::B,  true  ),
        ( Grade::C,  false ),
        ( Grade::F,  false ),
    ];
    for (grade, is_proven) in table {
        let report = Report::of(&nothing_found(grade));
        let list = findings_text(&report, &Filter::live(), Style::default());
        for page in [text(&report, Style::default()), page_of_html(&report)] {
            assert_eq!(page.contains("0 findings: not proven"), !is_proven, "{grade}");
            assert_eq!(page.contains("No drift found."), is_proven, "{grade}");
            assert_eq!(page.contains("no drift found"), is_proven, "{grade}");
        }
        assert_eq!(list.contains("not proven"), !is_proven, "{grade}");
    }
}

#[test]
fn a_run_without_apps_says_that_nothing_was_judged() {
    let mut record = nothing_found(Grade::A);
    record.apps.clear();
    assert!(page(&record).contains("Nothing was judged"));
    assert!(page_of_html(&Report::of(&record)).contains("Nothing was judged"));
}

#[test]
fn a_terminal_page_fits_80_columns_and_names_nobody() {
    let page = page(&record());
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "`{line}`");
    }
    let one = finding_text(&Report::of(&record()), domain::FindingId(3), Style::default()).unwrap();
    for name in ["Dana", "dana.whitfield", "@example.com"] {
        assert!(!page.contains(name), "`{name}`");
        assert!(!one.contains(name), "`{name}`");
    }
    let named = Style { names: true, ..Style::default() };
    assert!(text(&Report::of(&record()), named).contains("Dana Whitfield"));
}

#[test]
fn what_the_terminal_left_out_is_counted() {
    let report = Report::of(&record());
    let list =
        findings_text(&report, &Filter::live(), Style { limit: Some(3), ..Style::default() });
    assert!(list.ends_with("… and 9 more\n"), "{list}");
}

#[test]
fn colour_changes_no_word() {
    let report = Report::of(&record());
    let coloured = text(&report, Style { colour: true, ..Style::default() });
    let mut plain = String::new();
    for (at, part) in coloured.split('\u{1b}').enumerate() {
        plain.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, text(&report, Style::default()));
}

#[test]
fn filters_choose() {
    let report = Report::of(&record());
    #[rustfmt::skip]
    let table = [
        (Filter::default(),                                                               13),
        (Filter::live(),                                                                  12),
        (Filter { app: Some("salesforce".to_owned()), ..Filter::default() },               2),
        (Filter { app: Some("nowhere".to_owned()), ..Filter::default() },                  0),
        (Filter { at_least: Some(v1::Severity::Critical), ..Filter::default() },           4),
        (Filter { causes: vec![v1::Cause::UnassignedActive], ..Filter::default() },        2),
        (Filter { states: vec![v1::FindingState::Pending], ..Filter::default() },          2),
    ];
    for (filter, n) in table {
        assert_eq!(filter.select(&report).len(), n, "{filter:?}");
        let json: Vec<v1::Finding> =
            serde_json::from_slice(&findings_json(&report, &filter)).unwrap();
        assert_eq!(json.len(), n, "{filter:?}");
        let csv = String::from_utf8(findings_csv(&report, &filter)).unwrap();
        assert_eq!(csv.matches("\r\n").count(), n + 1, "{filter:?}");
    }
}

#[test]
fn csv_has_every_column_and_nothing_that_a_spreadsheet_runs() {
    let formulas = [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\n=1",
        " =1",
        "＝1",
        "'=1",
        "a,\"b\"",
    ];
    let mut record = record();
    for (finding, text) in record.findings.iter_mut().zip(formulas) {
        finding.person.name = Some(text.to_owned());
    }
    let bytes = csv(&Report::of(&record));
    let rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap();
    let mut reader =
        ::csv::ReaderBuilder::new().terminator(::csv::Terminator::CRLF).from_reader(rest);
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.iter().collect::<Vec<&str>>(), crate::COLUMNS);
    let name = header.iter().position(|it| it == "name").unwrap();
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 13);
    for row in &rows {
        for cell in row {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "`{cell}`");
            assert!(!cell.starts_with(['\t', '\r', '\n']), "`{cell}`");
        }
    }
    let names: Vec<&str> = rows.iter().map(|it| &it[name]).take(3).collect();
    assert_eq!(names, ["'=cmd|' /C calc'!A0", "'+1+1", "'-2"]);
    assert_eq!(&rows[10][name], "a,\"b\"");
}

#[test]
fn a_hostile_name_stays_a_text() {
    let mut record = record();
    for it in &mut record.findings {
        it.person.name = Some(HOSTILE.to_owned());
        it.person.login = Some(HOSTILE.to_owned());
        it.person.identities = vec![HOSTILE.to_owned()];
        it.because = format!("`{HOSTILE}`");
        it.next_action = HOSTILE.to_owned();
        it.finding.subject.key = HOSTILE.into();
        it.explanation.summary = HOSTILE.to_owned();
        it.explanation.facts[0].text = HOSTILE.to_owned();
        it.explanation.facts[0].source = HOSTILE.to_owned();
        it.explanation.absences = vec![HOSTILE.to_owned()];
    }
    record.unmapped[0].raw = HOSTILE.to_owned();
    record.sources[0].requests = vec![HOSTILE.to_owned()];
    record.sources[0].notes = vec![HOSTILE.to_owned()];
    record.software = HOSTILE.to_owned();
    record.waivers[0].reason = HOSTILE.to_owned();
    let report = Report::of(&record);

    let page = page_of_html(&report);
    assert!(!page.contains("<script"), "markup of a name got through");
    assert!(page.contains("&#60;script&#62;"));

    let named = Style { names: true, limit: None, ..Style::default() };
    let shown = [
        text(&report, named),
        finding_text(&report, domain::FindingId(3), named).unwrap(),
        findings_text(&report, &Filter::default(), named),
    ];
    for page in shown {
        assert!(!page.contains(['\u{202e}', '\u{1b}', '\r']), "a name can repaint the terminal");
    }
    xlsx(&report).unwrap();
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let mut options = HtmlOptions::default();
    let drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>";
    options.neighbourhoods.insert(domain::FindingId(3), drawing.to_owned());
    let page = html(&Report::of(&record()), &options).unwrap();
    for word in
        ["<script", "<link", "<iframe", "http://", "https://", "@import", "url(", "javascript:"]
    {
        assert!(!page.contains(word), "`{word}`");
    }
    assert_eq!(page.matches("src=").count(), 1);
    assert!(page.contains("src=\"data:image/svg+xml,%3Csvg"));
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
}

#[test]
fn every_finding_is_on_the_page_once_with_its_anchor() {
    let record = record();
    let page = page_of_html(&Report::of(&record));
    for it in &record.findings {
        let anchor = format!("id=\"{}\"", it.finding.id);
        assert_eq!(page.matches(&anchor).count(), 1, "{anchor}");
    }
    for word in ["in grace until 2026-11-24", "m.okafor", "PENDING_REVIEW", "local passwords"] {
        assert!(page.contains(word), "`{word}`");
    }
}

#[test]
fn whose_role_was_not_shown_is_told_apart_from_who_has_no_account() {
    for (kind, told) in [
        (SubjectKind::Account, "not known: no role of the account was shown"),
        (SubjectKind::Identity, "not known: there is no account that could have a role"),
    ] {
        let mut record = record();
        record.findings.truncate(1);
        let it = &mut record.findings[0];
        (it.is_privileged, it.finding.subject.kind) = (None, kind);
        let report = Report::of(&record);
        let id = record.findings[0].finding.id;
        let text = finding_text(&report, id, Style::default()).unwrap();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(told), "{text}");
        assert!(page_of_html(&report).contains(told), "{kind}");
    }
}

#[test]
fn ten_thousand_findings_are_rendered_whole() {
    let mut record = record();
    record.findings = (1..=10_000)
        .map(|number| {
            finding(
                number,
                "secureframe",
                &format!("acc-{number}"),
                Cause::LeaverActive,
                Severity::Critical,
            )
        })
        .collect();
    let report = Report::of(&record);
    let page = page_of_html(&report);
    assert_eq!(page.matches("<details class=\"f ").count(), 10_000);
    assert!(!page.contains("<details class=\"f critical\" id=\"DL-1\" open"));
    assert!(page.len() < 40_000_000, "{} bytes", page.len());
    assert_eq!(
        findings_csv(&report, &Filter::default()).iter().filter(|it| **it == b'\n').count(),
        10_001
    );
}

#[test]
fn the_index_of_nights_uses_looks_that_there_are() {
    let css = include_str!("../templates/report.css");
    let night = |point: &v1::HistoryPoint| Night { point: *point, page: "1.html".to_owned() };
    let nights: Vec<Night> = Report::of(&record()).history.iter().map(night).collect();
    let index = index_html(&nights, 0, chrono_tz::UTC).unwrap();
    for class in index.split(" class=\"").skip(1).filter_map(|it| it.split('"').next()) {
        for word in class.split_whitespace() {
            assert!(css.contains(&format!(".{word}")), "`{word}` in `{class}` has no look");
        }
    }
}

#[test]
fn a_root_cause_is_named_once_over_its_findings_which_stay_as_they_are() {
    let without = record();
    let mut with = record();
    let [first, second, ..] = &with.findings[..] else { panic!("two at least") };
    let (sure, perhaps) = (first.finding.id, second.finding.id);
    with.watcher.push(domain::WatcherFinding {
        kind: domain::Watcher::ProvisioningUnhealthy,
        system: Some(domain::SystemId::parse("okta").unwrap()),
        severity: Severity::High,
        text: "Provisioning of Secureframe is off.".to_owned(),
        next_action: "Switch it on.".to_owned(),
        root: Some(domain::RootCause {
            name: "provisioning_off".to_owned(),
            causes: vec![Cause::LeaverActive],
            began: domain::Interval { earliest: None, latest: Some(crate::sample::now()) },
            explains: vec![sure],
            may_explain: vec![perhaps],
        }),
    });
    let (before, report) = (Report::of(&without), Report::of(&with));
    assert_eq!((&report.findings, &report.summary), (&before.findings, &before.summary));
    assert_eq!(Report::parse(&report.to_json()).unwrap(), report);

    let named = "Provisioning of Secureframe is off.";
    for page in [text(&report, Style::default()), page_of_html(&report)] {
        assert_eq!(page.matches(named).count(), 1, "{page}");
    }
    let html = page_of_html(&report);
    assert!(html.contains(&format!("Explains <a href=\"#{sure}\">")), "{html}");
    assert!(html.contains(&format!("May explain <a href=\"#{perhaps}\">")), "{html}");
    let shown = |id| finding_text(&report, id, Style::default()).unwrap();
    assert!(shown(sure).contains("  comes of") && shown(perhaps).contains("  may come of"));
    let table = String::from_utf8(csv(&report)).unwrap();
    assert!(table.contains(",okta provisioning_off\r\n"), "{table}");
    assert!(table.contains(",okta provisioning_off (perhaps)\r\n"), "{table}");
    // Only where one of the chosen comes of it.
    let none = Filter { app: Some("nowhere".to_owned()), ..Filter::default() };
    assert!(!findings_text(&report, &none, Style::default()).contains(named));
}
