//! Tests of the grammar, and of how the work grows with the text.

use serde_json::Value;

use super::*;
use crate::model::STEPS_TAKEN;

#[test]
fn the_shared_cases_hold() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/markup.json")).unwrap();
    assert!(cases.len() > 50);
    for case in cases {
        let called = called(&case);
        let text = case["text"].as_str().unwrap();
        assert_eq!(render(text, &called).html, case["html"], "{text}");
    }
}

#[test]
fn rendering_takes_linear_time() {
    /// Upper limits of steps: per character of text, and per message, of which looking up names may take some.
    const STEPS: usize = 40;
    const STEPS_OF_NAMES: usize = 12_000;
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/markup_worst.json")).unwrap();
    for case in cases {
        for length in [500, 4000, 64_000] {
            let text = worst(&case, length);
            STEPS_TAKEN.set(0);
            render(&text, &called(&case));
            let (steps, chars) = (STEPS_TAKEN.get(), text.chars().count());
            assert!(
                steps <= STEPS * chars + STEPS_OF_NAMES,
                "{steps} steps for {chars} characters of {case}"
            );
        }
    }
}

pub(super) fn count(steps: usize) {
    STEPS_TAKEN.set(STEPS_TAKEN.get() + steps);
}

/// Returns a text of about `length`; `tests/clients/markup.mjs` builds the same.
fn worst(case: &Value, length: usize) -> String {
    let repeated: Vec<_> = case["repeat"].as_array().into_iter().flatten().collect();
    let grown = case["grow"].as_str();
    let share = length / (repeated.len() + usize::from(grown.is_some()));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut made = text(&case["once"]);
    for unit in repeated {
        let unit = text(unit);
        made.push_str(&unit.repeat(share / unit.chars().count()));
    }
    if let Some(unit) = grown {
        let (mut run, mut left) = (1, share);
        while left > run {
            made.push_str(&unit.repeat(run));
            made.push(' ');
            (run, left) = (run + 1, left - run - 1);
        }
    }
    made + &text(&case["last"])
}

fn called(case: &Value) -> Vec<Called> {
    let names = case["names"].as_array().into_iter().flatten();
    names
        .map(|name| Called {
            key: name.as_str().unwrap().to_owned(),
            is_me: name == "me",
        })
        .collect()
}

#[test]
fn plain_marks_text_that_renders_unchanged() {
    for (text, plain) in [
        ("a\nb", true),
        ("see https://a.b.", true),
        ("*a*", false),
        ("\\*a\\*", false),
        ("\\- a", false),
        ("¯\\_(ツ)_/¯", true),
        ("> a", false),
        ("", true),
    ] {
        assert_eq!(render(text, &[]).plain, plain, "{text}");
    }
}
