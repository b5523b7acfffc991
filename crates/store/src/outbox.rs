//! The outbox: what is still to be sent, and what became of it. A try is written down before it is
//! made, so that a crash in between is known as one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Delivery, DeliveryId, DeliveryState, Finding, FindingId, Notice, NoticeId, NotifyReason,
    Severity, Text, Told,
};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError, finding, notice};

/// What a channel that takes others refused longer ago than this is old news: what still holds of it
/// was decided anew.
const LATELY: TimeDelta = TimeDelta::days(1);

/// One delivery whose time has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// What there is to tell; its `to` is empty.
    pub notice: Notice,
    /// The first notice that the channel took under this key, since the last one that said it was
    /// over.
    pub first: Option<FirstTold>,
    /// Something was sent to the channel under this key since then, taken or not.
    pub was_sent: bool,
}

/// The first notice that a channel took under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstTold {
    /// Its number.
    pub notice: NoticeId,
    /// Its title.
    pub title: String,
    /// What the channel called it, where it said so.
    pub reference: Option<Text>,
}

/// A notice that a channel did not take.
#[derive(Clone, Debug, PartialEq)]
pub struct Stuck {
    /// Its delivery.
    pub id: DeliveryId,
    /// What there was to tell; its `to` is empty.
    pub notice: Notice,
    /// What the channel said; `None`: nothing yet.
    pub why: Option<String>,
    /// An earlier notice of the same key was told by others instead.
    pub was_forwarded: bool,
}

/// What channels were told of others that do not take notices. All of it is empty where nothing of
/// that kind is going on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outages {
    /// What each was told of others, and is not over.
    pub outages: Vec<Told>,
    /// What each was told of what runs decide on, and is not over.
    pub told: Vec<Told>,
    /// When a channel took something last; without those that never did.
    pub last_taken: BTreeMap<Text, DateTime<Utc>>,
}

/// What waits in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Deliveries that were tried, and were not taken yet.
    pub n_tried: usize,
    /// When the next one is due, tried or not; `None`: nothing waits.
    pub next_due_at: Option<DateTime<Utc>>,
}

/// What became of a try, or why there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The channel took it.
    Delivered {
        /// What it calls the message.
        reference: Option<Text>,
    },
    /// To be tried again.
    Later {
        /// When.
        due_at: DateTime<Utc>,
        /// What happened.
        why: String,
        /// The channel asked everybody to wait until then.
        for_all: bool,
    },
    /// Not sent: it no longer holds.
    Dropped {
        /// What shows that.
        why: String,
    },
    /// Refused for good, or tried often enough.
    GivenUp {
        /// What the channel said.
        why: String,
    },
}

/// One line of the outbox, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryLine {
    /// The delivery.
    pub delivery: Delivery,
    /// Why it was to be told.
    pub reason: NotifyReason,
    /// How grave it is.
    pub severity: Severity,
    /// In a line.
    pub title: String,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The findings that it is about; empty: it is about the watching.
    pub findings: Vec<FindingId>,
}

impl Store {
    /// Saves notices that no run decided on.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when they cannot be saved; none of them is then.
    pub async fn add_notices(&self, notices: Vec<Notice>) -> Result<(), StoreError> {
        self.write("save notices", move |connection| notice::insert(connection, &notices)).await
    }

    /// What is due for a channel, oldest notice first, `limit` at most.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn due(
        &self,
        channel: Text,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Due>, StoreError> {
        self.read("read the outbox", move |connection| due(connection, &channel, now, limit)).await
    }

    /// What waits for channels that are not among the known ones: nobody will send it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn left_behind(
        &self,
        known: Vec<Text>,
    ) -> Result<Vec<(DeliveryId, Notice)>, StoreError> {
        self.read("read the outbox", move |connection| left_behind(connection, &known)).await
    }

    /// Drops such a delivery, and has these channels told instead; nobody where a later notice of the
    /// same key says more.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved; none of it is then.
    pub async fn hand_over(&self, id: DeliveryId, to: Vec<Text>) -> Result<(), StoreError> {
        self.write("hand a notice over", move |connection| hand_over(connection, id, &to)).await
    }

    /// Notices that a channel did not take, or that wait for it while it takes none, and of which no
    /// other channel was told yet. Notices about dead channels are not among them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn stuck(&self, channel: Text, now: DateTime<Utc>) -> Result<Vec<Stuck>, StoreError> {
        self.read("read the outbox", move |connection| stuck(connection, &channel, now)).await
    }

    /// Saves that other channels were told of stuck notices, and the notice that tells them; `None`:
    /// they know already.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved; none of it is then.
    pub async fn forward(
        &self,
        stuck: Vec<DeliveryId>,
        notice: Option<Notice>,
    ) -> Result<(), StoreError> {
        self.write("tell other channels", move |connection| {
            notice::insert(connection, notice.as_slice())?;
            let mut update =
                connection.prepare_cached("UPDATE delivery SET forwarded = 1 WHERE id = ?1")?;
            for id in stuck {
                update.execute([id.0])?;
            }
            Ok(())
        })
        .await
    }

    /// What channels were told of others that do not take notices, and what shows whether it is over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn outages(&self) -> Result<Outages, StoreError> {
        self.read("read the outbox", |connection| {
            let outages = notice::load_outages(connection)?;
            if outages.is_empty() {
                return Ok(Outages::default());
            }
            let (told, last_taken) = (notice::load_told(connection)?, last_taken(connection)?);
            Ok(Outages { told, outages, last_taken })
        })
        .await
    }

    /// Saves that a channel took a notice that was sent outside of the outbox.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn add_taken(&self, notice: Notice) -> Result<(), StoreError> {
        self.write("save what a channel took", move |connection| {
            let now = ms(notice.at);
            notice::insert(connection, &[notice])?;
            connection.execute(
                "UPDATE delivery SET state = 'delivered', n_attempts = 1, tried_at_ms = ?1
                 WHERE notice = (SELECT max(id) FROM notice)",
                [now],
            )?;
            Ok(())
        })
        .await
    }

    /// What waits in the outbox.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn waiting(&self) -> Result<Waiting, StoreError> {
        self.read("read the outbox", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FILTER (WHERE n_attempts > 0), min(due_at_ms) FROM delivery
                 WHERE state = 'pending'",
            )?;
            let mut rows = statement.query([])?;
            let Some(row) = rows.next()? else { return Ok(Waiting::default()) };
            let mut cells = Cells::keyed(row, "delivery")?;
            let n_tried = usize::try_from(cells.key()).unwrap_or(usize::MAX);
            Ok(Waiting { n_tried, next_due_at: cells.maybe_time("due_at_ms")? })
        })
        .await
    }

    /// Writes down that a delivery is about to be sent.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved: then it must not be sent.
    pub async fn begin_delivery(
        &self,
        id: DeliveryId,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write("save that a notice is sent", move |connection| {
            connection
                .prepare_cached(
                    "UPDATE delivery SET n_attempts = n_attempts + 1, tried_at_ms = ?2
                     WHERE id = ?1 AND state = 'pending'",
                )?
                .execute([id.0, ms(now)])?;
            Ok(())
        })
        .await
    }

    /// Writes down what became of a delivery.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved: it is sent again then.
    pub async fn settle_delivery(&self, id: DeliveryId, what: Settled) -> Result<(), StoreError> {
        self.write("save what became of a notice", move |connection| settle(connection, id, what))
            .await
    }

    /// The newest deliveries, newest first, `limit` at most.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn deliveries(&self, limit: u32) -> Result<Vec<DeliveryLine>, StoreError> {
        self.read("list the outbox", move |connection| lines(connection, limit)).await
    }

    /// Findings as they stand now, by number. Numbers that no finding has are left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn findings_by_id(&self, ids: Vec<FindingId>) -> Result<Vec<Finding>, StoreError> {
        self.read("read findings", move |connection| {
            let mut findings = Vec::new();
            for id in ids {
                findings.extend(finding::select(connection, "f.id = ?1", id.0)?);
            }
            Ok(findings)
        })
        .await
    }
}

const DELIVERY: &str = "d.id, d.notice, d.channel, d.state, d.due_at_ms, d.n_attempts, d.tried_at_ms, d.reference, d.why";

fn left_behind(
    connection: &Connection,
    known: &[Text],
) -> Result<Vec<(DeliveryId, Notice)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, notice, channel FROM delivery WHERE state = 'pending' ORDER BY notice, id",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        let number = NoticeId(cells.int("notice")?);
        let channel = cells.str("channel")?;
        if !known.iter().any(|it| **it == *channel) {
            let notice = notice::read(connection, number)?;
            let notice = notice.ok_or_else(|| cells.corrupt("notice"))?;
            all.push((DeliveryId(cells.key()), notice));
        }
    }
    Ok(all)
}

fn hand_over(connection: &Connection, id: DeliveryId, to: &[Text]) -> Result<(), StoreError> {
    let mut why = "the settings have no channel of that name any more".to_owned();
    // What was tried is due now; what waits for its hours waits for them still.
    let mut insert = connection.prepare_cached(
        "INSERT INTO delivery (notice, channel, state, first_due_ms, due_at_ms, n_attempts)
         SELECT d.notice, ?2, 'pending', d.first_due_ms,
                iif(d.n_attempts > 0, d.first_due_ms, d.due_at_ms), 0
         FROM delivery d JOIN notice n ON n.id = d.notice
         WHERE d.id = ?1 AND d.state = 'pending' AND NOT EXISTS (
             SELECT 1 FROM delivery o JOIN notice m ON m.id = o.notice
             WHERE m.key = n.key AND (m.id > n.id OR o.channel = ?2 AND o.state <> 'dropped'))",
    )?;
    for channel in to {
        if insert.execute(params![id.0, channel])? > 0 {
            why.push_str(&format!("; `{channel}` is told"));
        }
    }
    connection
        .prepare_cached(
            "UPDATE delivery SET state = 'dropped', why = ?2 WHERE id = ?1 AND state = 'pending'",
        )?
        .execute(params![id.0, why])?;
    Ok(())
}

fn stuck(
    connection: &Connection,
    channel: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Stuck>, StoreError> {
    let is_dead = notice::load_dead(connection)?.iter().any(|it| *it.channel == *channel);
    let mut statement = connection.prepare_cached(
        "SELECT d.id, d.notice, d.why,
                EXISTS (SELECT 1 FROM delivery f JOIN notice k ON k.id = f.notice
                        WHERE k.key = n.key AND f.channel = d.channel AND f.forwarded = 1
                            AND f.id < d.id) AS was_forwarded
         FROM delivery d JOIN notice n ON n.id = d.notice
         WHERE d.channel = ?1 AND d.forwarded = 0 AND n.reason NOT IN ('undelivered', 'test')
             AND (d.state = 'pending' AND (d.n_attempts >= ?5
                                           OR ?4 AND (d.n_attempts > 0 OR d.due_at_ms <= ?2))
                  OR d.state = 'given_up' AND (?4 OR d.tried_at_ms > ?3))
             AND NOT EXISTS (SELECT 1 FROM delivery t JOIN notice k ON k.id = t.notice
                             WHERE k.key = n.key AND t.channel = d.channel
                                 AND t.state = 'delivered' AND t.id > d.id)
         ORDER BY d.id",
    )?;
    let lately = ms(now - LATELY);
    let mut rows =
        statement.query(params![channel, ms(now), lately, is_dead, notice::FAILURES_MAX])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        let notice = notice::read(connection, NoticeId(cells.int("notice")?))?;
        all.push(Stuck {
            id: DeliveryId(cells.key()),
            notice: notice.ok_or_else(|| cells.corrupt("notice"))?,
            why: cells.maybe_str("why")?.map(str::to_owned),
            was_forwarded: cells.int("was_forwarded")? != 0,
        });
    }
    Ok(all)
}

fn last_taken(connection: &Connection) -> Result<BTreeMap<Text, DateTime<Utc>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT 0, channel, max(tried_at_ms) AS tried_at_ms FROM delivery WHERE state = 'delivered'
         GROUP BY channel",
    )?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        let channel: Text = cells.str("channel")?.into();
        all.extend(cells.maybe_time("tried_at_ms")?.map(|it| (channel, it)));
    }
    Ok(all)
}

fn due(
    connection: &Connection,
    channel: &str,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Due>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {DELIVERY} FROM delivery d
         WHERE d.state = 'pending' AND d.channel = ?1 AND d.due_at_ms <= ?2
         ORDER BY d.notice, d.id LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![channel, ms(now), limit])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        let delivery = read(&mut cells)?;
        let notice = notice::read(connection, delivery.notice)?;
        let notice = notice.ok_or_else(|| cells.corrupt("notice"))?;
        let (first, was_sent) = before(connection, &delivery, &notice.key)?;
        all.push(Due { delivery, notice, first, was_sent });
    }
    Ok(all)
}

fn read(cells: &mut Cells<'_, '_>) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: DeliveryId(cells.key()),
        notice: NoticeId(cells.int("notice")?),
        channel: cells.str("channel")?.into(),
        state: cells.name("state", DeliveryState::parse)?,
        due_at: cells.time("due_at_ms")?,
        n_attempts: cells.count("n_attempts")?,
        tried_at: cells.maybe_time("tried_at_ms")?,
        reference: cells.maybe_text("reference")?,
        why: cells.maybe_text("why")?.map(String::from),
    })
}

/// What the channel took first under the key, and whether anything was sent under it, since the
/// last notice that said it was over.
fn before(
    connection: &Connection,
    delivery: &Delivery,
    key: &str,
) -> Result<(Option<FirstTold>, bool), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n.id, n.reason, n.title, d.state, d.n_attempts, d.reference
         FROM notice n JOIN delivery d ON d.notice = n.id
         WHERE n.key = ?1 AND d.channel = ?2 AND n.id < ?3 ORDER BY n.id",
    )?;
    let mut rows = statement.query(params![key, delivery.channel, delivery.notice.0])?;
    let (mut first, mut was_sent) = (None, false);
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "notice")?;
        let notice = NoticeId(cells.key());
        let reason = cells.name("reason", NotifyReason::parse)?;
        let title = cells.string("title")?;
        let state = cells.name("state", DeliveryState::parse)?;
        let n_attempts: u32 = cells.count("n_attempts")?;
        let reference = cells.maybe_text("reference")?;
        let is_taken = state == DeliveryState::Delivered;
        if reason == NotifyReason::Resolved {
            (first, was_sent) = if is_taken { (None, false) } else { (first, was_sent) };
            continue;
        }
        was_sent |= n_attempts > 0;
        if is_taken && first.is_none() {
            first = Some(FirstTold { notice, title, reference });
        }
    }
    Ok((first, was_sent))
}

fn settle(connection: &Connection, id: DeliveryId, what: Settled) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET state = ?2, reference = ?3, why = ?4 WHERE id = ?1 AND state = 'pending'",
    )?;
    match what {
        Settled::Delivered { reference } => {
            update.execute(params![id.0, "delivered", reference, None::<String>])?;
        }
        Settled::Dropped { why } => {
            update.execute(params![id.0, "dropped", None::<String>, why])?;
        }
        Settled::GivenUp { why } => {
            update.execute(params![id.0, "given_up", None::<String>, why])?;
        }
        Settled::Later { due_at, why, for_all } => {
            connection
                .prepare_cached("UPDATE delivery SET due_at_ms = ?2, why = ?3 WHERE id = ?1")?
                .execute(params![id.0, ms(due_at), why])?;
            if for_all {
                connection
                    .prepare_cached(
                        "UPDATE delivery SET due_at_ms = max(due_at_ms, ?2)
                         WHERE state = 'pending'
                             AND channel = (SELECT channel FROM delivery WHERE id = ?1)",
                    )?
                    .execute([id.0, ms(due_at)])?;
            }
        }
    }
    Ok(())
}

fn lines(connection: &Connection, limit: u32) -> Result<Vec<DeliveryLine>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {DELIVERY}, n.reason, n.severity, n.title, n.at_ms, n.findings
         FROM delivery d JOIN notice n ON n.id = d.notice ORDER BY d.id DESC LIMIT ?1"
    ))?;
    let mut rows = statement.query([limit])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        lines.push(DeliveryLine {
            delivery: read(&mut cells)?,
            reason: cells.name("reason", NotifyReason::parse)?,
            severity: cells.name("severity", Severity::parse)?,
            title: cells.string("title")?,
            at: cells.time("at_ms")?,
            findings: notice::numbers(&mut cells)?,
        });
    }
    Ok(lines)
}
