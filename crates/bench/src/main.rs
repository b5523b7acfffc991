//! Benchmarks of Driftline: the whole job on a generated company, and the requests of a pull
//! beside the least that there could be. Not shipped.

mod clock;
mod company;
mod plan;
mod requests;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Benchmarks of Driftline.
#[derive(Debug, Parser)]
enum Bench {
    /// Runs the whole job on a generated company, with grace and second look off.
    Company(company::Company),
    /// Counts the requests of a pull at 1000, 10 000 and 100 000 people, beside the least that the
    /// vendors' page sizes allow.
    Requests,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Bench::parse() {
        Bench::Company(company) => company::run(company).await,
        Bench::Requests => requests::run().await,
    }
}
