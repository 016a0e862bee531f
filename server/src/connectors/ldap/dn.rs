//! The DN of an account.

/// `template` with the account's name, escaped, in place of `{account}`, whatever it looks like.
pub(super) fn of(template: &str, name: &str) -> String {
    template.replace("{account}", &escaped(name))
}

/// As what an administrator logs in: one that has a DN for a name, or a name like `user@domain`, is
/// that. Who that is was said by whoever set the target, not by whoever named an account.
pub(super) fn of_admin(template: &str, name: &str) -> String {
    match name.contains(['=', '@']) {
        true => name.to_owned(),
        false => of(template, name),
    }
}

/// RFC 4514 §2.4.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let last = name.chars().count().saturating_sub(1);
    for (at, c) in name.chars().enumerate() {
        let edge = (c == ' ' && (at == 0 || at == last)) || (c == '#' && at == 0);
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => text.push('\\'),
            _ if edge => text.push('\\'),
            _ => {}
        }
        match c {
            '\0' => text.push_str("\\00"),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_gets_out_of_its_place_in_the_dn() {
        let template = "uid={account},dc=example";
        for (name, dn) in [
            ("joe", "uid=joe,dc=example"),
            ("a,ou+b", "uid=a\\,ou\\+b,dc=example"),
            ("#1 \\ ", "uid=\\#1 \\\\\\ ,dc=example"),
            ("cn=admin,dc=x", "uid=cn\\=admin\\,dc\\=x,dc=example"),
            ("joe@corp.example", "uid=joe@corp.example,dc=example"),
        ] {
            assert_eq!(of(template, name), dn);
        }
    }

    #[test]
    fn an_administrator_may_be_a_dn_or_a_name_in_a_domain() {
        let template = "uid={account},dc=example";
        for (name, dn) in [
            ("joe", "uid=joe,dc=example"),
            ("cn=admin,dc=x", "cn=admin,dc=x"),
            ("joe@corp.example", "joe@corp.example"),
        ] {
            assert_eq!(of_admin(template, name), dn);
        }
    }
}
