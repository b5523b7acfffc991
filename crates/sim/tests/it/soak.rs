//! Random companies live for some weeks, and what Driftline says of them is true, and what its daemon
//! tells channels, too.

use sim::soak::{Idp, Life, Service, live, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_random_companies_is_true() {
    let (mut n_runs, mut n_exposed, mut n_crashes) = (0, 0, 0);
    // Of these companies HR is heard in some and has the last word in others.
    let okta = [(2, 25), (17, 30), (3, 45), (8, 45)].map(|it| (Idp::Okta, it));
    let entra = [(103, 40), (107, 35)].map(|it| (Idp::Entra, it));
    let onelogin = [(101, 30)].map(|it| (Idp::Onelogin, it));
    let mixed = [(110_005, 30)].map(|it| (Idp::Mixed, it));
    let one_view = okta.into_iter().chain(entra).chain(onelogin).chain(mixed);
    let one_view = one_view.map(|it| (it, false));
    let with_console = [(Idp::Okta, (130_001, 25)), (Idp::Mixed, (160_001, 25))];
    let with_console = with_console.map(|it| (it, true));
    for ((idp, (seed, nights)), has_console) in one_view.chain(with_console) {
        let life = Life { seed, idp, has_console, nights, victim: None, driftline: None };
        let lived = live(life, |_| {}).await.unwrap();
        assert_eq!(lived.problems, [], "{idp:?}, seed {seed}");
        n_runs += lived.n_runs;
        n_exposed += lived.n_exposed;
        n_crashes += lived.n_crashes;
    }
    // Something happened that could have been missed.
    assert!(n_runs >= 75 && n_exposed > 0 && n_crashes > 0, "{n_runs} {n_exposed} {n_crashes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_does_each_run_once_and_tells_what_is_so_over_a_change_of_the_clocks() {
    let served = serve(Service { seed: 113, days: 18 }, |_| {}).await.unwrap();
    assert_eq!(served.problems, []);
    // Something happened that could have gone wrong.
    let n_told = served.told.n_notices.min(served.told.n_over);
    assert!(served.n_clock_changes > 0 && served.n_full > 20 && n_told > 0, "{served:?}");
}
