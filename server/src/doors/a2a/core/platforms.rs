//! Platforms: the original numbers what we call by a word.

/// What a resource on the platform with this number is called here.
pub(super) fn kind(id: u64) -> String {
    match id {
        OTHER => OTHER_NAME.to_owned(),
        id => format!("{NUMBERED}{id}"),
    }
}

/// The number of a kind of resource; everything that came through no door of the original's is
/// managed by others.
pub(super) fn id(kind: &str) -> u64 {
    let number = kind.strip_prefix(NUMBERED);
    number.and_then(|id| id.parse().ok()).unwrap_or(OTHER)
}

/// What a kind of resource is shown as.
pub(super) fn name(kind: &str) -> String {
    match kind {
        "" => OTHER_NAME.to_owned(),
        kind => kind.to_owned(),
    }
}

const OTHER: u64 = 501;
const OTHER_NAME: &str = "Other Managed";
/// The original's list of platforms is its own: what is not known by name keeps its number.
const NUMBERED: &str = "Platform ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_keeps_its_number_and_our_own_kinds_are_managed_by_others() {
        for number in [501, 521, 188, 1] {
            assert_eq!(id(&kind(number)), number);
        }
        assert_eq!(id("Linux"), 501);
        assert_eq!(name("Linux"), "Linux");
        assert_eq!(name(""), "Other Managed");
        assert_eq!(kind(501), "Other Managed");
    }
}
