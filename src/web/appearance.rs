//! `/settings/look`: language and colour theme, with or without an account. Both are cookies, so they belong to a
//! browser.

use crate::dialect::kit::{Call, current_cookie};

use super::flash::Notice;
use super::form::Form;
use super::form_fields::Input;
use super::i18n::{self, Texts};
use super::respond::{Answer, done, visitor, with_cookie};

/// Name of the cookie with the chosen theme.
const THEME: &str = "parlor_theme";
/// Themes that can be chosen; without a choice the device decides.
const THEMES: [&str; 2] = ["light", "dark"];

/// Returns the chosen theme, empty without a choice.
pub(super) fn theme() -> &'static str {
    current_cookie(THEME).map_or("", |theme| known(&theme))
}

/// Returns the inputs for language and theme.
pub(super) fn inputs(t: &'static Texts) -> Vec<Input> {
    let chosen = current_cookie(i18n::COOKIE).and_then(|lang| i18n::find(&lang));
    let lang = chosen.map_or("", |texts| texts.lang);
    let themes = [
        ("", t.theme_auto),
        ("light", t.theme_light),
        ("dark", t.theme_dark),
    ];
    // Languages are listed by their own names.
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
    let lang = i18n::find(form.raw("lang")).map_or("", |texts| texts.lang);
    let response = with_cookie(&call, done("/settings", Notice::Saved), i18n::COOKIE, lang);
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
