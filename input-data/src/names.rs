//! The API's own words, and names that come twice.

use crate::Text;

/// The name, if it is one of the API's: the only names that an error may repeat, since whatever
/// else stands where a name belongs may be a piece of a password.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    NAMES.iter().copied().find(|known| *known == name)
}

/// The index of the first name that was there before; `names` in order, as they were written.
pub(crate) fn first_repeated<'a>(names: impl Iterator<Item = &'a Text>) -> Option<usize> {
    // Sorted, since comparing each with each would take quadratic time.
    let mut sorted: Vec<(&str, usize)> = names.map(Text::as_str).zip(0..).collect();
    sorted.sort_unstable();
    let repeated = sorted.windows(2).filter_map(|pair| match pair {
        [(first, _), (second, at)] if first == second => Some(*at),
        _ => None,
    });
    repeated.min()
}

const NAMES: &[&str] = &[
    "ACCESS",
    "ACCESSTYPE",
    "ACCOUNTCUSTOMFIELD",
    "ACCOUNTID",
    "ACCOUNTLIST",
    "ACCOUNTNAME",
    "ACCOUNTPASSWORDPOLICY",
    "APP_AUTHTOKEN",
    "APP_NAME",
    "APP_TYPE",
    "AUDITTYPE",
    "AUTHTOKEN",
    "CUSTOMLABEL",
    "CUSTOMVALUE",
    "DEPARTMENT",
    "DNSNAME",
    "DOMAINNAME",
    "DURATION",
    "Details",
    "EMAIL",
    "ENABLEMOBILEACCESS",
    "ENABLEPRIVATEKEY",
    "ENABLETWOFACTOR",
    "ENDTIME",
    "EXPIRYDATE",
    "FIRSTNAME",
    "FULLNAME",
    "GROUPID",
    "HOSTCHECK",
    "HOSTNAME",
    "INPUT_DATA",
    "ISAPIUSER",
    "ISSUPERADMIN",
    "LANDLINE",
    "LANDLINE_COUNTRYCODE",
    "LANDLINE_EXT",
    "LASTNAME",
    "LIMIT",
    "LOCATION",
    "MOBILE",
    "MOBILE_COUNTRYCODE",
    "NEWPASSWORD",
    "NOTES",
    "OPERATION_NAME",
    "OWNERNAME",
    "PASSWDID",
    "PASSWORD",
    "PHONEFACTOR_USERNAME",
    "POLICY",
    "PRIMARYCONTACT",
    "REASON",
    "REMAINDERTIME",
    "REQUESTEDID",
    "RESETTYPE",
    "RESOURCECUSTOMFIELD",
    "RESOURCEDESCRIPTION",
    "RESOURCEGROUPNAME",
    "RESOURCEID",
    "RESOURCEIDS",
    "RESOURCENAME",
    "RESOURCEPASSWORDPOLICY",
    "RESOURCES_TO_BE_ACCESSED_OPTION",
    "RESOURCETYPE",
    "RESOURCETYPEID",
    "RESOURCETYPE_CONTAINING",
    "RESOURCEURL",
    "RESTAPIACCESS",
    "ROLE",
    "ROLEID",
    "RSAUSERNAME",
    "SEARCHCOLUMN",
    "SEARCHTYPE",
    "SEARCHVALUE",
    "SELECTED_RESOURCEIDS",
    "STARTINDEX",
    "STARTTIME",
    "TICKETID",
    "TOKENVALIDITYDAYS",
    "USERGROUPNAME",
    "USERID",
    "USERNAME",
    "VIEWTYPE",
    "operation",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(names: &[&str]) -> Option<usize> {
        let names: Vec<Text> = names.iter().copied().map(Text::from).collect();
        first_repeated(names.iter())
    }

    #[test]
    fn the_first_name_that_was_there_before_is_found() {
        assert_eq!(repeated(&[]), None);
        assert_eq!(repeated(&["b", "a", "c"]), None);
        assert_eq!(repeated(&["z", "a", "a", "z"]), Some(2));
        assert_eq!(repeated(&["a", "z", "z", "a"]), Some(2));
        assert_eq!(repeated(&["a", "b", "a", "a"]), Some(2));
    }

    #[test]
    fn only_the_api_s_own_names_are_known() {
        assert_eq!(known("PASSWORD"), Some("PASSWORD"));
        assert_eq!(known("password"), None);
        assert_eq!(known("hunter2"), None);
    }
}
