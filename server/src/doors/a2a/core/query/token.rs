//! A filter's words.

use crate::doors::a2a::core::query::fault::QueryFault;

/// A word of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, an operator, a number.
    Word(String),
    /// A text in quotes, without them.
    Text(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenList,
    /// `]`
    CloseList,
    /// `,`
    Comma,
}

/// Cuts a filter into its words.
///
/// # Errors
/// [`QueryFault::Filter`] for one that is too long, or whose quote is not closed.
pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, QueryFault> {
    if filter.len() > LONGEST {
        let words = format!("it is longer than {LONGEST} bytes");
        return Err(QueryFault::Filter(words));
    }
    let mut rest = filter;
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return Ok(found);
        };
        let (token, behind) = match first {
            '\'' | '"' => text(rest, first)?,
            _ => match sign(first) {
                Some(token) => (token, rest.get(first.len_utf8()..).unwrap_or_default()),
                None => word(rest),
            },
        };
        found.push(token);
        rest = behind;
    }
}

fn sign(character: char) -> Option<Token> {
    match character {
        '(' => Some(Token::Open),
        ')' => Some(Token::Close),
        '[' => Some(Token::OpenList),
        ']' => Some(Token::CloseList),
        ',' => Some(Token::Comma),
        _ => None,
    }
}

fn word(rest: &str) -> (Token, &str) {
    let ends = |c: char| c.is_whitespace() || c == '\'' || c == '"' || sign(c).is_some();
    let end = rest.find(ends).unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    (Token::Word(word.to_owned()), behind)
}

/// A text in quotes: a backslash takes the character behind it as it is.
fn text(rest: &str, quote: char) -> Result<(Token, &str), QueryFault> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped)) => text.push(escaped),
                None => break,
            },
            end if end == quote => {
                let behind = rest.get(at + quote.len_utf8()..).unwrap_or_default();
                return Ok((Token::Text(text), behind));
            }
            other => text.push(other),
        }
    }
    Err(QueryFault::Filter("a quote is not closed".to_owned()))
}

/// A URL is hardly longer; the words of one filter are bounded with it.
const LONGEST: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Token {
        Token::Word(text.to_owned())
    }

    fn text(text: &str) -> Token {
        Token::Text(text.to_owned())
    }

    #[test]
    fn a_filter_is_words_texts_and_signs() {
        assert_eq!(
            tokens(r#"(Asset.Name eq "a b")and Id in[1,-2]"#).unwrap(),
            [
                Token::Open,
                word("Asset.Name"),
                word("eq"),
                text("a b"),
                Token::Close,
                word("and"),
                word("Id"),
                word("in"),
                Token::OpenList,
                word("1"),
                Token::Comma,
                word("-2"),
                Token::CloseList,
            ]
        );
    }

    #[test]
    fn a_backslash_takes_what_is_behind_it_as_it_is() {
        let table = [
            (r"'it\'s'", "it's"),
            (r#""a\"b""#, r#"a"b"#),
            (r"'a\\b\*'", r"a\b*"),
            (r#"'"'"#, r#"""#),
            ("''", ""),
        ];

        for (filter, meant) in table {
            assert_eq!(tokens(filter), Ok(vec![text(meant)]), "{filter}");
        }
    }

    #[test]
    fn an_open_quote_and_a_long_filter_are_none() {
        for filter in ["'", "'a", r"'a\'", r"'a\"] {
            let open = QueryFault::Filter("a quote is not closed".to_owned());
            assert_eq!(tokens(filter), Err(open), "{filter}");
        }
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(tokens(&long).map_err(|fault| fault.code()), Err(70003));
        assert_eq!(tokens(&long[1..]).map(|words| words.len()), Ok(1));
    }
}
