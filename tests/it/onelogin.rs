//! OneLogin as a live system: the program against a simulated subdomain behind real HTTP.

use chrono::{DateTime, Utc};
use sim::{Sim, World};

use crate::site::{Answer, Site};

/// Bob was suspended three days ago and kept his account, Cem has lost the app, Dora's licence was
/// taken, Eve has not begun, and Fay may not be in the list of who has it.
const FIRM: &str = "\
onelogin (page 4)
  101 ana@firm.test 1 assigned
  102 bob@firm.test 2 assigned since=-3d
  103 cem@firm.test 1
  104 dora@firm.test 3 assigned state=3
  105 eve@firm.test 0 assigned
onelogin-roles
  501 Finance
app
  s1 101 ana@firm.test on
  s2 102 bob@firm.test on
  s3 103 cem@firm.test on
  s4 104 dora@firm.test on
  s5 105 eve@firm.test off
";

#[expect(clippy::disallowed_methods, reason = "the program has the machine's clock, too")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A company, and an installation that reads it. `more`: settings of OneLogin.
async fn installed(more: &str) -> (Sim, Site) {
    // Others with the app, so that one who loses it is no mass change.
    let others: Vec<u32> = (110..122).collect();
    let users: String =
        others.iter().map(|it| format!("  {it} m{it}@firm.test 1 assigned\n")).collect();
    let accounts: String =
        others.iter().map(|it| format!("  m{it} {it} m{it}@firm.test on\n")).collect();
    let firm = FIRM.replace("onelogin-roles", &format!("{users}onelogin-roles"));
    let firm = firm + &accounts;
    let sim = Sim::start(World::describe_at(&firm, now()).unwrap()).await.unwrap();
    let site = Site::new(&format!(
        "[idp.onelogin.onelogin]\nurl = \"{}\"\napp_id = 3001\nclient_id = \"sim-onelogin-client\"\n\
         client_secret = \"file:onelogin.secret\"\n{more}\n\n\
         [app.secureframe]\nidps = [\"onelogin\"]\ncanaries = [\"s1\"]\n\n\
         [app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n",
        sim.onelogin_url(),
        sim.scim_url()
    ));
    site.write("onelogin.secret", "sim-onelogin-client-secret\n");
    site.write("scim.token", "sim-scim-token\n");
    (sim, site)
}

/// Runs the program while the company answers.
fn ask(site: &Site, args: &[&str]) -> Answer {
    tokio::task::block_in_place(|| site.ask(args))
}

/// Cause, account and state of everything that lives.
fn live(site: &Site) -> Vec<String> {
    let states = tokio::task::block_in_place(|| site.states());
    let mut all: Vec<String> =
        states.into_iter().map(|[cause, key, _, state]| format!("{cause} {key} {state}")).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn leavers_the_unassigned_and_the_unlicensed_are_told_apart() {
    let (sim, site) = installed("").await;
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(
        live(&site),
        ["leaver_active s2 open", "unassigned_active s3 pending", "unassigned_active s4 pending"]
    );
    assert_eq!(sim.offences(), Vec::<String>::new());
    let report = String::from_utf8(site.read("reports/latest.html")).unwrap();
    for said in ["as many unique rows as the source states", "roles that give the app: Finance"] {
        assert!(report.contains(said), "{said}");
    }
}
