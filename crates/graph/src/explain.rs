//! Why an account has the owner it has, and what was seen of it: for anyone, drift or not.

use domain::{
    Account, ActiveFlag, Assignment, Explanation, Fact, HrLeaver, Identity, Invitation, KeyTrial,
    PersonLabel, Tier, TrialOutcome, Via,
};

use crate::correlate::Trial;
use crate::estate::{Sighting, Standing};
use crate::identity_graph::IdentityGraph;

/// So many rows are shown that may be an account: enough to see why nothing tells which is.
const MAY_BE_SHOWN: usize = 6;

impl IdentityGraph<'_> {
    /// Everything that was seen of an account and of everyone who may own it, and every key that
    /// was tried. The summary is left empty: what follows from it is not the graph's to say.
    #[must_use]
    pub fn explain_account(&self, account: usize) -> Explanation {
        let mut explanation =
            Explanation { trials: self.key_trials(account), ..Explanation::default() };
        if let Some(view) = self.accounts().get(account) {
            explanation.facts.extend(view.rows(self.estate).map(|it| self.account_fact(it)));
        }
        let mut may_be: Vec<_> = self.rows_that_may_be(account).collect();
        may_be.sort_unstable_by_key(|it| (it.system, &it.row.id));
        may_be.dedup_by_key(|it| it.entity);
        for row in may_be.into_iter().take(MAY_BE_SHOWN) {
            let mut fact = self.account_fact(row);
            fact.text.push_str(", which may be this one: they have a name or address in common, and nothing tells which is which");
            explanation.facts.push(fact);
        }
        let mut persons: Vec<u32> =
            self.link(account).contenders().iter().map(|it| self.person_of(*it)).collect();
        persons.dedup();
        for person in persons {
            self.add_person(&mut explanation, person);
        }
        for (leaver, tier) in self.named_by_hr(account) {
            let Some(leaver) = self.estate.leavers.get(leaver) else { continue };
            let mut fact = self.leaver_fact(leaver);
            explanation.facts.retain(|it| *it != fact);
            fact.text.push_str(&format!(", and the account carries their {}", tier.label()));
            explanation.facts.push(fact);
        }
        if let Some(ghost) = self.ghost(account)
            && let Some(idp) = self.estate.idps.get(usize::from(ghost.idp))
        {
            let who = if ghost.is_assigned {
                format!("{} assigned the account to somebody, who", idp.id)
            } else {
                format!("the `externalId` has the form of an id of {} and", idp.id)
            };
            let lists = match idp.identities.base {
                Some(base) => {
                    let list = self.estate.snapshot(base).reference.describe();
                    format!("is not in its complete list, {list}")
                }
                None => "is in no list of it; the newest was not seen whole".to_owned(),
            };
            explanation.absences.push(format!("{who} {lists}"));
        }
        explanation
    }

    /// Everything that was seen of a person.
    #[must_use]
    pub fn explain_person(&self, person: u32) -> Explanation {
        let mut explanation = Explanation::default();
        self.add_person(&mut explanation, person);
        explanation
    }

    fn add_person(&self, explanation: &mut Explanation, person: u32) {
        for at in self.identities_of(person) {
            let Some(identity) = self.estate.identities.get(at) else { continue };
            explanation.facts.push(self.identity_fact(identity));
            let assignments = self.assignments_of(at);
            explanation.facts.extend(assignments.iter().map(|it| self.assignment_fact(it)));
            let Some(idp) = self.idp_of(identity) else { continue };
            let is_listed = assignments.iter().any(|it| it.standing == Standing::Listed);
            if let (false, Some(base)) =
                (is_listed, idp.assignments.as_ref().and_then(|it| it.base))
            {
                explanation.absences.push(format!(
                    "`{}` is not in {}'s complete assignment list, {}",
                    identity.row.id,
                    idp.id,
                    self.estate.snapshot(base).reference.describe(),
                ));
            }
            if let (Standing::Gone, Some(base)) = (identity.standing, idp.identities.base) {
                explanation.absences.push(format!(
                    "`{}` is not in {}'s complete list of users, {}",
                    identity.row.id,
                    idp.id,
                    self.estate.snapshot(base).reference.describe(),
                ));
            }
        }
        let leavers = self.estate.leavers.iter().enumerate();
        for (_, leaver) in leavers.filter(|(at, _)| self.person_of_leaver(*at) == Some(person)) {
            explanation.facts.push(self.leaver_fact(leaver));
        }
    }

    /// Which keys were tried for an account, strongest first, and what each gave.
    #[must_use]
    pub fn key_trials(&self, account: usize) -> Vec<KeyTrial> {
        let link = self.link(account);
        let owner = link.owner();
        let owner_person = owner.map(|it| self.person_of(it));
        let mut is_decided = false;
        let trials = self.trials(account);
        // What was linked before is told where today's key says something else.
        let is_told = |trial: &Trial| {
            let says_it_today = |other: &Trial| {
                !other.is_stored && other.tier == trial.tier && other.names == trial.names
            };
            !(trial.is_stored && trials.iter().any(says_it_today))
        };
        trials
            .iter()
            .filter(|it| is_told(it))
            .map(|trial| {
                let names: Vec<usize> = trial.names.iter().map(|it| *it as usize).collect();
                let keys =
                    names.iter().map(|it| self.identity_key(*it)).collect::<Vec<_>>().join(", ");
                let agrees = names.iter().any(|it| Some(self.person_of(*it)) == owner_person);
                let outcome = match (names.is_empty(), &trial.value) {
                    (true, None) => TrialOutcome::NotStated,
                    // It is the provider that states this key, not the account.
                    (true, Some(_)) if trial.tier == Tier::AccountId => TrialOutcome::NotStated,
                    (true, Some(_))
                        if trial.tier == Tier::ExternalId
                            && self.ghost(account).is_some_and(|it| it.is_unknown) =>
                    {
                        TrialOutcome::Rejected(
                            "has the form of an identity provider's id and is unknown there"
                                .to_owned(),
                        )
                    }
                    (true, Some(_)) => TrialOutcome::NoMatch,
                    (false, _) if agrees && !is_decided => {
                        is_decided = true;
                        TrialOutcome::Decided(owner.map_or(keys, |it| self.identity_key(it)))
                    }
                    (false, _) if agrees => TrialOutcome::Agrees(keys),
                    (false, _) if owner.is_some() => TrialOutcome::Rejected(format!(
                        "names {keys}, a stronger key names somebody else"
                    )),
                    (false, _) if names.len() > 1 => {
                        TrialOutcome::Rejected(format!("names several: {keys}"))
                    }
                    (false, _) => TrialOutcome::Rejected(format!(
                        "names {keys}, and a stronger key contradicts it"
                    )),
                };
                KeyTrial {
                    tier: trial.tier,
                    value: trial.value.clone().unwrap_or_default(),
                    outcome,
                }
            })
            .collect()
    }

    /// How people call the owners of an account and the account itself.
    #[must_use]
    pub fn label_of_account(&self, account: usize) -> PersonLabel {
        let row = &self.account_row(account).row;
        let owner = self.link(account).owner().and_then(|it| self.estate.identities.get(it));
        let text = |it: Option<&domain::Text>| it.map(ToString::to_string);
        let contenders = self.link(account).contenders();
        let owners = contenders.iter().filter_map(|it| self.estate.identities.get(*it));
        let logins = owners.flat_map(|it| [&it.row.user_name, &it.row.email]);
        let logins = [&row.user_name, &row.email].into_iter().chain(logins).flatten();
        PersonLabel {
            logins: logins.cloned().collect(),
            name: text(owner.and_then(|it| it.row.display_name.as_ref()))
                .or_else(|| text(row.display_name.as_ref())),
            login: text(owner.and_then(|it| it.row.user_name.as_ref()))
                .or_else(|| text(row.user_name.as_ref()))
                .or_else(|| text(row.email.as_ref())),
            identities: contenders.iter().map(|it| self.identity_key(*it)).collect(),
        }
    }

    /// How people call an identity.
    #[must_use]
    pub fn label_of_identity(&self, identity: usize) -> PersonLabel {
        let row = self.estate.identities.get(identity).map(|it| &it.row);
        let text = |it: Option<&domain::Text>| it.map(ToString::to_string);
        PersonLabel {
            name: row.and_then(|it| text(it.display_name.as_ref())),
            login: row
                .and_then(|it| text(it.user_name.as_ref()).or_else(|| text(it.email.as_ref()))),
            identities: vec![self.identity_key(identity)],
            logins: row
                .into_iter()
                .flat_map(|it| [&it.user_name, &it.email])
                .flatten()
                .cloned()
                .collect(),
        }
    }

    fn fact<T>(&self, sighting: &Sighting<T>, key: &str, text: String) -> Fact {
        let view = self.estate.snapshot(sighting.snapshot);
        let text = match sighting.standing {
            Standing::Listed => text,
            Standing::Gone => format!("was last seen as: {text}"),
        };
        Fact { text, source: self.estate.place(sighting, key), at: view.reference.as_of.at }
    }

    fn account_fact(&self, sighting: &Sighting<Account>) -> Fact {
        let row = &sighting.row;
        let active = match &row.active {
            ActiveFlag::Set(active) => format!("`active` is `{active}`"),
            ActiveFlag::Null => "`active` is null".to_owned(),
            ActiveFlag::Absent => "`active` is not stated".to_owned(),
            ActiveFlag::Unparseable(raw) => format!("`active` reads `{raw}`, which says nothing"),
        };
        let invitation = match row.invitation {
            Invitation::Pending => ", an invitation is open",
            Invitation::Accepted => ", the invitation was accepted",
            Invitation::Sent => ", an invitation was sent",
            Invitation::NotSent => ", never invited",
            Invitation::NotStated => "",
        };
        let mut text = format!("account `{}`: {active}{invitation}", row.id);
        let mut add = |what: &str, value: Option<&str>| {
            if let Some(value) = value {
                text.push_str(&format!(", {what} `{value}`"));
            }
        };
        add("status", row.raw_status.as_deref());
        add("set by", row.active_source.as_deref());
        let join = |it: &Option<Vec<domain::Raw>>| {
            it.as_ref().filter(|it| !it.is_empty()).map(|it| it.join("`, `"))
        };
        match &row.roles {
            Some(roles) if roles.is_empty() => add("roles", Some("none")),
            roles => add("roles", join(roles).as_deref()),
        }
        add("groups", join(&row.groups).as_deref());
        add(
            "ends",
            row.ends_at.map(|it| it.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).as_deref(),
        );
        add(
            "last changed",
            row.modified_at
                .map(|it| it.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
                .as_deref(),
        );
        add(
            "last used",
            row.last_used_at
                .map(|it| it.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
                .as_deref(),
        );
        self.fact(sighting, &row.id, text)
    }

    fn identity_fact(&self, sighting: &Sighting<Identity>) -> Fact {
        let row = &sighting.row;
        let status = row.raw_status.as_deref().unwrap_or("not stated");
        let mut text = format!(
            "{} identity `{}`: status `{status}` ({})",
            self.idp_of(sighting).map_or("?", |it| it.id.as_str()),
            row.id,
            row.lifecycle,
        );
        for (what, at) in
            [("since", row.status_changed_at), ("starts", row.starts_at), ("ends", row.ends_at)]
        {
            if let Some(at) = at {
                text.push_str(&format!(
                    ", {what} {}",
                    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
                ));
            }
        }
        self.fact(sighting, &row.id, text)
    }

    fn assignment_fact(&self, sighting: &Sighting<Assignment>) -> Fact {
        let row = &sighting.row;
        let (who, key) = match &row.principal {
            domain::Principal::Identity(id) => (format!("`{id}`"), id),
            domain::Principal::Group(id) => (format!("group `{id}`"), id),
        };
        let via = match &row.via {
            Via::Direct => "directly".to_owned(),
            Via::NotStated => "in a way that is not stated".to_owned(),
            Via::Groups(groups) if groups.is_empty() => "through a group".to_owned(),
            Via::Groups(groups) => {
                let names: Vec<&str> =
                    groups.iter().map(|it| it.name.as_deref().unwrap_or(&it.id)).collect();
                format!("through `{}`", names.join("`, `"))
            }
        };
        let status =
            row.raw_status.as_deref().map_or(String::new(), |it| format!(", status `{it}`"));
        let text = format!("assignment of {who} {via}: {}{status}", row.grant);
        self.fact(sighting, key, text)
    }

    fn leaver_fact(&self, sighting: &Sighting<HrLeaver>) -> Fact {
        let row = &sighting.row;
        let reason = row.reason.as_deref().map_or(String::new(), |it| format!(", reason `{it}`"));
        let left = row.left_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        self.fact(sighting, &row.id, format!("HR states the end of employment at {left}{reason}"))
    }
}
