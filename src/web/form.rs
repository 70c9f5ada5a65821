//! Forms: sent by our own pages, with the session's token where there is a session, read field by field.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::chat::Caller;
use crate::dialect::kit::{Call, Fault, form_fields};
use crate::model::{Email, Invalid, ShownName};

use super::answer::{Stop, caller};

/// What somebody typed into a form.
#[derive(Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form of somebody who has no session: it must come from our own page.
    pub(super) async fn open(call: &mut Call) -> Result<Self, Stop> {
        if !call.is_own_origin() {
            return Err(Fault::Csrf.into());
        }
        let fields = form_fields(call).await?;
        Ok(Self { fields })
    }

    /// Reads a form of somebody who is logged in: it must also carry their token.
    pub(super) async fn of_caller(call: &mut Call) -> Result<(Caller, Self), Stop> {
        if !call.is_own_origin() {
            return Err(Fault::Csrf.into());
        }
        let caller = caller(call).await?;
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

    /// A field as typed; empty if it is not there.
    pub(super) fn raw(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
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

/// One line to type into.
#[derive(Template)]
#[template(path = "part/input.html")]
pub(super) struct Input {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    hint: &'static str,
    autocomplete: &'static str,
    most: u32,
    optional_text: &'static str,
    required: bool,
    wrong: bool,
    focus: bool,
}

impl HtmlSafe for Input {}

impl Input {
    /// A line of text that has to be filled in.
    pub(super) fn new(name: &'static str, label: &'static str, most: u32) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value: String::new(),
            hint: "",
            autocomplete: "off",
            most,
            optional_text: super::texts::of().optional,
            required: true,
            wrong: false,
            focus: false,
        }
    }

    /// Of another type, such as `password`.
    pub(super) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// What browsers may fill in.
    pub(super) fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self {
            autocomplete,
            ..self
        }
    }

    /// A line of help below.
    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// May be left empty.
    pub(super) fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    /// Puts back what was typed, but for passwords, and marks it if it is the field that is wrong.
    pub(super) fn fill(mut self, form: &Form, wrong: Option<&str>) -> Self {
        if self.kind != "password" {
            self.value = form.raw(self.name).to_owned();
        }
        self.wrong = wrong == Some(self.name);
        self
    }
}

/// Puts the cursor where it is wanted: into the field that is wrong, else the first.
pub(super) fn focus(mut inputs: Vec<Input>) -> Vec<Input> {
    let place = inputs.iter().position(|input| input.wrong).unwrap_or(0);
    if let Some(input) = inputs.get_mut(place) {
        input.focus = true;
    }
    inputs
}
