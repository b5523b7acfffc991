//! Where a company's people are: with one identity provider, or with several at once.

use fastrand::Rng;

use super::people::Kind;
use super::provider::Provider;
use crate::Endpoint;

/// What a company is asked to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Idp {
    /// Okta alone.
    #[default]
    Okta,
    /// Microsoft Entra ID alone.
    Entra,
    /// OneLogin alone.
    Onelogin,
    /// Several of them, as the seed says.
    Mixed,
    /// Okta alone, by exported files.
    Exports,
}

impl Idp {
    /// All there are, in the order in which companies take turns.
    pub const ALL: [Self; 5] =
        [Self::Okta, Self::Entra, Self::Onelogin, Self::Mixed, Self::Exports];

    /// Its name, as an argument.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::Onelogin => "onelogin",
            Self::Mixed => "mixed",
            Self::Exports => "exports",
        }
    }
}

/// The identity providers of one company, and who is where.
#[derive(Clone, Debug)]
pub(super) struct Idps {
    /// At least one.
    all: Vec<Provider>,
    /// Most employees are with the first, and everybody else with the others. Otherwise anybody is
    /// anywhere, as in firms that merged.
    by_kind: bool,
}

/// What several providers may be. Where both tell employee numbers, people may be in both.
const SEVERAL: &[&[Provider]] = &[
    &[Provider::Okta, Provider::Entra],
    &[Provider::Entra, Provider::Okta],
    &[Provider::Okta, Provider::Entra],
    &[Provider::Okta, Provider::Onelogin],
    &[Provider::Entra, Provider::Onelogin],
    &[Provider::Okta, Provider::Entra, Provider::Onelogin],
    &[Provider::Exports, Provider::Entra],
    &[Provider::Okta, Provider::Exports],
];

impl Idps {
    /// Those of a company. Draws only where there are several.
    pub(super) fn drawn(idp: Idp, rng: &mut Rng) -> Self {
        let several = |rng: &mut Rng| rng.choice(SEVERAL).copied().unwrap_or_default();
        let all = match idp {
            Idp::Okta => &[Provider::Okta][..],
            Idp::Entra => &[Provider::Entra],
            Idp::Onelogin => &[Provider::Onelogin],
            Idp::Mixed => several(rng),
            Idp::Exports => &[Provider::Exports],
        };
        Self { all: all.to_vec(), by_kind: all.len() > 1 && rng.bool() }
    }

    pub(super) fn all(&self) -> &[Provider] {
        &self.all
    }

    pub(super) fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    pub(super) fn has(&self, provider: Provider) -> bool {
        self.all.contains(&provider)
    }

    /// Is there one by whose employee numbers HR's list names somebody?
    pub(super) fn numbers(&self) -> bool {
        self.all.iter().any(|it| it.numbers())
    }

    /// Where somebody goes who joins. Draws only where there are several.
    pub(super) fn of_new(&self, kind: Kind, rng: &mut Rng) -> Provider {
        let (first, others) = self.all.split_first().unwrap_or((&Provider::Okta, &[]));
        match (self.by_kind, kind) {
            _ if others.is_empty() => *first,
            (true, Kind::Employee) if rng.u32(0..3) > 0 => *first,
            (true, _) => rng.choice(others).copied().unwrap_or(*first),
            (false, _) => rng.choice(&self.all).copied().unwrap_or(*first),
        }
    }

    /// Where the employee number of somebody is told as well, who is or was with `one`: there they
    /// may have another user. With `or_there`, `one` is such a place, too. Draws only where there are
    /// several.
    pub(super) fn where_numbered(
        &self,
        one: Provider,
        or_there: bool,
        rng: &mut Rng,
    ) -> Option<Provider> {
        let fit = |it: &&Provider| it.numbers() && (or_there || **it != one);
        let fit: Vec<Provider> = self.all.iter().filter(fit).copied().collect();
        if let [only] = fit.as_slice() { Some(*only) } else { rng.choice(fit) }
    }

    /// Where something may go wrong.
    pub(super) fn places(&self) -> Vec<Endpoint> {
        self.all.iter().flat_map(|it| it.places()).copied().collect()
    }

    /// Is it the log of one of them, or all of the provider, its log among it?
    pub(super) fn is_log(&self, place: Endpoint) -> bool {
        self.all.iter().filter_map(|it| it.log()).any(|it| place.covers(it))
    }
}
