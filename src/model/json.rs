//! JSON from clients that is stored unchanged.

/// Maximum nesting that is accepted: SQLite parses 1,000 levels, many parsers only 128.
pub const JSON_DEPTH_MAX: usize = 64;

/// Whether JSON is nested no deeper than [`JSON_DEPTH_MAX`].
pub fn is_shallow(json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    #[test]
    fn nesting_depth_ignores_brackets_in_strings() {
        assert!(is_shallow(&nested(JSON_DEPTH_MAX)));
        assert!(!is_shallow(&nested(JSON_DEPTH_MAX + 1)));
        let text = serde_json::to_string(&format!("\\\"{}", nested(1200))).unwrap_or_default();
        assert!(is_shallow(&text));
        assert!(is_shallow(&format!("[{}]", ["[]"; 500].join(","))));
    }
}
