//! Setting a value in a `claviger.toml` as an operator would: in place, comments kept.

/// `text` with `key = value` in `[section]`: in place of the key's line (a commented-out default
/// too), else below the section's title, else in a new section at the end.
pub(crate) fn set(text: &str, section: &str, key: &str, value: &str) -> String {
    let title = format!("[{section}]");
    let wanted = format!("{key} = {value}");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(start) = lines.iter().position(|line| line.trim() == title) else {
        return format!("{text}\n{title}\n{wanted}\n");
    };
    let end = lines
        .iter()
        .skip(start + 1)
        .position(|line| line.starts_with('['))
        .map_or(lines.len(), |offset| start + 1 + offset);
    let at = (start + 1..end).find(|&at| names(&lines[at], key));
    match at {
        Some(at) => lines[at] = wanted,
        None => lines.insert(start + 1, wanted),
    }
    lines.join("\n") + "\n"
}

fn names(line: &str, key: &str) -> bool {
    let bare = line.trim_start_matches('#').trim_start();
    bare.strip_prefix(key)
        .is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commented_default_is_replaced_in_its_own_section() {
        let text = "[a]\n# size = 1\n[b]\nsize = 2\n";

        assert_eq!(
            set(text, "a", "size", "9"),
            "[a]\nsize = 9\n[b]\nsize = 2\n"
        );
        assert_eq!(
            set(text, "b", "size", "9"),
            "[a]\n# size = 1\n[b]\nsize = 9\n"
        );
        assert_eq!(
            set(text, "b", "other", "9"),
            "[a]\n# size = 1\n[b]\nother = 9\nsize = 2\n"
        );
        assert_eq!(
            set(text, "c", "x", "true"),
            format!("{text}\n[c]\nx = true\n")
        );
    }
}
