//! `/server`, `/setup` and `/openapi.json`: server information, creation of the first admin, and the API description.

use serde::{Deserialize, Serialize};

use crate::chat::files::FILES_MAX;
use crate::dialect::kit::{Answer, Call, Response, StatusCode, json, json_body, set_header};

use super::auth::{NewAccount, TOKEN_PROFILE, granted};

/// OpenAPI 3.1 description of this protocol's routes.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

#[derive(Serialize)]
struct ServerJson<'a> {
    name: &'static str,
    version: &'static str,
    instance: &'a str,
    registration: &'static str,
    guests: bool,
    setup: bool,
    compat_open: &'a [&'static str],
    files: FilesJson<'a>,
}

#[derive(Serialize)]
struct FilesJson<'a> {
    max_size: u64,
    max_count: usize,
    types: Option<&'a [String]>,
}

#[derive(Deserialize)]
struct Setup {
    token: String,
    #[serde(flatten)]
    account: NewAccount,
}

pub(super) async fn show(call: Call) -> Answer {
    let (chat, visitor) = (&call.kit.chat, call.visitor());
    let open = chat.may_register(&visitor).is_ok();
    let server = ServerJson {
        name: "Parlor",
        version: env!("CARGO_PKG_VERSION"),
        instance: chat.instance(),
        registration: if open { "open" } else { "closed" },
        guests: chat.may_visit(&visitor).is_ok(),
        setup: chat.setup_token().is_some(),
        compat_open: &call.kit.compat_open,
        files: FilesJson {
            max_size: chat.settings().file_size_max,
            max_count: FILES_MAX,
            types: chat.settings().file_types.as_deref(),
        },
    };
    Ok(json(StatusCode::OK, &server))
}

pub(super) async fn set_up(mut call: Call) -> Answer {
    let setup: Setup = json_body(&mut call).await?;
    let grant = call
        .kit
        .chat
        .set_up(
            &setup.token,
            setup.account.parse(&call)?,
            &call.visitor(),
            &TOKEN_PROFILE,
        )
        .await?;
    Ok(granted(StatusCode::CREATED, &grant))
}

pub(super) async fn describe(_: Call) -> Answer {
    let mut response = Response::new(OPENAPI.into());
    set_header(&mut response, "content-type", "application/json");
    Ok(response)
}
