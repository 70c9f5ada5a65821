//! `/settings/look`: language and colours, for people with and without an account. Both are cookies: a browser's own.

use crate::dialect::kit::{Call, current_cookie};

use super::answer::{Answer, done, visitor, with_cookie};
use super::fields::Input;
use super::form::Form;
use super::notice::Notice;
use super::texts::{self, Texts};

/// The cookie of those who chose colours.
const THEME: &str = "parlor_theme";
/// What can be chosen; otherwise the device decides.
const THEMES: [&str; 2] = ["light", "dark"];

/// The colours that the reader chose, empty if they did not.
pub(super) fn theme() -> &'static str {
    current_cookie(THEME).map_or("", |theme| known(&theme))
}

/// The two choices.
pub(super) fn inputs(t: &'static Texts) -> Vec<Input> {
    let chosen = current_cookie(texts::COOKIE).and_then(|lang| texts::find(&lang));
    let lang = chosen.map_or("", |texts| texts.lang);
    let themes = [
        ("", t.theme_auto),
        ("light", t.theme_light),
        ("dark", t.theme_dark),
    ];
    // Every language calls itself by its own name.
    let langs = [("", t.language_auto), ("en", "English"), ("de", "Deutsch")];
    vec![
        Input::select("lang", t.language, langs).value(lang),
        Input::select("theme", t.theme, themes).value(theme()),
    ]
}

pub(super) async fn save(mut call: Call) -> Answer {
    let form = match visitor(&call).await? {
        Some(_) => Form::of_caller(&mut call).await?.1,
        None => Form::open(&mut call).await?,
    };
    let lang = texts::find(form.raw("lang")).map_or("", |texts| texts.lang);
    let response = with_cookie(&call, done("/settings", Notice::Saved), texts::COOKIE, lang);
    Ok(with_cookie(
        &call,
        response,
        THEME,
        known(form.raw("theme")),
    ))
}

fn known(theme: &str) -> &'static str {
    THEMES
        .into_iter()
        .find(|known| *known == theme)
        .unwrap_or_default()
}
