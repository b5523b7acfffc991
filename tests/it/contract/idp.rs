//! The firms whose systems are put under faults: the same people with each identity provider, and
//! what becomes of some of them.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use sim::{OneLoginEvent, Sim, World};

/// Lists of several pages. Bob left three days ago and kept his account. By the second night Cem
/// has left, Dan has lost the app, and Eve's account is gone.
const FIRM: &str = "\
okta (page 3, deactivation off)
  00uana00000000000001 ana@firm.test ACTIVE assigned
  00ubob00000000000002 bob@firm.test DEPROVISIONED since=-3d
  00ucem00000000000003 cem@firm.test ACTIVE assigned
  00udan00000000000004 dan@firm.test ACTIVE assigned
  00ueve00000000000005 eve@firm.test ACTIVE assigned
groups
  00g1 One assigned
  00g2 Two assigned
  00g3 Three assigned
  00g4 Four assigned
  00g5 Five assigned
  00g6 Six assigned
  00g7 Seven assigned
  00g8 Eight assigned
  00g9 Nine assigned
app (page 8)
  a1 00uana00000000000001 ana@firm.test on
  a2 00ubob00000000000002 bob@firm.test on
  a3 00ucem00000000000003 cem@firm.test on
  a4 00udan00000000000004 dan@firm.test on
  a5 00ueve00000000000005 eve@firm.test on
log
  -3d user.lifecycle.deactivate 00ubob00000000000002
company 16
";

const CEM: &str = "00ucem00000000000003";
const DAN: &str = "00udan00000000000004";

/// The same people in Entra. Some have the app through a group; another group is empty.
fn tenant() -> String {
    let mut firm = "\
entra (page 3, job Paused)
  a1000000-0000-4000-8000-000000000001 ana@firm.test on assigned
  a1000000-0000-4000-8000-000000000002 bob@firm.test deleted since=-3d
  a1000000-0000-4000-8000-000000000003 cem@firm.test on assigned
  a1000000-0000-4000-8000-000000000004 dan@firm.test on assigned
  a1000000-0000-4000-8000-000000000005 eve@firm.test on assigned
  a1000000-0000-4000-8000-000000000006 old1@firm.test deleted since=-9d
  a1000000-0000-4000-8000-000000000007 old2@firm.test deleted since=-9d
  a1000000-0000-4000-8000-000000000008 old3@firm.test deleted since=-9d
"
    .to_owned();
    let others = (10..26).map(|it| (it, format!("a1000000-0000-4000-8000-0000000000{it}")));
    for (nth, id) in others.clone() {
        let how = if nth < 18 { "assigned" } else { "via=b1000000-0000-4000-8000-000000000001" };
        writeln!(firm, "  {id} p{nth}@firm.test on {how}").unwrap();
    }
    firm.push_str(
        "\
entra-groups
  b1000000-0000-4000-8000-000000000001 Everybody assigned
  b1000000-0000-4000-8000-000000000002 Nobody assigned
entra-log
  -75h create a1000000-0000-4000-8000-000000000003
  -74h create a1000000-0000-4000-8000-000000000004
  -73h create a1000000-0000-4000-8000-000000000005
  -3d disable a1000000-0000-4000-8000-000000000002 failure
app (page 8)
  a1 a1000000-0000-4000-8000-000000000001 ana@firm.test on
  a2 a1000000-0000-4000-8000-000000000002 bob@firm.test on
  a3 a1000000-0000-4000-8000-000000000003 cem@firm.test on
  a4 a1000000-0000-4000-8000-000000000004 dan@firm.test on
  a5 a1000000-0000-4000-8000-000000000005 eve@firm.test on
",
    );
    for (nth, id) in others {
        writeln!(firm, "  p{nth} {id} p{nth}@firm.test on").unwrap();
    }
    firm
}

/// The same people in OneLogin.
fn subdomain() -> String {
    let mut firm = "\
onelogin (page 3, no provisioning)
  101 ana@firm.test 1 assigned
  102 bob@firm.test 2 since=-3d
  103 cem@firm.test 1 assigned
  104 dan@firm.test 1 assigned
  105 eve@firm.test 1 assigned
"
    .to_owned();
    for id in 110..126 {
        writeln!(firm, "  {id} p{id}@firm.test 1 assigned").unwrap();
    }
    firm.push_str(
        "\
onelogin-roles
  501 Everybody
onelogin-log
  -3d 21 102
  -3d 61 102 app
  -2d 16 110
  -2d 16 111
app (page 8)
  a1 101 ana@firm.test on
  a2 102 bob@firm.test on
  a3 103 cem@firm.test on
  a4 104 dan@firm.test on
  a5 105 eve@firm.test on
",
    );
    for id in 110..126 {
        writeln!(firm, "  p{id} {id} p{id}@firm.test on").unwrap();
    }
    firm
}

/// The identity provider of a firm.
#[derive(Clone, Copy)]
pub(super) enum Idp {
    Okta,
    Entra,
    OneLogin,
}

impl Idp {
    pub(super) fn firm(self) -> String {
        match self {
            Self::Okta => FIRM.to_owned(),
            Self::Entra => tenant(),
            Self::OneLogin => subdomain(),
        }
    }

    /// What happens between the nights to those who are judged by it.
    pub(super) fn second_night(self, world: &mut World, first: DateTime<Utc>) {
        let left_at = first - TimeDelta::hours(5);
        match self {
            Self::Okta => {
                world.deactivate(CEM, left_at);
                world.unassign(DAN, first - TimeDelta::hours(30));
            }
            Self::Entra => {
                let [cem, dan] =
                    [3, 4].map(|it| format!("a1000000-0000-4000-8000-00000000000{it}"));
                world.entra.users.get_mut(&cem).unwrap().deleted_at = Some(left_at);
                world.entra.unassign(&cem);
                world.entra.unassign(&dan);
            }
            Self::OneLogin => {
                world.onelogin.set_status(103, 2, left_at);
                // So many that they are two pages.
                for user in 110..114 {
                    let event = OneLoginEvent { at: left_at, type_id: 16, user, is_in_app: false };
                    world.onelogin.events.push(event);
                }
                world.onelogin.logins.remove(&103);
                world.onelogin.logins.remove(&104);
            }
        }
    }

    /// Its table in the settings. `signs`: as a client that proves itself with a key.
    pub(super) fn settings(self, sim: &Sim, signs: bool) -> String {
        match self {
            Self::Okta => {
                let access = match signs {
                    true => "client_id = \"0oasimclient\"\nprivate_key = \"file:idp.key\"",
                    false => "token = \"file:okta.token\"",
                };
                let url = sim.okta_url();
                format!(
                    "[idp.okta.okta]\nurl = \"{url}\"\napp_id = \"0oaapp\"\n{access}\n[idp.okta.okta.http]\n"
                )
            }
            Self::Entra => {
                let access = match signs {
                    true => "certificate = \"file:idp.cert\"\nprivate_key = \"file:idp.key\"",
                    false => "client_secret = \"file:entra.secret\"",
                };
                let (url, world) = (sim.entra_url(), sim.world());
                let (door, app) = (&world.entra.door, &world.entra.app);
                format!(
                    "[idp.entra.entra]\ntenant = \"{}\"\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n\
                     app_id = \"{}\"\nclient_id = \"{}\"\n{access}\n[idp.entra.entra.http]\n",
                    door.tenant, app.app_id, door.client_id
                )
            }
            // It proves itself by a secret alone.
            Self::OneLogin => format!(
                "[idp.onelogin.onelogin]\nurl = \"{}\"\napp_id = 3001\nclient_id = \"sim-onelogin-client\"\n\
                 client_secret = \"file:onelogin.secret\"\n[idp.onelogin.onelogin.http]\n",
                sim.onelogin_url()
            ),
        }
    }

    /// Whether what was found became so while a list was read that really loses rows: of such lists
    /// by number rows are passed by, and then asked about by id.
    pub(super) fn has_lost(self, world: &World, found: &str) -> bool {
        let Some((cause, account)) = found.split_once(' ') else { return false };
        let mut accounts = world.app.accounts.iter();
        let owner = accounts.find(|it| it.id == account).and_then(|it| it.external_id.as_ref());
        // Of lists by key no row is passed by.
        let (Self::OneLogin, Some(Ok(owner))) = (self, owner.map(|it| it.parse::<u64>())) else {
            return false;
        };
        match cause {
            "leaver_active" => !world.onelogin.users.contains_key(&owner),
            "unassigned_active" => !world.onelogin.logins.contains_key(&owner),
            _ => false,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::OneLogin => "onelogin",
        }
    }
}
