//! Two live providers of one app, any of which gives it: Okta and Entra, with people in one of them or in
//! both, joined by employee number.

use serde_json::Value;
use sim::{Sim, World};

use crate::live::{ask, fault, now};
use crate::site::{Site, json};

/// Ana and Bea are in both; Ana has left everywhere, Bea in Okta alone. Cem is in Okta, Dora in Entra,
/// and both have left. Eli has the app through Entra alone, and lost it in Okta.
const FIRM: &str = "\
okta
  00uana00000000000001 ana@firm.test DEPROVISIONED since=-3d emp=1001
  00ubea00000000000002 bea@firm.test DEPROVISIONED since=-3d emp=1002
  00ucem00000000000003 cem@firm.test DEPROVISIONED since=-3d emp=1003
  00ueli00000000000005 eli@firm.test ACTIVE emp=1005
  00ufay00000000000006 fay@firm.test ACTIVE assigned emp=1006
entra
  a1000000-0000-4000-8000-000000000001 ana@firm.test deleted since=-3d emp=1001
  a1000000-0000-4000-8000-000000000002 bea@firm.test on assigned emp=1002
  a1000000-0000-4000-8000-000000000004 dora@firm.test deleted since=-3d emp=1004
  a1000000-0000-4000-8000-000000000005 eli@firm.test on assigned emp=1005
app
  s1 00uana00000000000001 ana@firm.test on
  s2 00ubea00000000000002 bea@firm.test on
  s3 00ucem00000000000003 cem@firm.test on
  s4 a1000000-0000-4000-8000-000000000004 dora@firm.test on
  s5 00ueli00000000000005 eli@firm.test on
  s6 00ufay00000000000006 fay@firm.test on
";

/// A company, and an installation that reads both. `app`: settings of the app.
async fn installed(firm: &str, app: &str) -> (Sim, Site) {
    let sim = Sim::start(World::describe_at(firm, now()).unwrap()).await.unwrap();
    let entra = sim.world().entra.clone();
    let url = sim.entra_url().to_owned();
    let site = Site::new(&format!(
        "[keys]\nperson = [\"employee_number\"]\n\n\
         [idp.okta.okta]\nurl = \"{}\"\napp_id = \"0oaapp\"\ntoken = \"file:okta.token\"\n\n\
         [idp.entra.entra]\ntenant = \"{}\"\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n\
         app_id = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"file:entra.secret\"\n\n\
         [app.secureframe]\nidps = [\"okta\", \"entra\"]\ncanaries = [\"s6\"]\n{app}\n\
         [app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n",
        sim.okta_url(),
        entra.door.tenant,
        entra.app.app_id,
        entra.door.client_id,
        sim.scim_url()
    ));
    site.write("okta.token", "00sim-api-token\n");
    site.write("entra.secret", "sim-entra-client-secret\n");
    site.write("scim.token", "sim-scim-token\n");
    (sim, site)
}

/// The report of another run.
fn night(site: &Site) -> Value {
    ask(site, &["run", "--once"]);
    json(ask(site, &["report", "--format", "json"]).stdout.as_bytes())
}

/// Cause and account of everything that lives.
fn live(report: &Value) -> Vec<String> {
    let word = |it: &Value| it.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let living = findings.filter(|it| it["resolved_at"].is_null());
    let mut all: Vec<String> = living
        .map(|it| format!("{} {}", word(&it["cause"]), word(&it["subject"]["key"])))
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_use_it_by_either_may_and_who_left_one_is_told_as_a_quarrel() {
    let (sim, site) = installed(FIRM, "").await;
    let found = ["leaver_active s1", "leaver_active s3", "leaver_active s4", "sources_disagree s2"];
    assert_eq!(live(&night(&site)), found);
    assert_eq!(sim.offences(), Vec::<String>::new());

    // By both: Eli, who has it of Entra alone, has lost it.
    let (_sim, site) = installed(FIRM, "entitlement = \"all\"").await;
    assert!(live(&night(&site)).contains(&"unassigned_active s5".to_owned()));

    // One whose word beats the other: Bea has left.
    let (_sim, site) = installed(FIRM, "authority = \"okta\"").await;
    let found = ["leaver_active s1", "leaver_active s2", "leaver_active s3", "leaver_active s4"];
    assert_eq!(live(&night(&site)), found);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_cannot_be_seen_nobody_is_called_without_a_right_and_leavers_of_the_other_are() {
    for (endpoint, kept) in
        [("entra", ["leaver_active s1", "leaver_active s3"]), ("okta", ["leaver_active s4", ""])]
    {
        let (sim, site) = installed(FIRM, "").await;
        fault(&sim, endpoint, "garbage");
        let found = live(&night(&site));
        for it in kept.iter().filter(|it| !it.is_empty()) {
            assert!(found.contains(&(*it).to_owned()), "{endpoint} is down: {found:?}");
        }
        let claims = |it: &&String| it.starts_with("unassigned") || it.starts_with("orphan");
        assert_eq!(found.iter().filter(claims).count(), 0, "{endpoint} is down: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_provider_does_not_do_explains_nothing_of_the_others_people() {
    let (_sim, site) = installed(&FIRM.replace("okta\n", "okta (deactivation off)\n"), "").await;
    let report = night(&site);
    let ill = report["watcher"].as_array().unwrap().iter();
    let ill: Vec<&Value> = ill.filter(|it| it["kind"] == "provisioning_unhealthy").collect();
    assert_eq!(ill.len(), 1, "named once: {report:#}");
    let root = &ill[0]["root_cause"];
    assert_eq!(root["explains"], Value::Array(Vec::new()), "since when it is so is not known");
    let named = root["may_explain"].as_array().unwrap().iter();
    let named: Vec<&str> = named.map(|it| it.as_str().unwrap()).collect();
    let findings = report["findings"].as_array().unwrap().iter();
    let under = findings.filter(|it| named.contains(&it["id"].as_str().unwrap()));
    let mut keys: Vec<&str> = under.map(|it| it["subject"]["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["s1", "s3"], "Dora is in Entra alone");
}
