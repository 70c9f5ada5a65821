//! `/search`: full-text search of messages.

use serde::Serialize;

use crate::chat::{SearchHit, SearchPage};
use crate::dialect::kit::{Answer, Call, Fault, StatusCode, json};
use crate::model::{Fragment, MessageId};

use super::caller;
use super::wire::MessageJson;

#[derive(Serialize)]
struct PageJson<'a> {
    items: Vec<FoundJson<'a>>,
    more: bool,
    next: Option<i64>,
}

#[derive(Serialize)]
struct FoundJson<'a> {
    message: MessageJson<'a>,
    snippet: Vec<FragmentJson<'a>>,
}

#[derive(Serialize)]
struct FragmentJson<'a> {
    text: &'a str,
    hit: bool,
}

pub(super) async fn search(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let line = call.query_value("q").ok_or(Fault::BadQuery("q"))?;
    let page = call.page(50, 200)?;
    let before = page.before.map(MessageId);
    let found = call
        .kit
        .chat
        .search(&caller, &line, before, page.limit)
        .await?;
    Ok(json(StatusCode::OK, &PageJson::from(&found)))
}

impl<'a> From<&'a SearchPage> for PageJson<'a> {
    fn from(page: &'a SearchPage) -> Self {
        Self {
            items: page.found.iter().map(Into::into).collect(),
            more: page.next.is_some(),
            next: page.next.map(|id| id.0),
        }
    }
}

impl<'a> From<&'a SearchHit> for FoundJson<'a> {
    fn from(found: &'a SearchHit) -> Self {
        Self {
            message: (&found.message).into(),
            snippet: found.snippet.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a Fragment> for FragmentJson<'a> {
    fn from(fragment: &'a Fragment) -> Self {
        Self {
            text: &fragment.text,
            hit: fragment.hit,
        }
    }
}
