//! The lines of a form: what can be typed or chosen, and beside it what was wrong with that.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::chat::ChatError;
use crate::dialect::kit::StatusCode;

use super::explain::{Said, explain_chat};
use super::form::Form;
use super::texts::{self, Texts};

/// One line.
#[derive(Template)]
#[template(path = "part/input.html")]
pub(super) struct Input {
    /// Unique on its page.
    id: String,
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    /// What can be chosen, or what is suggested.
    options: Vec<(String, String)>,
    hint: String,
    autocomplete: &'static str,
    most: u32,
    optional_text: &'static str,
    required: bool,
    /// What is wrong with it.
    error: String,
    focus: bool,
}

impl HtmlSafe for Input {}

impl Input {
    /// A line of text that has to be filled in.
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
            optional_text: texts::of().optional,
            required: true,
            error: String::new(),
            focus: false,
        }
    }

    /// One of several values, each with what it is called.
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

    /// Suggests values, each with what it is called.
    pub(super) fn suggesting(self, options: Vec<(String, String)>) -> Self {
        Self { options, ..self }
    }

    /// Of another type, such as `password`.
    pub(super) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// What stands there at first.
    pub(super) fn value(self, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { value, ..self }
    }

    /// What browsers may fill in.
    pub(super) fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self {
            autocomplete,
            ..self
        }
    }

    /// A line of help below.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        Self { hint, ..self }
    }

    /// May be left empty.
    pub(super) fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    fn is_chosen(&self, option: &&(String, String)) -> bool {
        option.0 == self.value
    }

    /// Puts back what was typed, but for passwords.
    fn fill(&mut self, form: &Form) {
        if let Some(typed) = form.given(self.name).filter(|_| self.kind != "password") {
            typed.clone_into(&mut self.value);
        }
    }
}

/// A form that was not done.
pub(super) struct Refused<'a> {
    /// Which of the forms on its page.
    pub which: &'static str,
    /// What was typed.
    pub form: &'a Form,
    /// Why it was not done.
    pub error: &'a ChatError,
}

/// All lines of one form, and above them what is wrong with it as a whole.
#[derive(Template)]
#[template(path = "part/fields.html")]
pub(super) struct Fields {
    inputs: Vec<Input>,
    error: String,
    status: StatusCode,
}

impl HtmlSafe for Fields {}

impl Fields {
    /// As they are at first.
    pub(super) fn new(inputs: Vec<Input>) -> Self {
        Self {
            inputs,
            error: String::new(),
            status: StatusCode::OK,
        }
    }

    /// The only form of a page: with what was typed, with what is wrong, and with the cursor where it is wanted.
    pub(super) fn only(inputs: Vec<Input>, form: &Form, error: Option<&ChatError>) -> Self {
        let mut fields = Self::new(inputs);
        fields.inputs.iter_mut().for_each(|input| input.fill(form));
        if let Some(error) = error {
            fields.say(explain_chat(texts::of(), error));
        }
        let inputs = &mut fields.inputs;
        let wrong = inputs.iter().position(|input| !input.error.is_empty());
        if let Some(input) = inputs.get_mut(wrong.unwrap_or(0)) {
            input.focus = true;
        }
        fields
    }

    /// One of several forms of a page, of which one may have been refused.
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

    /// The lines alone.
    pub(super) fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }

    /// What is wrong: beside the line that is meant, else above all of them.
    pub(super) fn say(&mut self, said: Said) {
        self.status = said.status;
        let named = |input: &&mut Input| Some(input.name) == said.field;
        match self.inputs.iter_mut().find(named) {
            Some(input) => input.error = said.text,
            None => self.error = said.text,
        }
    }

    /// The status of the page.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

/// The status of a page on which a form was refused.
pub(super) fn status_of(t: &'static Texts, refused: Option<&Refused<'_>>) -> StatusCode {
    refused.map_or(StatusCode::OK, |refused| {
        explain_chat(t, refused.error).status
    })
}
