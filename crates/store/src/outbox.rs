//! The outbox: what is still to be sent, and what became of it. A try is written down before it is
//! made, so that a crash in between is known as one.

use chrono::{DateTime, Utc};
use domain::{
    Delivery, DeliveryId, DeliveryState, Finding, FindingId, Notice, NoticeId, NotifyReason,
    Severity, Text,
};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError, finding, notice};

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

    /// Drops what waits for channels that are not among the known ones: nobody will send it.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn retire_channels(&self, known: Vec<Text>) -> Result<(), StoreError> {
        self.write("clear the outbox", move |connection| retire(connection, &known)).await
    }

    /// Notices that a channel did not take, or that wait for it, and of which no other channel was
    /// told yet. Notices about dead channels are not among them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn stuck(
        &self,
        channel: Text,
        now: DateTime<Utc>,
    ) -> Result<Vec<(DeliveryId, Notice)>, StoreError> {
        self.read("read the outbox", move |connection| stuck(connection, &channel, now)).await
    }

    /// Saves a notice that tells other channels of stuck ones, and that they were.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved; none of it is then.
    pub async fn forward(&self, stuck: Vec<DeliveryId>, notice: Notice) -> Result<(), StoreError> {
        self.write("tell other channels", move |connection| {
            notice::insert(connection, &[notice])?;
            let mut update =
                connection.prepare_cached("UPDATE delivery SET forwarded = 1 WHERE id = ?1")?;
            for id in stuck {
                update.execute([id.0])?;
            }
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

    /// Channels that do not take notices.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn dead_channels(&self) -> Result<Vec<crate::DeadChannel>, StoreError> {
        self.read("read the outbox", notice::load_dead).await
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

fn retire(connection: &Connection, known: &[Text]) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT 0, channel FROM delivery WHERE state = 'pending'")?;
    let mut rows = statement.query([])?;
    let mut gone: Vec<Text> = Vec::new();
    while let Some(row) = rows.next()? {
        let channel: Text = Cells::keyed(row, "delivery")?.str("channel")?.into();
        gone.extend((!known.contains(&channel)).then_some(channel));
    }
    let mut drop = connection.prepare_cached(
        "UPDATE delivery SET state = 'dropped', why = ?2 WHERE state = 'pending' AND channel = ?1",
    )?;
    for channel in gone {
        drop.execute(params![channel, "the settings have no channel of that name any more"])?;
    }
    Ok(())
}

fn stuck(
    connection: &Connection,
    channel: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(DeliveryId, Notice)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT d.id, d.notice FROM delivery d JOIN notice n ON n.id = d.notice
         WHERE d.channel = ?1 AND d.forwarded = 0 AND d.state IN ('pending', 'given_up')
             AND (d.n_attempts > 0 OR d.due_at_ms <= ?2)
             AND n.reason NOT IN ('undelivered', 'test') ORDER BY d.id",
    )?;
    let mut rows = statement.query(params![channel, ms(now)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        let notice = notice::read(connection, NoticeId(cells.int("notice")?))?;
        let notice = notice.ok_or_else(|| cells.corrupt("notice"))?;
        all.push((DeliveryId(cells.key()), notice));
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
        "SELECT {DELIVERY}, n.reason, n.severity, n.title, n.at_ms
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
        });
    }
    Ok(lines)
}
