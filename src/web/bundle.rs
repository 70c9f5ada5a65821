//! Bundler: joins the modules of the page into one script, so that a first visit requests one file instead of thirty;
//! on a slow connection each costs a round trip. Supports only the forms of import and export that `assets/*.js` use;
//! tests check that they use no others.

use std::fmt::Write;

/// Name and source of a module.
pub(super) type Module = (&'static str, &'static str);

/// Turns every module into a function that runs once and returns its exports, after the modules that it imports. `main`
/// comes last.
pub(super) fn bundle(modules: &[Module], main: &str) -> String {
    let mut bundle = Bundle {
        modules,
        done: Vec::new(),
        script: String::new(),
    };
    bundle.add(main);
    bundle.script
}

struct Bundle<'a> {
    modules: &'a [Module],
    done: Vec<&'static str>,
    script: String,
}

impl Bundle<'_> {
    fn add(&mut self, name: &str) {
        let Some(&(name, text)) = self.modules.iter().find(|(known, _)| *known == name) else {
            return;
        };
        if self.done.contains(&name) {
            return;
        }
        self.done.push(name);
        for (_, from) in text.lines().filter_map(import) {
            self.add(from);
        }
        let _ = writeln!(self.script, "const m_{name} = (() => {{");
        let mut exports = Vec::new();
        for line in without_comments(text) {
            let _ = match (import(line), line.strip_prefix("export ")) {
                (Some((names, from)), _) => writeln!(self.script, "const {names} = m_{from};"),
                (None, Some(declared)) => {
                    exports.push(declared_name(declared));
                    writeln!(self.script, "{declared}")
                }
                (None, None) => writeln!(self.script, "{line}"),
            };
        }
        let exports = exports.join(", ");
        let _ = writeln!(self.script, "return {{ {exports} }};\n}})();");
    }
}

/// Parses an import line: the imported names, and the module.
fn import(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("import ")?.strip_suffix(".js\";")?;
    rest.split_once(" from \"./")
}

/// Returns the name in `async function name(`, `class name {` or `const name =`.
fn declared_name(declared: &str) -> &str {
    let rest = declared.trim_start_matches("async ");
    let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$'));
    &rest[..end.unwrap_or(rest.len())]
}

/// Returns the lines of code. Comments must be on lines of their own.
fn without_comments(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let line = line.trim_start();
        let begins = line.starts_with("/*");
        let is_comment = inside || begins || line.is_empty() || line.starts_with("//");
        inside = (inside || begins) && !line.ends_with("*/");
        !is_comment
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_follow_their_imports_and_occur_once() {
        let modules = [
            (
                "main",
                "import { b } from \"./b.js\";\nimport { A } from \"./a.js\";\nnew A(b());",
            ),
            (
                "a",
                "// Says so.\nexport class A {}\n/** And\n * so. */\nexport const c = 1;",
            ),
            (
                "b",
                "import { A, c } from \"./a.js\";\nexport async function b(d) { return [A, c, d]; }",
            ),
        ];
        let expected = "const m_a = (() => {\nclass A {}\nconst c = 1;\nreturn { A, c };\n})();\n\
             const m_b = (() => {\nconst { A, c } = m_a;\nasync function b(d) { return [A, c, d]; }\nreturn { b };\n})();\n\
             const m_main = (() => {\nconst { b } = m_b;\nconst { A } = m_a;\nnew A(b());\nreturn {  };\n})();\n";
        assert_eq!(bundle(&modules, "main"), expected);
    }

    #[test]
    fn declared_names_are_found_in_all_declarations() {
        for declared in [
            "class name {",
            "class name extends Other {",
            "const name = 1;",
            "function name(a) {",
            "async function name() {",
        ] {
            assert_eq!(declared_name(declared), "name", "{declared}");
        }
        assert_eq!(declared_name("const $$ = 1;"), "$$");
    }
}
