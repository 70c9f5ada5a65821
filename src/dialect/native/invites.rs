//! `/invites`: invite links, and links to reset a forgotten password.

use std::time::Duration;

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::{Deserialize, Serialize};

use crate::chat::{ChatError, InviteOptions, WithCode};
use crate::dialect::kit::{
    Answer, Call, Response, StatusCode, empty, json, json_body, rfc3339, set_header,
};
use crate::model::{ChosenPassword, Invalid, Invite, InviteId, RoomId, UserId};

use super::caller;
use super::rooms::shown;
use super::wire::{List, PersonJson};

/// Default lifetime of an invite, in seconds.
const WEEK: u64 = 7 * 24 * 3600;
/// Maximum lifetime of an invite, in seconds.
const YEAR: u64 = 366 * 24 * 3600;

#[derive(Deserialize)]
struct New {
    room_id: Option<i64>,
    max_uses: Option<i64>,
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct NewPassword {
    code: String,
    new_password: String,
}

#[derive(Serialize)]
struct InviteJson<'a> {
    id: i64,
    room_id: Option<i64>,
    room_name: Option<&'a str>,
    created_by: PersonJson<'a>,
    registers: bool,
    max_uses: u32,
    used: u32,
    created_at: String,
    expires_at: String,
    #[serde(flatten)]
    link: Option<LinkJson<'a>>,
}

#[derive(Serialize)]
struct LinkJson<'a> {
    code: &'a str,
    url: String,
}

#[derive(Serialize)]
struct PasswordLinkJson<'a> {
    user: PersonJson<'a>,
    code: &'a str,
    url: String,
    expires_at: String,
}

impl New {
    fn parse(&self) -> Result<InviteOptions, Invalid> {
        let within = |field, given: Option<i64>, default: u64, most: u64| {
            let given = given.map_or(Some(default), |number| u64::try_from(number).ok());
            given
                .filter(|number| (1..=most).contains(number))
                .ok_or(Invalid::new(field, "is too small or too large"))
        };
        let uses = within("max_uses", self.max_uses, 1, Invite::USES_MAX.into())?;
        Ok(InviteOptions {
            room: self.room_id.map(RoomId),
            max_uses: u32::try_from(uses).unwrap_or(Invite::USES_MAX),
            good_for: Duration::from_secs(within("expires_in", self.expires_in, WEEK, YEAR)?),
        })
    }
}

impl<'a> InviteJson<'a> {
    /// Serializes an invite. `registers` depends on the client of `call`.
    fn new(call: &Call, invite: &'a Invite) -> Self {
        Self {
            id: invite.id.0,
            room_id: invite.room.as_ref().map(|room| room.id.0),
            room_name: invite.room.as_ref().map(|room| room.name.as_str()),
            created_by: (&*invite.created_by).into(),
            registers: call.kit.chat.registers(invite, &call.visitor()),
            max_uses: invite.max_uses,
            used: invite.used,
            created_at: rfc3339(invite.created_at),
            expires_at: rfc3339(invite.expires_at),
            link: None,
        }
    }

    fn with_code(call: &Call, invite: &'a WithCode<Invite>) -> Self {
        let url = page(&invite.code);
        let code = &invite.code;
        Self {
            link: Some(LinkJson { code, url }),
            ..Self::new(call, &invite.made)
        }
    }
}

/// Returns the path of the invite page. The code is in the query because queries are not logged.
fn page(code: &str) -> String {
    format!("/invite?code={code}")
}

pub(super) async fn create(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let wish = json_body::<New>(&mut call).await?.parse()?;
    let invite = call.kit.chat.create_invite(&caller, wish).await?;
    Ok(json(
        StatusCode::CREATED,
        &InviteJson::with_code(&call, &invite),
    ))
}

pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let page = call.page(50, 200)?;
    let after = InviteId(page.after.unwrap_or(0));
    let mut invites = call
        .kit
        .chat
        .invites(&caller, after, page.limit + 1)
        .await?;
    let more = invites.len() > page.limit as usize;
    invites.truncate(page.limit as usize);
    let items = invites
        .iter()
        .map(|invite| InviteJson::new(&call, invite))
        .collect();
    Ok(json(StatusCode::OK, &List { items, more }))
}

pub(super) async fn revoke(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit
        .chat
        .revoke_invite(&caller, InviteId(call.id(0, "invite")?))
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn show(call: Call) -> Answer {
    call.caller_or_local().await?;
    let invite = call.kit.chat.invite(call.param(0), &call.visitor()).await?;
    Ok(json(StatusCode::OK, &InviteJson::new(&call, &invite)))
}

/// Returns the invite's full URL as a QR code.
pub(super) async fn picture(call: Call) -> Answer {
    call.caller_or_local().await?;
    let code = call.param(0);
    call.kit.chat.invite(code, &call.visitor()).await?;
    let address = format!("{}{}", call.base_url(), page(code));
    let qr =
        QrCode::with_error_correction_level(address, EcLevel::M).map_err(ChatError::internal)?;
    let picture = qr
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .build();
    let mut response = Response::new(picture.into());
    set_header(&mut response, "content-type", "image/svg+xml");
    set_header(
        &mut response,
        "content-security-policy",
        "sandbox; default-src 'none'",
    );
    Ok(response)
}

pub(super) async fn join(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let (chat, visitor) = (&call.kit.chat, call.visitor());
    let room = chat
        .join_by_invite(&caller, call.param(0), &visitor)
        .await?;
    Ok(shown(StatusCode::OK, &room))
}

pub(super) async fn create_password_link(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let id = UserId(call.id(0, "user")?);
    let link = call.kit.chat.create_password_link(&caller, id).await?;
    let body = PasswordLinkJson {
        user: (&*link.made.user.person).into(),
        code: &link.code,
        url: format!("/password?code={}", link.code),
        expires_at: rfc3339(link.made.expires_at),
    };
    Ok(json(StatusCode::CREATED, &body))
}

pub(super) async fn use_password_link(mut call: Call) -> Answer {
    let body: NewPassword = json_body(&mut call).await?;
    let (chat, visitor) = (&call.kit.chat, call.visitor());
    let new = ChosenPassword::parse(&body.new_password, chat.settings().password_min)
        .map_err(|bad| bad.of("new_password"))?;
    match chat.use_password_link(&body.code, new, &visitor).await {
        Err(ChatError::Invalid(bad)) => return Err(bad.of("new_password").into()),
        used => used?,
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
