//! Counts the requests of pulls and whole runs, beside the least that there could be at the
//! vendors' page sizes. Everything goes over real sockets, to a simulated company on loopback.

mod count;
mod firm;
mod table;

use std::io::Write as _;

/// How many people work at each company.
const PEOPLE: [u32; 3] = [1_000, 10_000, 100_000];

/// Counts at companies of each size, and prints what came of it.
///
/// # Errors
///
/// Returns an error when a list was not read whole, or when a request was sent that this does not
/// know: its figures would be wrong.
pub(crate) async fn run() -> anyhow::Result<()> {
    for people in PEOPLE {
        let counted = count::count(people).await?;
        let (requests, pace) = (table::requests(&counted), table::pace(&counted));
        writeln!(std::io::stdout(), "{people} people\n\n{requests}\n{pace}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thousand_people_cost_no_request_too_many() {
        let counted = count::count(1_000).await.unwrap();
        insta::assert_snapshot!(table::requests(&counted), @"
        pull, list                        rows   a page    sent   least  ratio
        Okta                                                  8       8   1.00
          Okta users                      1000      200       5       5   1.00
          Okta app users                   980      500       2       2   1.00
          Okta groups of the app             1      200       1       1   1.00
          no page of a list                                   4
        SCIM by index                                        10      10   1.00
          SCIM accounts                   1000      100      10      10   1.00
          no page of a list                                   1
        SCIM by cursor                                       10      10   1.00
          SCIM accounts                   1000      100      10      10   1.00
          no page of a list                                   1
        Secureframe API                                      10      10   1.00
          Secureframe personnel           1000      100      10      10   1.00
          no page of a list                                   0
        Secureframe API, no total                            22      10   2.20
          Secureframe personnel           1000      100      22      10   2.20
          no page of a list                                   0

        besides pages, in whole runs     first   second
          Okta user by id                    5        5
          Okta app                           2        2
          Okta app features                  1        1
          Okta app user by id                5        5
          Okta log poll                      2        1
          SCIM ServiceProviderConfig         1        1
          SCIM account by id                 5        5
        ");
    }

    /// A server that cuts its list off after a page, and its total with it, looks the same.
    #[tokio::test]
    async fn only_a_list_of_accounts_that_is_just_one_full_page_costs_one_more() {
        for (people, sent) in [
            (99, "Okta 1 1 1, SCIM by index 1, SCIM by cursor 1"),
            (100, "Okta 1 1 1, SCIM by index 2, SCIM by cursor 2"),
            (101, "Okta 1 1 1, SCIM by index 2, SCIM by cursor 2"),
            (200, "Okta 1 1 1, SCIM by index 2, SCIM by cursor 2"),
            (201, "Okta 2 1 1, SCIM by index 3, SCIM by cursor 3"),
        ] {
            assert_eq!(shown(people, |it| !is_own_view(it)).await, sent, "{people} people");
        }
    }

    /// Without a total nothing but a second reading shows that nobody was passed by, unless there is one
    /// page that is not full.
    #[tokio::test]
    async fn the_apps_own_view_is_looked_behind_once_and_without_a_total_it_is_read_twice() {
        for (people, sent) in [
            (99, "Secureframe API 2, Secureframe API, no total 2"),
            (100, "Secureframe API 2, Secureframe API, no total 4"),
            (101, "Secureframe API 2, Secureframe API, no total 6"),
            (201, "Secureframe API 3, Secureframe API, no total 8"),
        ] {
            assert_eq!(shown(people, is_own_view).await, sent, "{people} people");
        }
    }

    fn is_own_view(system: &str) -> bool {
        system.starts_with("Secureframe")
    }

    /// Requests for each list of the pulls that are meant.
    async fn shown(people: u32, is_meant: fn(&str) -> bool) -> String {
        let counted = count::count(people).await.unwrap();
        let meant = counted.pulls.iter().filter(|it| is_meant(it.system));
        let pulls = meant.map(|pull| {
            let lists = pull.lists.iter().map(|it| format!(" {}", it.n_sent));
            lists.fold(pull.system.to_owned(), |all, it| all + &it)
        });
        pulls.collect::<Vec<_>>().join(", ")
    }
}
