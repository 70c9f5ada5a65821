//! Form fields: inputs with their labels, values and error messages.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::chat::ChatError;
use crate::dialect::kit::StatusCode;

use super::error_text::{Said, explain_chat};
use super::form::Form;
use super::i18n::{self, Texts};

#[derive(Template)]
#[template(path = "part/input.html")]
pub(super) struct Input {
    /// Unique on its page.
    id: String,
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    /// Options of a select, or suggestions.
    options: Vec<(String, String)>,
    hint: String,
    autocomplete: &'static str,
    most: u32,
    optional_text: &'static str,
    required: bool,
    /// Error message, or empty.
    error: String,
    focus: bool,
}

impl HtmlSafe for Input {}

impl Input {
    /// Creates a required text input of at most `most` characters.
    pub(super) fn new(name: &'static str, label: &'static str, most: u32) -> Self {
        Self {
            id: name.to_owned(),
            name,
            label,
            kind: "text",
            value: String::new(),
            options: Vec::new(),
            hint: String::new(),
            autocomplete: "off",
            most,
            optional_text: i18n::of().optional,
            required: true,
            error: String::new(),
            focus: false,
        }
    }

    /// Creates a select with pairs of value and text.
    pub(super) fn select<V: Into<String>, T: Into<String>>(
        name: &'static str,
        label: &'static str,
        options: impl IntoIterator<Item = (V, T)>,
    ) -> Self {
        let options = options.into_iter();
        Self {
            options: options
                .map(|(value, text)| (value.into(), text.into()))
                .collect(),
            kind: "select",
            ..Self::new(name, label, 0)
        }
    }

    /// Adds suggestions as pairs of value and text.
    pub(super) fn suggesting(self, options: Vec<(String, String)>) -> Self {
        Self { options, ..self }
    }

    /// Sets the input type, such as `password`.
    pub(super) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// Sets the initial value.
    pub(super) fn value(self, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { value, ..self }
    }

    /// Sets the `autocomplete` attribute.
    pub(super) fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self {
            autocomplete,
            ..self
        }
    }

    /// Adds a line of help below the input.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        Self { hint, ..self }
    }

    /// Allows the input to be empty.
    pub(super) fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    fn is_chosen(&self, option: &&(String, String)) -> bool {
        option.0 == self.value
    }

    /// Restores the submitted value, except of passwords.
    fn fill(&mut self, form: &Form) {
        if let Some(typed) = form.given(self.name).filter(|_| self.kind != "password") {
            typed.clone_into(&mut self.value);
        }
    }
}

/// A form that was refused.
pub(super) struct Refused<'a> {
    /// Name of the form on its page.
    pub which: &'static str,
    pub form: &'a Form,
    pub error: &'a ChatError,
}

/// All inputs of a form, and an error message that concerns the form as a whole.
#[derive(Template)]
#[template(path = "part/fields.html")]
pub(super) struct Fields {
    inputs: Vec<Input>,
    error: String,
    status: StatusCode,
}

impl HtmlSafe for Fields {}

impl Fields {
    pub(super) fn new(inputs: Vec<Input>) -> Self {
        Self {
            inputs,
            error: String::new(),
            status: StatusCode::OK,
        }
    }

    /// Fields of the only form on a page: with submitted values, error messages, and the focus on the first field with
    /// an error.
    pub(super) fn only(inputs: Vec<Input>, form: &Form, error: Option<&ChatError>) -> Self {
        let mut fields = Self::new(inputs);
        fields.inputs.iter_mut().for_each(|input| input.fill(form));
        if let Some(error) = error {
            fields.say(explain_chat(i18n::of(), error));
        }
        let inputs = &mut fields.inputs;
        let wrong = inputs.iter().position(|input| !input.error.is_empty());
        if let Some(input) = inputs.get_mut(wrong.unwrap_or(0)) {
            input.focus = true;
        }
        fields
    }

    /// Fields of one of several forms on a page, at most one of which was refused.
    pub(super) fn of(
        which: &'static str,
        inputs: Vec<Input>,
        refused: Option<&Refused<'_>>,
    ) -> Self {
        let refused = refused.filter(|refused| refused.which == which);
        let mut fields = match refused {
            Some(refused) => Self::only(inputs, refused.form, Some(refused.error)),
            None => Self::new(inputs),
        };
        for input in &mut fields.inputs {
            input.id = format!("{which}-{}", input.name);
        }
        fields
    }

    pub(super) fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }

    /// Shows an error at the field concerned, or else above all fields.
    pub(super) fn say(&mut self, said: Said) {
        self.status = said.status;
        let named = |input: &&mut Input| Some(input.name) == said.field;
        match self.inputs.iter_mut().find(named) {
            Some(input) => input.error = said.text,
            None => self.error = said.text,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

/// Returns the status of a page on which a form may have been refused.
pub(super) fn status_of(t: &'static Texts, refused: Option<&Refused<'_>>) -> StatusCode {
    refused.map_or(StatusCode::OK, |refused| {
        explain_chat(t, refused.error).status
    })
}
