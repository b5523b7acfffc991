//! Benchmarks of Driftline: the whole job on a generated company, the requests of a pull beside
//! the least that there could be, and the ledger alone. Not shipped.

mod capacity;
mod clock;
mod company;
mod ledger;
mod plan;
mod requests;

use clap::Parser;

/// Benchmarks of Driftline.
#[derive(Debug, Parser)]
enum Bench {
    /// Runs the whole job on a generated company, with grace and second look off.
    Company(company::Company),
    /// Measures what companies of several sizes take: time, memory and disk.
    Capacity(capacity::Capacity),
    /// Counts the requests of a pull at 1000, 10 000 and 100 000 people, beside the least that the
    /// vendors' page sizes allow.
    Requests,
    /// Appends entries to a ledger, and verifies them.
    Ledger(ledger::Ledger),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Bench::parse() {
        Bench::Capacity(capacity) => capacity::run(capacity).await,
        Bench::Company(company) => company::run(company).await,
        Bench::Ledger(ledger) => ledger::run(ledger).await,
        Bench::Requests => requests::run().await,
    }
}
