//! Auditors come to random companies while these live. By itself, as programs are started here while
//! a database is opened: one that is just being started holds for a moment what its starter has open.

use std::path::PathBuf;

use sim::soak::{Idp, Life, live};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_verifiers_find_nothing_wrong_with_a_bag_of_a_random_company() {
    let driftline = Some(PathBuf::from(env!("CARGO_BIN_EXE_driftline")));
    // Some of their leavers are erased, so that a third bag is read.
    let mut n_bags = 0;
    for (idp, seed, nights) in [(Idp::Okta, 840_005, 25), (Idp::Mixed, 840_003, 25)] {
        let driftline = driftline.clone();
        let life = Life { seed, idp, has_console: false, nights, victim: None, driftline };
        let lived = live(life, |_| {}).await.unwrap();
        assert_eq!(lived.problems, [], "{idp:?}, seed {seed}");
        n_bags += lived.n_bags;
    }
    assert!(n_bags >= 5, "{n_bags}");
}
