//! Invites on the pages of rooms and of the admin: list, form, and once the URL of a new one with a QR code.

use std::time::Duration;

use crate::chat::{Caller, ChatError, InviteOptions};
use crate::dialect::kit::{Call, Fault};
use crate::model::{Invalid, Invite, InviteId, Room, RoomId};

use super::chat::room_of;
use super::flash::Notice;
use super::form::Form;
use super::form_fields::{Fields, Input, Refused};
use super::i18n::{self, Texts};
use super::respond::{Answer, Stop, done, found};
use super::room_details::{Scene, address};
use super::views::{Clock, person_name};

/// Maximum number of invites that are listed.
const MOST: u32 = 1000;
/// Lifetimes that can be chosen, hours.
const HOURS: [u64; 4] = [1, 24, 7 * 24, 30 * 24];

/// Invites to one room, or to the server.
pub(super) struct InvitesView {
    /// Base path of its forms, `/conversations/{uuid}` or `/admin`.
    pub action: String,
    pub list: Vec<InviteView>,
    pub fields: Fields,
    /// The new invite: its full URL, and its code.
    pub made: Option<(String, String)>,
}

/// A listed invite, without its code, which is not stored.
pub(super) struct InviteView {
    pub id: i64,
    pub by: String,
    pub uses: String,
    pub until: Clock,
}

/// Returns the invites to a room.
pub(super) async fn of_room(
    call: &Call,
    me: &Caller,
    room: &Room,
    refused: Option<&Refused<'_>>,
) -> Result<InvitesView, Stop> {
    view(call, me, Some(room.id), address(room), refused).await
}

/// Returns the invites to the server only.
pub(super) async fn of_server(
    call: &Call,
    me: &Caller,
    refused: Option<&Refused<'_>>,
) -> Result<InvitesView, Stop> {
    view(call, me, None, "/admin".to_owned(), refused).await
}

async fn view(
    call: &Call,
    me: &Caller,
    room: Option<RoomId>,
    action: String,
    refused: Option<&Refused<'_>>,
) -> Result<InvitesView, Stop> {
    let t = i18n::of();
    let chat = &call.kit.chat;
    let is_here = |invite: &&Invite| invite.room.as_ref().map(|room| room.id) == room;
    let all = chat.invites(me, InviteId(0), MOST).await?;
    let code = call.query_value("invite").unwrap_or_default().into_owned();
    let made = match code.is_empty() {
        true => None,
        false => chat
            .invite(&code, &call.visitor())
            .await
            .ok()
            .filter(|made| is_here(&made)),
    };
    Ok(InvitesView {
        action,
        list: all
            .iter()
            .filter(is_here)
            .map(|invite| InviteView::new(t, invite))
            .collect(),
        fields: Fields::of("invite", inputs(t), refused),
        made: made.map(|_| (format!("{}/invite?code={code}", call.base_url()), code)),
    })
}

impl InviteView {
    fn new(t: &'static Texts, invite: &Invite) -> Self {
        Self {
            id: invite.id.0,
            by: person_name(t, &invite.created_by).into_owned(),
            uses: format!("{} / {}", invite.used, invite.max_uses),
            until: Clock::new(invite.expires_at),
        }
    }
}

fn inputs(t: &'static Texts) -> Vec<Input> {
    let names = [t.one_hour, t.one_day, t.one_week, t.one_month];
    let spans = HOURS.map(|hours| hours.to_string()).into_iter().zip(names);
    vec![
        Input::new("max_uses", t.max_uses, 5)
            .kind("number")
            .value("10"),
        Input::select("hours", t.good_for, spans).value((7 * 24).to_string()),
    ]
}

fn wish(room: Option<RoomId>, form: &Form) -> Result<InviteOptions, Invalid> {
    const REFUSED: Invalid = Invalid::new("max_uses", "is too small or too large");
    let uses = form.text("max_uses").parse().ok();
    let hours = form.raw("hours").parse().ok();
    let hours = hours.filter(|hours| HOURS.contains(hours));
    Ok(InviteOptions {
        room,
        max_uses: uses
            .filter(|uses| (1..=Invite::USES_MAX).contains(uses))
            .ok_or(REFUSED)?,
        good_for: Duration::from_secs(hours.unwrap_or(HOURS[0]) * 3600),
    })
}

/// Creates an invite and returns its code.
pub(super) async fn make(
    call: &Call,
    me: &Caller,
    room: Option<RoomId>,
    form: &Form,
) -> Result<String, ChatError> {
    let made = call.kit.chat.create_invite(me, wish(room, form)?).await?;
    Ok(made.code)
}

pub(super) async fn create(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let (room, place) = room_of(&call, &me).await?;
    let scene = Scene { me, room, place };
    match make(&call, &scene.me, Some(scene.room.id), &form).await {
        Ok(code) => Ok(found(&format!(
            "{}?invite={code}#invites",
            address(&scene.room)
        ))),
        Err(error) => {
            scene
                .after(&call, "invite", &form, Err::<(), _>(error))
                .await
        }
    }
}

pub(super) async fn revoke(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let (room, _) = room_of(&call, &me).await?;
    revoke_by(&call, &me, &form).await?;
    Ok(done(&address(&room), Notice::Revoked))
}

/// Revokes the invite named in the form.
pub(super) async fn revoke_by(call: &Call, me: &Caller, form: &Form) -> Result<(), Stop> {
    let id = form.raw("invite").parse().map_err(|_| Fault::NoRoute)?;
    Ok(call.kit.chat.revoke_invite(me, InviteId(id)).await?)
}
