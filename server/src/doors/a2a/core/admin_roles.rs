//! The original's administrator roles, and the role of ours that does what they do.

use crate::domain::Role;
use crate::doors::a2a::reply::Refusal;

/// The least of our roles that does what all of `names`, in whatever case, do.
///
/// # Errors
/// 400 for a name that is none.
pub(super) fn role(names: &[String]) -> Result<Role, Refusal> {
    let mut role = Role::PasswordUser;
    for name in names {
        let is_in = |list: &[&str]| list.iter().any(|own| own.eq_ignore_ascii_case(name));
        let one = match () {
            () if is_in(HOUSE) => Role::Administrator,
            () if is_in(ASSETS) => Role::PasswordAdministrator,
            () if is_in(AUDIT) => Role::PasswordAuditor,
            () => {
                let why = "A role is one of the administrator roles of the service.";
                return Err(Refusal::field("entity.AdminRoles", why));
            }
        };
        role = wider(role, one);
    }
    Ok(role)
}

/// The roles that `role` is shown as.
pub(super) fn of(role: Role) -> &'static [&'static str] {
    match role {
        Role::Administrator => ADMINISTRATOR,
        Role::PasswordAdministrator => ASSETS,
        Role::PasswordAuditor => AUDIT,
        Role::PasswordUser => &[],
    }
}

/// An administrator also does what the others do; who makes resources and audits is none of ours
/// but an administrator.
fn wider(one: Role, other: Role) -> Role {
    use Role::{Administrator, PasswordAdministrator, PasswordAuditor, PasswordUser};
    match (one, other) {
        (PasswordUser, role) | (role, PasswordUser) => role,
        (PasswordAdministrator, PasswordAdministrator) => PasswordAdministrator,
        (PasswordAuditor, PasswordAuditor) => PasswordAuditor,
        (Administrator, _)
        | (_, Administrator)
        | (PasswordAdministrator, PasswordAuditor)
        | (PasswordAuditor, PasswordAdministrator) => Administrator,
    }
}

const HOUSE: &[&str] = &[
    "GlobalAdmin",
    "ApplianceAdmin",
    "PolicyAdmin",
    "UserAdmin",
    "OperationsAdmin",
];
const ASSETS: &[&str] = &["AssetAdmin", "HelpdeskAdmin"];
const AUDIT: &[&str] = &["Auditor", "ApplicationAuditor", "SystemAuditor"];
/// An administrator of ours is all of them.
const ADMINISTRATOR: &[&str] = &[
    "GlobalAdmin",
    "ApplianceAdmin",
    "PolicyAdmin",
    "UserAdmin",
    "OperationsAdmin",
    "AssetAdmin",
    "HelpdeskAdmin",
    "Auditor",
    "ApplicationAuditor",
    "SystemAuditor",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn role_of(names: &[&str]) -> Result<Role, u16> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        role(&names).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn roles_become_the_least_of_ours_that_does_it_all() {
        assert_eq!(role_of(&[]), Ok(Role::PasswordUser));
        assert_eq!(role_of(&["assetadmin"]), Ok(Role::PasswordAdministrator));
        assert_eq!(role_of(&["Auditor"]), Ok(Role::PasswordAuditor));
        assert_eq!(
            role_of(&["AssetAdmin", "PolicyAdmin"]),
            Ok(Role::Administrator)
        );
        assert_eq!(
            role_of(&["GlobalAdmin", "Auditor"]),
            Ok(Role::Administrator)
        );
        assert_eq!(role_of(&["Auditor", "PolicyMaker"]), Err(400));
    }

    #[test]
    fn a_role_is_shown_as_roles_that_lead_back_to_it() {
        for role in Role::ALL {
            assert_eq!(role_of(of(role)), Ok(role));
        }
    }
}
