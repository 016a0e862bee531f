//! How a section of the file is declared: once, with its defaults and its explanations, so that
//! what `init` writes, what the documentation says and what the server does cannot differ.

use serde::Serialize;

/// One setting, as it is written into the file.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Its key.
    pub(crate) name: &'static str,
    /// What it is for, line by line.
    pub(crate) about: &'static [&'static str],
    /// Its value in TOML; `None` where nothing is set.
    pub(crate) value: Option<String>,
    /// A value somebody might set, in TOML, where nothing is set by default.
    pub(crate) example: Option<&'static str>,
}

/// A section that can be written with its explanations.
pub(crate) trait Section {
    /// What the section is for, line by line.
    const ABOUT: &'static [&'static str];

    /// Its settings, in the order of the file.
    fn settings(&self) -> Vec<Setting>;
}

/// The value in TOML, if there is one.
pub(crate) fn in_toml(value: &impl Serialize) -> Option<String> {
    let json = serde_json::to_value(value).ok()?;
    if json.is_null() {
        return None;
    }
    // Strings, numbers, truth values and lists of strings are written alike in JSON and TOML.
    serde_json::to_string(&json).ok()
}

macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $type:ty = $default:expr $(, such as $example:literal)?;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl crate::config::section::Section for $name {
            const ABOUT: &'static [&'static str] = &[$($about),*];

            fn settings(&self) -> Vec<crate::config::section::Setting> {
                vec![$(
                    crate::config::section::Setting {
                        name: stringify!($field),
                        about: &[$($doc),*],
                        value: crate::config::section::in_toml(&self.$field),
                        example: None$(.or(Some($example)))?,
                    },
                )*]
            }
        }
    };
}

pub(crate) use section;
