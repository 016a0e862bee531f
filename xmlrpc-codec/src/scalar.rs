//! Numbers, booleans and base64, as XML-RPC writes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ErrorKind;

/// "a plus or minus at the beginning, leading zeros, no blanks", within 32 bits.
pub(crate) fn parse_int(text: &str) -> Result<i32, ErrorKind> {
    if !is_digits(unsigned(text)) {
        return Err(ErrorKind::Integer);
    }
    text.parse().map_err(|_| ErrorKind::IntegerRange)
}

/// "a plus or minus, any number of digits, a period and any number of digits, no blanks". The
/// period may be missing; an exponent, NaN and infinity are no part of XML-RPC.
pub(crate) fn parse_double(text: &str) -> Result<f64, ErrorKind> {
    let digits = unsigned(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let written_well = (is_digits(whole) || is_digits(fraction))
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit());
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|number| written_well && number.is_finite());
    number.ok_or(ErrorKind::Double)
}

/// `0` or `1`.
pub(crate) fn parse_bool(text: &str) -> Result<bool, ErrorKind> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(ErrorKind::Boolean),
    }
}

/// Base64 with its padding; white space may stand anywhere.
pub(crate) fn parse_base64(text: &str) -> Result<Vec<u8>, ErrorKind> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !is_blank_byte(*byte)).collect();
    STANDARD.decode(packed).map_err(|_| ErrorKind::Base64)
}

/// A finite number without an exponent, which reads back as itself.
pub(crate) fn write_double(number: f64, out: &mut String) {
    let start = out.len();
    out.push_str(&number.to_string());
    if !out.get(start..).unwrap_or_default().contains('.') {
        out.push_str(".0");
    }
}

pub(crate) fn write_base64(bytes: &[u8], out: &mut String) {
    STANDARD.encode_string(bytes, out);
}

/// Whether XML calls it white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_blank_byte)
}

pub(crate) fn is_blank_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_decimal_and_of_32_bits() {
        for (text, number) in [
            ("0", Ok(0)),
            ("+007", Ok(7)),
            ("-2147483648", Ok(i32::MIN)),
            ("2147483647", Ok(i32::MAX)),
            ("2147483648", Err(ErrorKind::IntegerRange)),
            ("-2147483649", Err(ErrorKind::IntegerRange)),
            ("99999999999999999999999999", Err(ErrorKind::IntegerRange)),
        ] {
            assert_eq!(parse_int(text), number, "{text}");
        }
        for text in ["", "+", "--1", " 1", "1 ", "1.0", "0x1", "1e3", "１"] {
            assert_eq!(parse_int(text), Err(ErrorKind::Integer), "{text}");
        }
    }

    #[test]
    fn doubles_are_decimal_and_finite() {
        for (text, number) in [
            ("-12.214", -12.214),
            ("3", 3.0),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("0.0", 0.0),
        ] {
            assert_eq!(parse_double(text), Ok(number), "{text}");
        }
        let huge = "9".repeat(400);
        for text in [
            "",
            ".",
            "+",
            "1e3",
            "nan",
            "inf",
            "-infinity",
            "1.2.3",
            " 1.0",
            "0x1p3",
            &huge,
        ] {
            assert_eq!(parse_double(text), Err(ErrorKind::Double), "{text}");
        }
    }

    #[test]
    fn doubles_are_written_without_exponent_and_read_back() {
        for number in [
            0.0,
            -0.0,
            1.0,
            -12.214,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            0.1 + 0.2,
        ] {
            let mut text = String::new();

            write_double(number, &mut text);

            assert_eq!(
                parse_double(&text).unwrap().to_bits(),
                number.to_bits(),
                "{text}"
            );
            assert!(text.contains('.') && !text.contains(['e', 'E']), "{text}");
        }
    }

    #[test]
    fn base64_is_strict_but_for_white_space() {
        assert_eq!(parse_base64(" eW91\r\n\tIGNh "), Ok(b"you ca".to_vec()));
        assert_eq!(parse_base64(""), Ok(Vec::new()));
        for text in ["eW9", "eW9=", "eW91IA", "eW91IB==", "eW_1", "eW91=", "e*91"] {
            assert_eq!(parse_base64(text), Err(ErrorKind::Base64), "{text}");
        }
    }

    #[test]
    fn booleans_are_digits() {
        assert_eq!(parse_bool("1"), Ok(true));
        assert_eq!(parse_bool("0"), Ok(false));
        for text in ["", "true", "2", " 1", "01"] {
            assert_eq!(parse_bool(text), Err(ErrorKind::Boolean), "{text}");
        }
    }
}
