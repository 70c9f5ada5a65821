//! Background tasks: sweeping, expiry of guests, and changes that another process made to the database.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::model::{Event, Millis, Person, RoomId, SessionId, UserId};

use super::clock::Clock;
use super::connections::People;
use super::outbox::{CloseReason, Priority};
use super::room::RoomMsg;
use super::{Chat, ChatError, Core};

/// Interval between two sweeps for expired sessions and idle guests.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// Interval at which the caches of the read connections are released.
const RELEASE_EVERY: Duration = Duration::from_secs(30);

/// Age in milliseconds at which a file that nothing refers to is discarded.
const ORPHANED_AFTER: i64 = 3_600_000;

/// Pause between two steps of a removal.
const BETWEEN_STEPS: Duration = Duration::from_millis(5);

/// Interval between two checks for connections that fell silent.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// After a longer gap between two checks the process was suspended, and could not receive signs of life.
const STALL: Duration = Duration::from_secs(5);

/// Delay before a failed reconciliation is repeated: a busy room or a full disk may recover within this time.
const RECONCILE_AGAIN: Duration = Duration::from_secs(1);

/// Starts the background tasks, which end with the chat. `behind`: the chat does not reflect the database yet;
/// `newest`: the newest time that is stored.
pub(super) fn start(chat: &Chat, behind: bool, newest: Option<Millis>) {
    tokio::spawn(follow(Arc::downgrade(&chat.core), behind));
    let clock = Clock::new(newest, Millis::now(), Instant::now());
    tokio::spawn(sweep(Arc::downgrade(&chat.core), clock));
    tokio::spawn(release_memory(Arc::downgrade(&chat.core)));
    tokio::spawn(remove(
        Arc::downgrade(&chat.core),
        chat.core.files.sweep.clone(),
    ));
    tokio::spawn(pace(Arc::downgrade(&chat.core.people)));
    tokio::spawn(watch(Arc::downgrade(&chat.core)));
}

/// Takes over changes that another process (the command line) made.
async fn follow(core: Weak<Core>, mut behind: bool) {
    let Some(mut changes) = core.upgrade().map(|core| core.store.foreign_changes()) else {
        return;
    };
    while std::mem::take(&mut behind) || changes.changed().await.is_ok() {
        let mut told = false;
        while let Some(Err(error)) = reconcile(&core).await {
            tokio::time::sleep(RECONCILE_AGAIN).await;
            // A store that was closed in the meantime is no reason for a warning.
            if changes.has_changed().is_err() {
                return;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "cannot apply the changes of another process yet");
            }
        }
    }
}

/// Returns `None` if the chat has ended.
async fn reconcile(core: &Weak<Core>) -> Option<Result<(), ChatError>> {
    let core = core.upgrade()?;
    Some(Chat { core }.reconcile().await)
}

async fn pace(people: Weak<People>) {
    while let Some(people) = people.upgrade() {
        people.pace_presence().await;
    }
}

/// Marks connections away that fell silent.
async fn watch(core: Weak<Core>) {
    let mut clock = tokio::time::interval(WATCH_EVERY);
    let mut looked = Instant::now();
    loop {
        clock.tick().await;
        let Some(core) = core.upgrade() else { return };
        let now = Instant::now();
        if now - looked > STALL {
            core.watchdog.begin_anew(now);
        }
        core.watchdog.look(&core.people, now);
        looked = now;
    }
}

async fn release_memory(core: Weak<Core>) {
    let mut clock = tokio::time::interval(RELEASE_EVERY);
    loop {
        clock.tick().await;
        let Some(store) = core.upgrade().map(|core| core.store.clone()) else {
            return;
        };
        store.release_memory().await;
    }
}

async fn sweep(core: Weak<Core>, mut clock: Clock) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        let Some(core) = core.upgrade() else { return };
        let chat = Chat { core };
        if !clock.is_trusted(Millis::now(), Instant::now()) {
            chat.sweep_soon();
        } else if let Err(error) = chat.sweep().await {
            tracing::warn!(%error, "sweeping failed");
        }
    }
}

/// Removes cleared, deleted and discarded data in small steps, each time `wanted` is notified.
async fn remove(core: Weak<Core>, wanted: Arc<Notify>) {
    loop {
        wanted.notified().await;
        loop {
            let Some(store) = core.upgrade().map(|core| core.store.clone()) else {
                return;
            };
            let mut more = store.sweep_rooms().await;
            if let Ok(false) = more {
                more = store.sweep_files().await;
            }
            if let Ok(false) = more {
                more = store.shrink().await;
            }
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "cannot remove deleted data: retrying at the next sweep");
                    break;
                }
            }
            drop(store);
            // Other writes go first between the steps.
            tokio::time::sleep(BETWEEN_STEPS).await;
        }
    }
}

impl Chat {
    /// Brings the running chat in line with the database: new accounts, deleted accounts, ended sessions, changed
    /// roles.
    pub(super) async fn reconcile(&self) -> Result<(), ChatError> {
        let store = &self.core.store;
        self.recheck_setup().await?;
        self.close_ended().await?;
        self.admit_to_lobby().await?;
        for user in store.unretired().await? {
            self.retire(user).await?;
        }
        Ok(())
    }

    /// Adds new accounts to the lobby; those that are connected already receive it as a new room.
    async fn admit_to_lobby(&self) -> Result<(), ChatError> {
        let admitted = self.core.store.admit_to_lobby().await?;
        if admitted.is_empty() {
            return Ok(());
        }
        if let Some(lobby) = self.core.store.room(RoomId::LOBBY).await? {
            let event = Event::RoomCreated(Arc::new(lobby));
            for user in admitted {
                self.core.people.tell(user, &event, Priority::Full);
            }
        }
        self.core
            .registry
            .tell_running(RoomId::LOBBY, RoomMsg::Reload);
        Ok(())
    }

    /// Closes connections whose session has ended, and those of people whose role has changed.
    async fn close_ended(&self) -> Result<(), ChatError> {
        let open = self.core.people.open();
        // People admitted by name only (`compat.open`) have no session that could end.
        let sessions = open
            .iter()
            .map(|(_, session)| *session)
            .filter(|session| *session != SessionId::NONE)
            .collect();
        let ended = self.core.store.ended_sessions(sessions).await?;
        let (gone, here): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(|(_, session)| ended.contains(session));
        for (person, session) in gone {
            self.core
                .people
                .close(person.id, CloseReason::SessionEnded, |open| open == session);
        }
        // Once per person and role: connections from before and after a change may be open together.
        let here: HashMap<_, _> = here
            .into_iter()
            .map(|(one, _)| ((one.id, one.role), one))
            .collect();
        for person in here.into_values() {
            self.close_if_changed(&person).await?;
        }
        Ok(())
    }

    async fn close_if_changed(&self, was: &Person) -> Result<(), ChatError> {
        match self.core.store.user(was.id).await? {
            None => {
                let people = &self.core.people;
                people.close(was.id, CloseReason::SessionEnded, |_| true);
            }
            Some(user) if user.role() != was.role => {
                self.core.registry.tell_all_person(&user.person);
                self.core
                    .people
                    .close(was.id, CloseReason::Changed, |_| true);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Removes a deleted account from its rooms, and tells the rooms where it stays that it was deleted.
    pub(super) async fn retire(&self, user: UserId) -> Result<(), ChatError> {
        for room in self.core.store.places(user).await? {
            match self
                .core
                .registry
                .ask(room, |reply| RoomMsg::Retire { user, reply })
                .await
            {
                Ok(()) | Err(ChatError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        for person in self.core.store.people(vec![user]).await? {
            self.core.registry.tell_all_person(&person);
        }
        Ok(self.core.store.drop_sanctions(user).await?)
    }

    /// Starts removing cleared, deleted and discarded data, in the background and in small steps.
    pub(super) fn sweep_soon(&self) {
        self.core.files.sweep.notify_one();
    }

    /// Discards unfinished uploads of an earlier process. Only logs an error: a full disk must not prevent the start.
    pub(super) async fn abandon_uploads(&self) {
        if let Err(error) = self.core.store.abandon_uploads().await {
            tracing::warn!(%error, "cannot remove the chunks of failed uploads");
        }
    }

    async fn sweep(&self) -> Result<(), ChatError> {
        let before = Millis::now().0 - ORPHANED_AFTER;
        self.core.store.drop_orphans(Millis(before)).await?;
        self.sweep_soon();
        self.core.store.sweep_sessions().await?;
        self.close_ended().await?;
        self.core.store.sweep_invites().await?;
        self.core.store.prune_notifications().await?;
        let expire_after = self.core.settings.guests_expire_after.as_millis();
        let before = Millis(Millis::now().0 - i64::try_from(expire_after).unwrap_or(i64::MAX / 2));
        for guest in self.core.store.stale_guests(before).await? {
            match self.end_account(guest).await {
                Ok(()) | Err(ChatError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
