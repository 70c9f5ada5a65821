//! One of several things to choose from.

use askama::Template;
use askama::filters::HtmlSafe;

/// A list of which one is chosen.
#[derive(Template)]
#[template(path = "part/select.html")]
pub(super) struct Select {
    name: &'static str,
    label: &'static str,
    options: Vec<Choice>,
}

/// One of them.
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

impl HtmlSafe for Select {}

impl Select {
    /// Of values and what they are called, one of them chosen.
    pub(super) fn new<V: AsRef<str>, T: AsRef<str>>(
        name: &'static str,
        label: &'static str,
        options: &[(V, T)],
        chosen: &str,
    ) -> Self {
        let choice = |(value, text): &(V, T)| Choice {
            value: value.as_ref().to_owned(),
            text: text.as_ref().to_owned(),
            chosen: value.as_ref() == chosen,
        };
        Self {
            name,
            label,
            options: options.iter().map(choice).collect(),
        }
    }
}
