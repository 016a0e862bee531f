//! The original's administrator roles, and what of ours does what they do.
//!
//! How far a role reaches is said by its name alone, never by who gives it: only `GlobalAdmin`
//! reaches everything. What has no counterpart is given by a role of ours that does it among other
//! things, if that is asked for as well, and refused otherwise.

use crate::domain::{Role, Scope};
use crate::doors::a2a::reply::Refusal;

/// The least of what we have that does all that `names`, in whatever case, do.
///
/// # Errors
/// 400 for a name that is none, and for what nobody here does without doing more than is asked for.
pub(super) fn rights(names: &[String]) -> Result<(Role, Scope), Refusal> {
    let has = |list: &[&str]| names.iter().any(|name| is_in(list, name));
    if !names.iter().all(|name| is_in(EVERYTHING, name)) {
        return Err(refused("A role is one of the administrator roles."));
    }
    if has(ALL) {
        return Ok((Role::Administrator, Scope::All));
    }
    if has(MACHINE) {
        return Err(refused(MACHINE_ALONE));
    }
    let role = match (has(PEOPLE), has(ASSETS), has(AUDIT)) {
        (true, _, _) => Role::Administrator,
        (false, _, _) if has(HELPDESK) => return Err(refused(HELPDESK_ALONE)),
        (false, true, true) => return Err(refused(BOTH)),
        (false, true, false) => Role::PasswordAdministrator,
        (false, false, true) => Role::PasswordAuditor,
        (false, false, false) => Role::PasswordUser,
    };
    Ok((role, Scope::Owned))
}

/// The roles that somebody is shown to have: all that it does.
pub(super) fn of(role: Role, scope: Scope) -> &'static [&'static str] {
    match (role, scope) {
        (Role::Administrator, Scope::All) => EVERYTHING,
        (Role::Administrator, Scope::Owned) => ADMINISTRATOR,
        (Role::PasswordAdministrator, _) => ASSETS,
        (Role::PasswordAuditor, _) => AUDIT,
        (Role::PasswordUser, _) => &[],
    }
}

fn is_in(list: &[&str], name: &str) -> bool {
    list.iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn refused(why: &str) -> Refusal {
    Refusal::field("entity.AdminRoles", why)
}

const ALL: &[&str] = &["GlobalAdmin"];
/// They look after trust, settings and the service: nobody here does who does not reach everything.
const MACHINE: &[&str] = &["ApplianceAdmin", "OperationsAdmin"];
const PEOPLE: &[&str] = &["PolicyAdmin", "UserAdmin"];
/// It gives people new passwords: an administrator of ours does.
const HELPDESK: &[&str] = &["HelpdeskAdmin"];
const ASSETS: &[&str] = &["AssetAdmin"];
const AUDIT: &[&str] = &["Auditor", "ApplicationAuditor", "SystemAuditor"];
const ADMINISTRATOR: &[&str] = &[
    "PolicyAdmin",
    "UserAdmin",
    "HelpdeskAdmin",
    "AssetAdmin",
    "Auditor",
    "ApplicationAuditor",
    "SystemAuditor",
];
const EVERYTHING: &[&str] = &[
    "GlobalAdmin",
    "ApplianceAdmin",
    "OperationsAdmin",
    "PolicyAdmin",
    "UserAdmin",
    "HelpdeskAdmin",
    "AssetAdmin",
    "Auditor",
    "ApplicationAuditor",
    "SystemAuditor",
];
const MACHINE_ALONE: &str = "Here the service is looked after by whoever reaches everything: \
                             ApplianceAdmin and OperationsAdmin come with GlobalAdmin only.";
const HELPDESK_ALONE: &str = "Here people are given passwords by whoever administers users: \
                              HelpdeskAdmin comes with UserAdmin, PolicyAdmin or GlobalAdmin only.";
const BOTH: &str = "Here nobody makes assets and audits without administering users: AssetAdmin \
                    and Auditor come together with UserAdmin, PolicyAdmin or GlobalAdmin only.";

#[cfg(test)]
mod tests {
    use super::*;

    fn rights_of(names: &[&str]) -> Result<(Role, Scope), u16> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        rights(&names).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn roles_become_the_least_of_ours_that_does_it_all() {
        use Role::{Administrator, PasswordAdministrator, PasswordAuditor, PasswordUser};
        let table: &[(&[&str], Role)] = &[
            (&[], PasswordUser),
            (&["assetadmin"], PasswordAdministrator),
            (&["Auditor"], PasswordAuditor),
            (&["SystemAuditor", "ApplicationAuditor"], PasswordAuditor),
            (&["PolicyAdmin"], Administrator),
            (&["UserAdmin"], Administrator),
            (&["AssetAdmin", "PolicyAdmin"], Administrator),
            (&["HelpdeskAdmin", "UserAdmin"], Administrator),
            (&["AssetAdmin", "Auditor", "UserAdmin"], Administrator),
        ];
        for (names, role) in table {
            assert_eq!(rights_of(names), Ok((*role, Scope::Owned)), "{names:?}");
        }
    }

    #[test]
    fn only_a_global_admin_reaches_everything() {
        for name in EVERYTHING {
            let whole = rights_of(&[name]).is_ok_and(|(_, scope)| scope == Scope::All);
            assert_eq!(whole, *name == "GlobalAdmin", "{name}");
            let with = rights_of(&[name, "globaladmin"]);
            assert_eq!(with, Ok((Role::Administrator, Scope::All)), "{name}");
        }
        let rest: Vec<&str> = EVERYTHING[3..].to_vec();
        assert_eq!(rights_of(&rest), Ok((Role::Administrator, Scope::Owned)));
    }

    #[test]
    fn what_nobody_here_does_without_doing_more_is_refused() {
        let table: &[&[&str]] = &[
            &["Auditor", "PolicyMaker"],
            &["GlobalAdmin", "PolicyMaker"],
            &["ApplianceAdmin"],
            &["OperationsAdmin", "PolicyAdmin", "UserAdmin"],
            &["HelpdeskAdmin"],
            &["HelpdeskAdmin", "AssetAdmin"],
            &["AssetAdmin", "Auditor"],
        ];
        for names in table {
            assert_eq!(rights_of(names), Err(400), "{names:?}");
        }
    }

    #[test]
    fn a_role_is_shown_as_roles_that_lead_back_to_it() {
        for role in Role::ALL {
            assert_eq!(rights_of(of(role, Scope::Owned)), Ok((role, Scope::Owned)));
        }
        let chief = (Role::Administrator, Scope::All);
        assert_eq!(rights_of(of(chief.0, chief.1)), Ok(chief));
    }
}
