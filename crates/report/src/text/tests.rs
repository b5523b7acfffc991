//! The terminal's pages as an operator reads them.

use crate::sample::record;
use crate::v1::Report;
use crate::{Style, finding_text, text};

/// No-break spaces as blanks, or the expectation could not be read.
fn plain(page: &str) -> String {
    page.replace('\u{a0}', " ")
}

#[test]
#[expect(clippy::too_many_lines, reason = "the expected page is long")]
fn a_run_reads_from_coverage_to_limits() {
    let page = text(&Report::of(&record()), Style::default());
    insta::assert_snapshot!(plain(&page), @r#"
    Drift report, run 14, 2026-11-23 03:00 +01:00 (Europe/Berlin)
    8 findings open, 3 critical; 2 pending; 2 waived or not visible. More may be
    unseen: coverage is not complete.
    Since run 13: 2 detected, 1 opened, 1 worsened, 1 resolved, 1 reopened, 1
    waived, 1 lost sight.

    COVERAGE
      salesforce   Coverage C  216 persons, 200 accounts (first run)
        2 findings, and more may be unseen
        First run: its findings are told of together, to be sorted out in one list.
        Leavers among them are open at once.
        - The account list is partial: page 3 was cut off after 200 of 214 rows.
      secureframe  Coverage B  62 persons, 58 accounts
        10 findings
        Time to deactivate, of 12 exposures seen to end since 25 August 2026: median
        between 2 h and 1 d 2 h; 95 of 100 between 1 d 7 h and 2 d 6 h; longest at
        least 9 d, no upper bound.
        What becomes of an account that is switched off: not in the settings; seen,
        and mixed: 3 accounts stayed in the list, inactive (scim, last on 21
        November 2026); 1 account left the list, and by id was gone: deleted, or
        forgotten by what answers (scim, last on 21 November 2026). Evidence is
        provisional.
        - Suspects were not asked again by id: the account list is a file.
        - No canary is configured for okta.

    DRIFT
      cause                 severity    open  pending  aside   new   over
      leaver_active         critical       2        ·      ·     ·      1
      reactivated           critical       1        ·      ·     1      ·
      unassigned_active     high           ·        1      1     1      ·
      orphan_active         high           1        ·      ·     ·      ·
      link_conflict         high           1        ·      ·     ·      ·
      owner_left            high           1        ·      ·     ·      ·
      access_invited        medium         ·        ·      1     ·      ·
      vanished              medium         ·        1      ·     1      ·
      duplicate_account     medium         1        ·      ·     ·      ·
      identifier_drift      low            1        ·      ·     ·      ·
      total                                8        2      2     3      1
      open: also acknowledged or held; aside: waived or not visible; new: not there
      in the full run before; over: ended since

    FINDINGS, gravest first
      DL-3     critical  leaver_active  secureframe
               open
               account secureframe/5f0c2a91-77, owner okta/00u3
               since 2026-11-20 18:12:44 +01:00; exposure at least 2 d 8 h 27 min
               16 s, still on; SLA missed
               next: Deactivate account `5f0c2a91-77` in secureframe today.
      DL-9     critical  reactivated  secureframe
               open
               account secureframe/b81e0d44-02, owner okta/00u9
               since 2026-11-23 02:00 +01:00; exposure at least 17 h 40 min, still
               on; SLA not proven
               next: Look at account `b81e0d44-02` in secureframe.
      DL-21    critical  leaver_active  salesforce
               acknowledged until 2026-11-24 09:00 +01:00
               account salesforce/0051X00000A, owner entra/7c1d
               since 2026-11-20 02:00 +01:00; exposure at least 2 d 23 h 40 min,
               still on
               next: Look at account `0051X00000A` in salesforce.
      DL-4     high      link_conflict  secureframe
               held by the guard
               account secureframe/91cc, owner okta/00u4
               since 2026-11-19 02:00 +01:00
               next: Look at account `91cc` in secureframe.
      DL-5     high      orphan_active  secureframe
               open
               account secureframe/svc-backup, no owner
               since 2026-11-18 02:00 +01:00
               next: Find out who uses `svc-backup`: register it as non-human, or
                     remove it.
      DL-10    high      unassigned_active  secureframe
               waived until 2026-11-30 23:59:59 +01:00
               account secureframe/2ab7, owner okta/00u10
               since 2026-11-22 02:00 +01:00
               next: Look at account `2ab7` in secureframe.
      DL-13    high      owner_left  secureframe
               open
               account secureframe/ci-bot, owner okta/00u13
               since 2026-11-19 02:00 +01:00
               next: Look at account `ci-bot` in secureframe.
      DL-27    high      unassigned_active  secureframe
               seen, in grace until 2026-11-24 02:00 +01:00
               account secureframe/77d0, owner okta/00u27
               since 2026-11-23 02:00 +01:00
               next: Look at account `77d0` in secureframe.
      DL-19    medium    access_invited  secureframe
               not visible: neither seen nor proven absent
               account secureframe/inv-3, owner okta/00u19
               since 2026-11-22 02:00 +01:00
               next: Look at account `inv-3` in secureframe.
      DL-36    medium    vanished  secureframe
               seen, in grace until 2026-11-23 06:00 +01:00
               identity okta/00u44
               since 2026-11-23 02:00 +01:00
               next: Look at account `00u44` in secureframe.
      DL-22    medium    duplicate_account  salesforce
               open
               account salesforce/0051X00000B, owner okta/00u22
               since 2026-11-19 02:00 +01:00
               next: Look at account `0051X00000B` in salesforce.
      DL-2     low       identifier_drift  secureframe
               open
               account secureframe/c3d4, owner okta/00u2
               since 2026-11-21 02:00 +01:00
               next: Look at account `c3d4` in secureframe.

    OVER
      DL-6     critical  leaver_active  secureframe
               resolved: the account was seen inactive
               account secureframe/aa17, owner okta/00u6
               since 2026-11-17 02:00 +01:00; exposure between 5 d 6 h 40 min and
               6 d 6 h 40 min; SLA missed
               next: Look at account `aa17` in secureframe.

    SOURCES
      B  entra identities
         216 rows, as of 2026-11-23 00:05:12 +01:00 (assumed: time of the file)
         complete: read to its end, declared whole
      B  okta identities
         62 rows, as of 2026-11-23 02:40 +01:00 (stated)
         complete: read to its end, declared whole
         - `status` holds `PENDING_REVIEW`, which no mapping knows (2 rows)
      B  okta assignments
         57 rows, as of 2026-11-23 02:40 +01:00 (stated)
         complete: read to its end, declared whole
      C  salesforce accounts (scim)
         200 rows, as of 2026-11-23 02:40 +01:00 (stated)
         partial: page 3 was cut off after 200 of 214 rows
         - absences do not count: rows fell by 21 %
      B  secureframe accounts (scim)
         58 rows, as of 2026-11-23 02:40 +01:00 (stated)
         complete: as many unique rows as the source states
      F  hr leavers
         0 rows, no snapshot
         no data
         - pull failed: `hr/leavers.csv` is not there; export it to that path

    ABOUT THE WATCHING ITSELF
      high      snapshot_incomplete  salesforce
        page 3 of the account list was cut off after 200 of 214 rows
        next: Export the account list again, or wait for the next night.

    VALUES THAT NO MAPPING KNOWS (counted as unknown, never guessed)
      okta status `PENDING_REVIEW` in 2 rows

    NOT CHECKED
      - Suspects were not asked again by id: export files cannot be asked.
      - Absence from salesforce was not judged: its account list is partial.

    WHAT THIS DOES NOT SHOW
      - `active` says nothing of open sessions, API tokens or local passwords.
      - Access through a shared account is visible only where it is registered.

    LEDGER
      - 1 204 entries before this run, root 5e5e5e5e5e5e5e5e, signed. What this run
        adds comes after.
    "#);
}

#[test]
fn one_finding_shows_all_that_is_known() {
    let page =
        finding_text(&Report::of(&record()), domain::FindingId(3), Style::default()).unwrap();
    insta::assert_snapshot!(plain(&page), @r#"
    DL-3  critical  leaver_active  secureframe
    Deactivated in okta on 20 November; the account in secureframe is still active.

      who           account secureframe/5f0c2a91-77, owner okta/00u3
      next          Deactivate account `5f0c2a91-77` in secureframe today.
      state         open
      last change   opened: grace ended 2026-11-20 21:12 UTC, and a later list shows
                    it again
      meaning       Left, and the account is active
      privileged    yes
      first seen    2026-11-20 02:00 +01:00, run 11
      last seen     2026-11-23 02:40 +01:00
      clock from    2026-11-20 18:12:44 +01:00
      grace until   2026-11-20 19:12:44 +01:00
      opened        2026-11-21 02:00 +01:00
      exposure      at least 2 d 8 h 27 min 16 s, still on
      SLA           missed: seen active 1 d 8 h 27 min 16 s after the deadline;
                    deadline 2026-11-21 18:12:44 +01:00, from earliest known end of
                    the right (24 h, policy 3)
      fingerprint   0303030303030303030303030303030303030303030303030303030303030303

    Exposure
      - began 2026-11-20 18:12:44 +01:00; last seen active 2026-11-23 02:40 +01:00;
        first seen inactive not yet: at least 2 d 8 h 27 min 16 s, still on

    What was seen
      - `status` is `DEPROVISIONED`, changed `2026-11-20T17:12:44Z` [okta
        identities, night-2/okta-users.csv line 23, as of 2026-11-23 02:40 +01:00]
      - `active` is `true`, `userName` is `(withheld)` [secureframe accounts,
        night-2/scim-users.json row 17, as of 2026-11-23 02:40 +01:00]

    Keys tried, strongest first
      - externalId `00u3` decided: okta/00u3
      - employee number not stated
      - userName (withheld) agrees: okta/00u3
      - e-mail address (withheld) rejected: entra/7c1d also has it, as an alias

    What was not seen
      - No row for okta/00u3 in okta assignments, a complete list.

    First shown by
      - secureframe accounts (scim) as of 2026-11-20 02:00 +01:00, SHA-256
        0303030303030303030303030303030303030303030303030303030303030303
    "#);
}
