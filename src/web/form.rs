//! Forms: sent by our own pages, with the session's token where there is a session, read field by field.

use crate::chat::Caller;
use crate::dialect::kit::{Call, Fault, form_fields};
use crate::model::{Email, Invalid, ShownName};

use super::answer::{Stop, caller};

/// Who sends a form; it must come from our own page.
pub(super) async fn sender(call: &Call) -> Result<Caller, Stop> {
    check_origin(call)?;
    caller(call).await
}

/// Forms come from our own pages only.
fn check_origin(call: &Call) -> Result<(), Stop> {
    match call.is_own_origin() {
        true => Ok(()),
        false => {
            call.warn_foreign_form();
            Err(Fault::ForeignPage.into())
        }
    }
}

/// What somebody typed into a form.
#[derive(Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form of somebody who has no session: it must come from our own page.
    pub(super) async fn open(call: &mut Call) -> Result<Self, Stop> {
        check_origin(call)?;
        let fields = form_fields(call).await?;
        Ok(Self { fields })
    }

    /// Reads a form of somebody who is logged in: it must also carry their token.
    pub(super) async fn of_caller(call: &mut Call) -> Result<(Caller, Self), Stop> {
        let caller = sender(call).await?;
        let form = Self::open(call).await?;
        if !call.kit.chat.is_csrf_token(&caller, form.raw("csrf")) {
            return Err(Fault::Csrf.into());
        }
        Ok((caller, form))
    }

    /// A form in which nothing was typed but that field.
    pub(super) fn with(name: &str, value: &str) -> Self {
        let fields = vec![(name.to_owned(), value.to_owned())];
        Self { fields }
    }

    /// A field as typed, if it is there.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A field as typed; empty if it is not there.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default()
    }

    /// All that was chosen of several.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.fields.iter().filter(move |(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A field without outer blanks: keyboards of phones add them.
    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// An e-mail address, if one was typed.
    pub(super) fn email(&self) -> Result<Option<Email>, Invalid> {
        self.optional("email", Email::parse)
    }

    /// A name to show, if one was typed.
    pub(super) fn display_name(&self) -> Result<Option<ShownName>, Invalid> {
        self.optional("display_name", ShownName::of_person)
    }

    /// A field that may be left empty.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        let text = self.text(name);
        (!text.is_empty()).then(|| parse(text)).transpose()
    }
}
