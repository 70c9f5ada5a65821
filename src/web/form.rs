//! Submitted forms. They must come from an own page and, if there is a session, carry its CSRF token.

use crate::chat::Caller;
use crate::dialect::kit::{Call, Fault, form_fields};
use crate::model::{Email, Invalid, ShownName};

use super::respond::{Stop, caller};

/// Returns the caller who submits a form; it must come from an own page.
pub(super) async fn sender(call: &Call) -> Result<Caller, Stop> {
    check_origin(call)?;
    caller(call).await
}

/// Refuses forms from pages of other sites.
fn check_origin(call: &Call) -> Result<(), Stop> {
    match call.is_own_origin() {
        true => Ok(()),
        false => {
            call.warn_foreign_form();
            Err(Fault::ForeignPage.into())
        }
    }
}

/// Submitted fields.
#[derive(Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form sent without a session; it must come from an own page.
    pub(super) async fn open(call: &mut Call) -> Result<Self, Stop> {
        check_origin(call)?;
        let fields = form_fields(call).await?;
        Ok(Self { fields })
    }

    /// Reads a form of the caller; it must also carry the CSRF token of the session.
    pub(super) async fn of_caller(call: &mut Call) -> Result<(Caller, Self), Stop> {
        let caller = sender(call).await?;
        let form = Self::open(call).await?;
        if !call.kit.chat.is_csrf_token(&caller, form.raw("csrf")) {
            return Err(Fault::Csrf.into());
        }
        Ok((caller, form))
    }

    /// Creates a form with one field.
    pub(super) fn with(name: &str, value: &str) -> Self {
        let fields = vec![(name.to_owned(), value.to_owned())];
        Self { fields }
    }

    /// Returns the field as submitted, if present.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the field as submitted; empty if missing.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default()
    }

    /// Returns all values of a field with multiple choices.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.fields.iter().filter(move |(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the field trimmed: phone keyboards add spaces.
    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    pub(super) fn email(&self) -> Result<Option<Email>, Invalid> {
        self.optional("email", Email::parse)
    }

    pub(super) fn display_name(&self) -> Result<Option<ShownName>, Invalid> {
        self.optional("display_name", ShownName::of_person)
    }

    /// Parses a field that may be empty.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        let text = self.text(name);
        (!text.is_empty()).then(|| parse(text)).transpose()
    }
}
