//! May they? One pure function, and nothing else decides.

use crate::domain::{Allowed, Level, Permit, Role, Scope, User};

/// What somebody wants to do with a resource or an account of it, or with the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See that it exists.
    See,
    /// Retrieve its password.
    Retrieve,
    /// Change its password.
    Change,
    /// Edit, delete or share it.
    Manage,
    /// Make somebody else its owner: no share goes so far.
    GiveAway,
    /// Make a resource.
    CreateResource,
    /// Users, trust, policies, settings, organisations, keys, backups.
    Administer,
    /// Read the audit trail.
    ReadAudit,
}

/// How somebody stands to what they want to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Their role.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
    /// Whether they own it.
    pub owner: bool,
    /// The widest share they have of it.
    pub share: Option<Level>,
    /// The only operations that count, where an application acts for them.
    pub within: Option<Allowed>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They may.
    Allowed,
    /// They may not, and nothing may tell them that it exists.
    Hidden,
    /// They may not, and they may know that it exists.
    Denied,
}

/// Whether somebody who stands so may do that.
#[must_use]
pub fn decide(action: Action, standing: Standing) -> Decision {
    if !is_within(action, standing.within) {
        return Decision::Denied;
    }
    let needed = match action {
        Action::See | Action::Retrieve => Level::View,
        Action::Change => Level::Modify,
        Action::Manage => Level::Manage,
        Action::GiveAway if owns(standing) => return Decision::Allowed,
        Action::GiveAway => {
            return standing
                .share
                .map_or(Decision::Hidden, |_| Decision::Denied);
        }
        Action::CreateResource => return allowed_if(creates(standing.role)),
        Action::Administer => return allowed_if(standing.role == Role::Administrator),
        Action::ReadAudit => return allowed_if(audits(standing.role)),
    };
    match reach(standing) {
        None => Decision::Hidden,
        Some(level) => allowed_if(level >= needed),
    }
}

/// Whether an action is among the operations to which somebody is narrowed; whoever is not narrowed
/// may try all of them.
fn is_within(action: Action, within: Option<Allowed>) -> bool {
    within.is_none_or(|allowed| permit(action).is_some_and(|permit| allowed.has(permit)))
}

/// The permit that an application needs for an action; for some there is none.
fn permit(action: Action) -> Option<Permit> {
    match action {
        Action::See | Action::Retrieve => Some(Permit::Retrieve),
        Action::Change => Some(Permit::Reset),
        Action::CreateResource => Some(Permit::Create),
        Action::Manage | Action::GiveAway | Action::Administer | Action::ReadAudit => None,
    }
}

/// Whether somebody who stands so may act on the house itself, of which every organisation is a
/// part: trust, settings, organisations, keys, backups. `home` is the organisation that was there
/// first.
#[must_use]
pub fn governs(standing: Standing, home: bool) -> bool {
    let whole = standing.scope == Scope::All && standing.within.is_none();
    home && whole && standing.role == Role::Administrator
}

/// Whether somebody who stands so may make `user`, or give out what it proves itself with: only
/// who reaches everything may for one who does.
#[must_use]
pub fn may_stand_in(standing: Standing, user: &User) -> bool {
    user.scope == Scope::Owned || standing.scope == Scope::All
}

/// The widest level by ownership, scope or share.
fn reach(standing: Standing) -> Option<Level> {
    if owns(standing) {
        return Some(Level::Manage);
    }
    standing.share
}

/// Whether they are its owner, or reach everything as if they were.
fn owns(standing: Standing) -> bool {
    standing.owner || (standing.scope == Scope::All && creates(standing.role))
}

fn creates(role: Role) -> bool {
    matches!(role, Role::Administrator | Role::PasswordAdministrator)
}

fn audits(role: Role) -> bool {
    matches!(role, Role::Administrator | Role::PasswordAuditor)
}

fn allowed_if(yes: bool) -> Decision {
    if yes {
        Decision::Allowed
    } else {
        Decision::Denied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(role: Role, scope: Scope, owner: bool, share: Option<Level>) -> Standing {
        Standing {
            role,
            scope,
            owner,
            share,
            within: None,
        }
    }

    #[test]
    fn an_application_may_do_what_its_user_may_do_and_it_is_allowed_and_nothing_else() {
        use Permit::{Create, Reset, Retrieve};
        let table = [
            (Action::See, Some(Retrieve)),
            (Action::Retrieve, Some(Retrieve)),
            (Action::Change, Some(Reset)),
            (Action::CreateResource, Some(Create)),
            (Action::Manage, None),
            (Action::GiveAway, None),
            (Action::Administer, None),
            (Action::ReadAudit, None),
        ];
        let everything = standing(Role::Administrator, Scope::All, true, None);
        let nothing = standing(Role::PasswordUser, Scope::Owned, false, None);

        for (action, needed) in table {
            for bits in 0..8_u8 {
                let permits = [Retrieve, Reset, Create];
                let permits = permits
                    .into_iter()
                    .filter(|one| bits >> (*one as u8) & 1 == 1);
                let permits: Vec<_> = permits.collect();
                let within = Some(Allowed::of(&permits));
                let may = needed.is_some_and(|needed| permits.contains(&needed));
                let wide = decide(
                    action,
                    Standing {
                        within,
                        ..everything
                    },
                );
                let bare = decide(action, Standing { within, ..nothing });

                assert_eq!(wide, allowed_if(may), "{action:?} within {permits:?}");
                assert_ne!(bare, Decision::Allowed, "{action:?} widened by {permits:?}");
            }
        }
    }

    #[test]
    fn the_house_is_governed_by_its_first_organisations_super_administrators_alone() {
        let roles = [
            Role::Administrator,
            Role::PasswordAdministrator,
            Role::PasswordAuditor,
            Role::PasswordUser,
        ];
        let mut governing = Vec::new();
        for role in roles {
            for scope in [Scope::All, Scope::Owned] {
                for home in [true, false] {
                    if governs(standing(role, scope, true, Some(Level::Manage)), home) {
                        governing.push((role, scope, home));
                    }
                }
            }
        }

        assert_eq!(governing, [(Role::Administrator, Scope::All, true)]);
        let application = Standing {
            within: Some(Allowed::of(&[Permit::Create])),
            ..standing(Role::Administrator, Scope::All, false, None)
        };
        assert!(!governs(application, true));
    }

    #[test]
    fn every_share_allows_what_its_level_says_and_no_more() {
        use Decision::{Allowed, Denied, Hidden};
        let actions = [
            Action::See,
            Action::Retrieve,
            Action::Change,
            Action::Manage,
        ];
        let table = [
            (None, [Hidden, Hidden, Hidden, Hidden]),
            (Some(Level::View), [Allowed, Allowed, Denied, Denied]),
            (Some(Level::Modify), [Allowed, Allowed, Allowed, Denied]),
            (Some(Level::Manage), [Allowed, Allowed, Allowed, Allowed]),
        ];

        for role in Role::ALL {
            for (share, expected) in table {
                for (action, answer) in actions.into_iter().zip(expected) {
                    let stands = standing(role, Scope::Owned, false, share);
                    assert_eq!(
                        decide(action, stands),
                        answer,
                        "{role} {share:?} {action:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_share_makes_anybody_an_owner() {
        for role in Role::ALL {
            for (share, answer) in [
                (None, Decision::Hidden),
                (Some(Level::View), Decision::Denied),
                (Some(Level::Manage), Decision::Denied),
            ] {
                let stands = standing(role, Scope::Owned, false, share);
                assert_eq!(decide(Action::GiveAway, stands), answer, "{role} {share:?}");
            }
        }
        let everywhere = standing(Role::Administrator, Scope::All, false, None);
        assert_eq!(decide(Action::GiveAway, everywhere), Decision::Allowed);
    }

    #[test]
    fn an_owner_may_do_everything_with_its_own() {
        for action in [
            Action::See,
            Action::Retrieve,
            Action::Change,
            Action::Manage,
            Action::GiveAway,
        ] {
            let owner = standing(Role::PasswordUser, Scope::Owned, true, None);
            assert_eq!(decide(action, owner), Decision::Allowed, "{action:?}");
        }
    }

    #[test]
    fn only_the_two_administrator_roles_reach_all_passwords_by_scope() {
        for (role, answer) in [
            (Role::Administrator, Decision::Allowed),
            (Role::PasswordAdministrator, Decision::Allowed),
            (Role::PasswordAuditor, Decision::Hidden),
            (Role::PasswordUser, Decision::Hidden),
        ] {
            let stands = standing(role, Scope::All, false, None);
            assert_eq!(decide(Action::Retrieve, stands), answer, "{role}");
        }
    }

    #[test]
    fn roles_alone_decide_about_the_house() {
        use Decision::{Allowed, Denied};
        let table = [
            (Role::Administrator, [Allowed, Allowed, Allowed]),
            (Role::PasswordAdministrator, [Allowed, Denied, Denied]),
            (Role::PasswordAuditor, [Denied, Denied, Allowed]),
            (Role::PasswordUser, [Denied, Denied, Denied]),
        ];
        let actions = [
            Action::CreateResource,
            Action::Administer,
            Action::ReadAudit,
        ];

        for (role, expected) in table {
            for (action, answer) in actions.into_iter().zip(expected) {
                let stands = standing(role, Scope::All, true, Some(Level::Manage));
                assert_eq!(decide(action, stands), answer, "{role} {action:?}");
            }
        }
    }
}
