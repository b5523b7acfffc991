//! What a company holds leavers to.

use chrono::TimeDelta;
use domain::{ClockStart, SlaLimit};
use drift::Policy;
use fastrand::Rng;

/// What its operator chose.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Terms {
    /// Access must be off within so many hours
    #[arg(long, default_value_t = 24)]
    sla_hours: i64,
    /// Within so many business days, and not hours
    #[arg(long)]
    sla_days: Option<u32>,
    /// From which event that runs
    #[arg(long, default_value = ClockStart::EarliestKnown.name(), value_parser = clock)]
    sla_clock: ClockStart,
    /// Who is back after fewer hours has not left
    #[arg(long, default_value_t = 24)]
    rehire_hours: i64,
}

fn clock(name: &str) -> Result<ClockStart, String> {
    ClockStart::parse(name).ok_or_else(|| format!("`{name}` is no clock"))
}

impl Terms {
    /// Half of the operators leave each of it as it is.
    pub(super) fn drawn(rng: &mut Rng) -> Self {
        let mut other = |hours: [i64; 3]| rng.choice(hours).filter(|_| rng.bool()).unwrap_or(24);
        let (sla_hours, rehire_hours) = (other([4, 8, 72]), other([1, 72, 14 * 24]));
        let sla_days = (rng.u32(0..4) == 0).then(|| rng.u32(1..=2));
        let clocks =
            [ClockStart::HrTermination, ClockStart::IdpDeactivated, ClockStart::IdpUnassigned];
        let sla_clock = rng.choice(clocks).filter(|_| rng.u32(0..3) == 0);
        let sla_clock = sla_clock.unwrap_or(ClockStart::EarliestKnown);
        Self { sla_hours, sla_days, sla_clock, rehire_hours }
    }

    pub(super) fn policy(self) -> Policy {
        let hours = SlaLimit::Span(TimeDelta::hours(self.sla_hours));
        Policy {
            sla: self.sla_days.map_or(hours, SlaLimit::BusinessDays),
            sla_clock: self.sla_clock,
            rehire_after: TimeDelta::hours(self.rehire_hours),
            ..Policy::default()
        }
    }

    /// As settings.
    pub(super) fn settings(self) -> String {
        let Self { sla_hours, sla_days, sla_clock, rehire_hours } = self;
        let hours = format!("{sla_hours}h");
        let sla = sla_days.map_or(hours, |it| format!("{it} business days"));
        let clock = sla_clock.name();
        format!(
            "[policy]\nsla = \"{sla}\"\nsla_clock = \"{clock}\"\nrehire_after = \"{rehire_hours}h\"\n"
        )
    }

    /// Itself as arguments of a program.
    pub(super) fn to_args(self) -> Vec<String> {
        let Self { sla_hours, sla_days, sla_clock, rehire_hours } = self;
        let days = sla_days.map(|it| format!("--sla-days={it}"));
        let all = [
            format!("--sla-hours={sla_hours}"),
            format!("--sla-clock={}", sla_clock.name()),
            format!("--rehire-hours={rehire_hours}"),
        ];
        all.into_iter().chain(days).collect()
    }
}
