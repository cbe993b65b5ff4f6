//! Roles: names for sets of permissions, as data.

use contracts::identity::{RoleDefined, RoleEvent, RoleRemoved};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// The role that may do everything. It always exists and cannot be changed.
pub const ADMIN: &str = "admin";

/// The roles a new shop begins with: name, purpose, permissions. A shop may change or remove all
/// but the first; that is then not undone.
pub const FIRST_ROLES: &[(&str, &str, &[&str])] = &[
    (ADMIN, "May do everything.", &["*"]),
    (
        "catalog-manager",
        "Looks after products, prices, promotions and stock.",
        &[
            "catalog:write",
            "inventory:read",
            "inventory:write",
            "pricing:read",
            "pricing:write",
            "reviews:moderate",
            "reviews:write",
        ],
    ),
    (
        "fulfilment",
        "Sends orders out.",
        &[
            "orders:read",
            "orders:write",
            "inventory:read",
            "inventory:write",
            "payments:read",
            "payments:write",
            "shipping:read",
            "shipping:write",
        ],
    ),
    (
        "support",
        "Helps customers with their orders.",
        &[
            "orders:read",
            "orders:write",
            "payments:read",
            "credit:read",
            "pricing:read",
            "shipping:read",
            "reviews:moderate",
            "wishlists:read",
            "customers:read",
            "customers:write",
            "notifications:read",
            "notifications:write",
        ],
    ),
    (
        "privacy-officer",
        "Answers requests to export or erase somebody's data.",
        &["customers:read", "customers:write", "customers:erase"],
    ),
];

/// Checks permissions as a caller sent them: `*`, or `service:verb`.
pub fn check_permissions(permissions: &[String]) -> Result<(), Rejection> {
    if permissions.is_empty() || permissions.len() > 100 {
        let detail = "must have 1 to 100 permissions";
        return Err(Rejection::invalid("permissions", detail));
    }
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
    };
    for (i, permission) in permissions.iter().enumerate() {
        let good = permission == "*"
            || permission.len() <= 64
                && permission
                    .split_once(':')
                    .is_some_and(|(service, verb)| word(service) && word(verb));
        if !good {
            let detail = "must be like `catalog:write`, or `*` for all";
            return Err(Rejection::invalid(format!("permissions[{i}]"), detail));
        }
    }
    Ok(())
}

/// Refuses to give what the giver does not have.
pub fn may_give(giver: &[String], permissions: &[String]) -> Result<(), Rejection> {
    let has = |wanted: &String| giver.iter().any(|p| p == "*" || p == wanted);
    match permissions.iter().find(|wanted| !has(wanted)) {
        None => Ok(()),
        Some(missing) => Err(Rejection::forbidden(format!(
            "nobody can give (or take) what they do not have: this takes the permission `{missing}`"
        ))),
    }
}

/// A role.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Role {
    /// What it means, while it is defined.
    pub defined: Option<RoleDefined>,
}

/// What can be asked of a role.
pub enum RoleCommand {
    /// Let it mean this from now on.
    Define(RoleDefined),
    /// Take it away.
    Remove,
}

/// The rules of roles.
pub struct Roles;

impl Decider for Roles {
    const CATEGORY: &'static str = "role";
    type State = Role;
    type Command = RoleCommand;
    type Event = RoleEvent;

    fn decide(state: &Role, command: &RoleCommand) -> Result<Vec<RoleEvent>, Rejection> {
        match command {
            RoleCommand::Define(role) => {
                check(role)?;
                match &state.defined {
                    Some(old) if old == role => Ok(Vec::new()),
                    Some(old) if old.name == ADMIN => Err(admin_is_fixed()),
                    _ => Ok(vec![role.clone().into()]),
                }
            }
            RoleCommand::Remove => match &state.defined {
                None => Err(Rejection::not_found("role")),
                Some(role) if role.name == ADMIN => Err(admin_is_fixed()),
                Some(role) => Ok(vec![
                    RoleRemoved {
                        name: role.name.clone(),
                    }
                    .into(),
                ]),
            },
        }
    }

    fn evolve(state: &mut Role, event: &RoleEvent) {
        state.defined = match event {
            RoleEvent::Defined(role) => Some(role.clone()),
            RoleEvent::Removed(_) => None,
        };
    }
}

fn admin_is_fixed() -> Rejection {
    Rejection::conflict(
        "admin-role",
        "the role admin always exists and may do everything",
    )
}

fn check(role: &RoleDefined) -> Result<(), Rejection> {
    let name = &role.name;
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > 50 || !name.bytes().all(letters) {
        return Err(Rejection::invalid(
            "name",
            "must be 1 to 50 lower-case letters, digits or dashes",
        ));
    }
    if role.description.chars().count() > 500 {
        let detail = "must have at most 500 characters";
        return Err(Rejection::invalid("description", detail));
    }
    check_permissions(&role.permissions)?;
    if role.name != ADMIN && role.permissions.iter().any(|p| p == "*") {
        return Err(Rejection::unprocessable(
            "admin-role",
            "only the role admin may do everything; give that one, or name the permissions",
        )
        .field("permissions"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kernel::testing::given;

    use super::*;

    fn role(name: &str, permissions: &[&str]) -> RoleDefined {
        RoleDefined {
            name: name.into(),
            description: String::new(),
            permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
        }
    }

    #[test]
    fn roles_are_defined_changed_and_removed() {
        let mut packer = given::<Roles>([]);
        let define = |p: &[&str]| RoleCommand::Define(role("packer", p));
        assert_eq!(packer.when(define(&["orders:read"])).expect("new").len(), 1);
        assert!(
            packer
                .when(define(&["orders:read"]))
                .expect("same")
                .is_empty()
        );
        assert_eq!(
            packer.when(define(&["orders:write"])).expect("new").len(),
            1
        );
        packer.when(RoleCommand::Remove).expect("removed");
        assert!(packer.when(RoleCommand::Remove).is_err());
    }

    #[test]
    fn the_admin_role_cannot_be_weakened_or_copied() {
        let mut admin = given::<Roles>([]);
        admin
            .when(RoleCommand::Define(role(ADMIN, &["*"])))
            .expect("defined");
        let weaker = RoleCommand::Define(role(ADMIN, &["orders:read"]));
        assert_eq!(admin.when(weaker).expect_err("fixed").code, "admin-role");
        assert_eq!(
            admin.when(RoleCommand::Remove).expect_err("fixed").code,
            "admin-role"
        );
        let copy = RoleCommand::Define(role("boss", &["*"]));
        assert!(given::<Roles>([]).when(copy).is_err());
    }

    #[test]
    fn malformed_permissions_are_refused_and_named() {
        for bad in [
            "",
            "orders",
            "orders:",
            ":read",
            "Orders:Read",
            "a:b c",
            "**",
        ] {
            let command = RoleCommand::Define(role("packer", &["orders:read", bad]));
            let refused = given::<Roles>([]).when(command).expect_err(bad);
            assert_eq!(refused.field.as_deref(), Some("permissions[1]"), "{bad}");
        }
        for bad in ["", "Packer", "pa cker", &"p".repeat(51)] {
            let command = RoleCommand::Define(role(bad, &["orders:read"]));
            let refused = given::<Roles>([]).when(command).expect_err(bad);
            assert_eq!(refused.field.as_deref(), Some("name"), "{bad}");
        }
    }

    #[test]
    fn nobody_gives_what_they_do_not_have() {
        let some = |p: &[&str]| p.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        assert!(may_give(&some(&["*"]), &some(&["*", "a:b"])).is_ok());
        assert!(may_give(&some(&["a:b"]), &some(&["a:b"])).is_ok());
        assert!(may_give(&some(&["a:b"]), &some(&["*"])).is_err());
        assert!(may_give(&some(&["a:b"]), &some(&["a:b", "a:c"])).is_err());
    }

    #[test]
    fn the_first_roles_are_valid() {
        for (name, description, permissions) in FIRST_ROLES {
            let mut first = role(name, permissions);
            first.description = (*description).into();
            let defined = given::<Roles>([]).when(RoleCommand::Define(first));
            assert_eq!(defined.expect(name).len(), 1);
        }
    }
}
