//! `/users`: other accounts, and their administration.

use serde::Deserialize;

use crate::dialect::kit::{Answer, Call, StatusCode, empty, json, json_body};
use crate::model::{Invalid, Role, UserEdit, UserId};

use super::wire::{List, PersonJson, UserJson};
use super::{caller, me};

#[derive(Deserialize)]
struct Edit {
    role: Option<String>,
    #[serde(flatten)]
    account: me::Edit,
}

pub(super) async fn list(call: Call) -> Answer {
    caller(&call).await?;
    let (page, query) = (
        call.page(50, 200)?,
        call.query_value("q").unwrap_or_default(),
    );
    let after = UserId(page.after.unwrap_or(0));
    let mut users = call.kit.chat.users(&query, after, page.limit + 1).await?;
    let more = users.len() > page.limit as usize;
    users.truncate(page.limit as usize);
    let items = users
        .iter()
        .map(|user| PersonJson::from(&*user.person))
        .collect();
    Ok(json(StatusCode::OK, &List { items, more }))
}

pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let user = call.kit.chat.user(UserId(call.id(0, "user")?)).await?;
    Ok(match caller.role() {
        Role::Admin => json(StatusCode::OK, &UserJson::new(&user, caller.viewer())),
        Role::User | Role::Guest => json(StatusCode::OK, &PersonJson::from(&*user.person)),
    })
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let id = UserId(call.id(0, "user")?);
    let body: Edit = json_body(&mut call).await?;
    let role = body.role.as_deref().map(parse_role).transpose()?;
    let edit = UserEdit {
        role,
        ..body.account.parse(&call)?
    };
    let user = call.kit.chat.edit_user(&caller, id, edit).await?;
    Ok(json(StatusCode::OK, &UserJson::new(&user, caller.viewer())))
}

pub(super) async fn end(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit
        .chat
        .end_user(&caller, UserId(call.id(0, "user")?))
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn end_sessions(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit
        .chat
        .end_user_sessions(&caller, UserId(call.id(0, "user")?))
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn parse_role(word: &str) -> Result<Role, Invalid> {
    Role::parse(word).ok_or(Invalid::new("role", "must be admin, user or guest"))
}
