//! Layout of every page: title, flash message, list of rooms, and data for scripts.

use serde::Serialize;

use crate::chat::Caller;
use crate::dialect::kit::Call;
use crate::model::{Role, RoomId, RoomOverview};

use super::admin_rooms::GroupView;
use super::appearance;
use super::assets;
use super::flash;
use super::i18n::{self, ScriptTexts, Texts};
use super::respond::Stop;
use super::views::{PersonView, RoomView};

/// Layout data of a page.
pub(super) struct Shell {
    pub t: &'static Texts,
    pub title: String,
    /// `light` or `dark` if chosen, else empty.
    pub theme: &'static str,
    pub assets: &'static str,
    pub notice: &'static str,
    pub csrf: String,
    /// JSON for scripts; empty on pages without scripts.
    pub script: String,
    pub side: Option<Side>,
    /// Whether narrow screens show the list of rooms instead of the content.
    pub list_first: bool,
}

/// Sidebar of a logged-in caller.
pub(super) struct Side {
    pub me: PersonView,
    /// Guests neither create rooms nor start direct ones.
    pub is_guest: bool,
    pub is_admin: bool,
    /// Rooms that an admin manages without being a member; only on `/conversations`.
    pub others: Vec<GroupView>,
    pub rooms: Vec<RoomView>,
    pub blank: RoomView,
}

/// Data for scripts; `room` only on the chat page.
#[derive(Serialize)]
struct Script<'a, R: Serialize> {
    me: Me<'a>,
    ws: String,
    room: Option<R>,
    texts: &'static ScriptTexts,
}

#[derive(Serialize)]
struct Me<'a> {
    id: i64,
    uuid: uuid::Uuid,
    name: &'a str,
    role: &'static str,
}

impl Shell {
    /// Layout without a session or a flash message.
    pub(super) fn bare(t: &'static Texts, title: &str) -> Self {
        Self {
            t,
            title: title.to_owned(),
            theme: appearance::theme(),
            assets: assets::base(),
            notice: "",
            csrf: String::new(),
            script: String::new(),
            side: None,
            list_first: false,
        }
    }

    /// Layout without a session, with the flash message.
    pub(super) fn outside(title: &str) -> Self {
        let t = i18n::of();
        Self {
            notice: flash::current(t),
            ..Self::bare(t, title)
        }
    }

    /// Layout for a logged-in caller.
    pub(super) async fn inside(call: &Call, me: &Caller, title: &str) -> Result<Self, Stop> {
        let rooms = call.kit.chat.rooms(me).await?;
        Ok(Self::with_rooms::<()>(call, me, title, &rooms, None))
    }

    /// Like `inside`, with the rooms already loaded; `current` is the open room and its data for scripts.
    pub(super) fn with_rooms<R: Serialize>(
        call: &Call,
        me: &Caller,
        title: &str,
        rooms: &[RoomOverview],
        current: Option<(RoomId, R)>,
    ) -> Self {
        let t = i18n::of();
        let (open, room) = current.unzip();
        let script = Script {
            me: Me {
                id: me.id().0,
                uuid: me.person().uuid,
                name: &me.person().display_name,
                role: me.role().as_str(),
            },
            ws: ws_address(call),
            room,
            texts: &t.script,
        };
        Self {
            notice: flash::current(t),
            csrf: call.kit.chat.csrf_token(me),
            script: serde_json::to_string(&script).unwrap_or_default(),
            side: Some(Side::new(t, me, rooms, open)),
            ..Self::bare(t, title)
        }
    }
}

impl Side {
    fn new(t: &'static Texts, me: &Caller, rooms: &[RoomOverview], open: Option<RoomId>) -> Self {
        let mut sorted: Vec<_> = rooms.iter().collect();
        sorted.sort_by_key(|room| std::cmp::Reverse(rank(room)));
        let view = |overview: &&RoomOverview| RoomView {
            current: Some(overview.room.id) == open,
            ..RoomView::new(t, overview, me)
        };
        Self {
            me: PersonView::new(t, me.person(), true),
            is_guest: me.role() == Role::Guest,
            is_admin: me.role() == Role::Admin,
            others: Vec::new(),
            rooms: sorted.iter().map(view).collect(),
            blank: RoomView::blank(),
        }
    }
}

/// Sort key of the list: unread rooms first, then by the time of the last message.
fn rank(overview: &RoomOverview) -> (bool, i64) {
    let at = overview
        .last_message
        .as_ref()
        .map_or(overview.room.created_at, |message| message.created_at);
    (overview.unread > 0, at.0)
}

/// Returns the URL of the native WebSocket: a path on the page's host, unless the operator configured `ws_url`.
fn ws_address(call: &Call) -> String {
    let base = call.kit.ws_url.as_deref().unwrap_or_default();
    format!("{}/api/v1/ws", base.trim_end_matches('/'))
}
