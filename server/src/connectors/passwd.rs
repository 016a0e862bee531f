//! What `passwd` asks on a terminal, and what is answered.

/// What is to be said next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing: it goes on talking.
    Nothing,
    /// The password that is in force.
    Old,
    /// The new one.
    New,
    /// Nothing any more: it asks again for what it was told.
    Leave,
}

/// How far the dialog is.
#[derive(Debug, Default)]
pub(super) struct Dialog {
    line: String,
    words: String,
    told: u8,
}

impl Dialog {
    /// Takes what the program says; a question is a line that ends with a colon and goes on no
    /// further.
    pub(super) fn hear(&mut self, data: &[u8]) -> Answer {
        for c in String::from_utf8_lossy(data).chars() {
            match c {
                '\r' | '\n' => self.end_line(),
                c if self.line.len() < MOST => self.line.push(c),
                _ => {}
            }
        }
        let question = self.line.trim_end().to_lowercase();
        if !question.ends_with(':') {
            return Answer::Nothing;
        }
        let answer = self.answer_to(&question);
        if answer != Answer::Nothing {
            self.line.clear();
        }
        answer
    }

    /// Whether the new password was said.
    pub(super) fn told(&self) -> bool {
        self.told > 0
    }

    /// What it said beside its questions.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    fn answer_to(&mut self, question: &str) -> Answer {
        let asks = |words: &[&str]| words.iter().any(|word| question.contains(word));
        if asks(&["retype", "re-enter", "again", "confirm"]) {
            self.told = self.told.saturating_add(1);
            return match self.told {
                2 => Answer::New,
                _ => Answer::Leave,
            };
        }
        if asks(&["new"]) {
            self.told = self.told.saturating_add(1);
            return match self.told {
                1 => Answer::New,
                _ => Answer::Leave,
            };
        }
        if asks(&["current", "old", "password:"]) && self.told == 0 {
            return Answer::Old;
        }
        Answer::Nothing
    }

    fn end_line(&mut self) {
        if self.words.len() < MOST && !self.line.is_empty() {
            self.words.push_str(&self.line);
            self.words.push(' ');
        }
        self.line.clear();
    }
}

const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(said: &[&str]) -> (Vec<Answer>, Dialog) {
        let mut dialog = Dialog::default();
        let heard = said.iter().map(|text| dialog.hear(text.as_bytes()));
        let answers = heard.filter(|answer| *answer != Answer::Nothing).collect();
        (answers, dialog)
    }

    #[test]
    fn debian_red_hat_and_busybox_are_answered() {
        use Answer::{New, Old};
        for said in [
            &[
                "Changing password for joe.\r\n",
                "Current password: ",
                "\r\nNew pass",
                "word: ",
                "\r\nRetype new password: ",
                "\r\npasswd: password updated successfully\r\n",
            ][..],
            &[
                "Changing password for user joe.\r\n(current) UNIX password: ",
                "\r\nNew password: ",
                "\r\nRetype new password: ",
            ],
            &[
                "Old password: ",
                "\r\nNew password: ",
                "\r\nRetype password: ",
            ],
        ] {
            let (given, dialog) = answers(said);
            assert_eq!(given, [Old, New, New], "{said:?}");
            assert!(dialog.told());
        }
    }

    #[test]
    fn whoever_asks_again_is_not_answered_again() {
        let (given, dialog) = answers(&[
            "Current password: ",
            "\r\nNew password: ",
            "\r\nBAD PASSWORD: too short\r\nNew password: ",
        ]);

        assert_eq!(given, [Answer::Old, Answer::New, Answer::Leave]);
        assert!(dialog.words().contains("BAD PASSWORD: too short"));
    }
}
