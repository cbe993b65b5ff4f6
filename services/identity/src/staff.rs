//! A member of staff's account, and the circle of administrators that must never be empty.

use contracts::identity::{
    AdminEvent, AdminGranted, AdminWithdrawn, StaffAdded, StaffDisabled, StaffEnabled, StaffEvent,
    StaffRolesChanged, UserId,
};
use kernel::{Decider, Personal, Rejection};
use serde::{Deserialize, Serialize};

/// A member of staff.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Member {
    /// Their id, once added.
    pub id: Option<UserId>,
    /// Their address.
    pub email: Option<Personal<String>>,
    /// What they are called.
    pub name: Option<Personal<String>>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Whether they may sign in.
    pub active: bool,
}

/// What can be asked of a staff account.
pub enum StaffCommand {
    /// Add them.
    Add(StaffAdded),
    /// Give them exactly these roles.
    SetRoles(Vec<String>),
    /// Lock them out.
    Disable,
    /// Let them in again.
    Enable,
}

/// The rules of staff accounts.
pub struct Staff;

impl Decider for Staff {
    const CATEGORY: &'static str = "staff";
    type State = Member;
    type Command = StaffCommand;
    type Event = StaffEvent;

    fn decide(state: &Member, command: &StaffCommand) -> Result<Vec<StaffEvent>, Rejection> {
        let known = state.id.clone();
        let user_id = || known.ok_or_else(|| Rejection::not_found("member of staff"));
        Ok(match command {
            StaffCommand::Add(added) if state.id.is_none() => vec![added.clone().into()],
            StaffCommand::Add(_) => Vec::new(),
            StaffCommand::SetRoles(roles) => {
                let user_id = user_id()?;
                match *roles == state.roles {
                    true => Vec::new(),
                    false => vec![
                        StaffRolesChanged {
                            user_id,
                            roles: roles.clone(),
                        }
                        .into(),
                    ],
                }
            }
            StaffCommand::Disable => match (user_id()?, state.active) {
                (user_id, true) => vec![StaffDisabled { user_id }.into()],
                (_, false) => Vec::new(),
            },
            StaffCommand::Enable => match (user_id()?, state.active) {
                (user_id, false) => vec![StaffEnabled { user_id }.into()],
                (_, true) => Vec::new(),
            },
        })
    }

    fn evolve(state: &mut Member, event: &StaffEvent) {
        match event {
            StaffEvent::Added(added) => {
                *state = Member {
                    id: Some(added.user_id.clone()),
                    email: Some(added.email.clone()),
                    name: Some(added.name.clone()),
                    roles: added.roles.clone(),
                    active: true,
                };
            }
            StaffEvent::RolesChanged(changed) => state.roles = changed.roles.clone(),
            StaffEvent::Disabled(_) => state.active = false,
            StaffEvent::Enabled(_) => state.active = true,
        }
    }
}

/// The one stream of [`Admins`].
pub const ALL_ADMINS: &str = "souk";

/// Who may do everything and may sign in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AdminCircle {
    /// Never empty again once it was not.
    pub members: Vec<UserId>,
}

/// What can be asked of the circle.
pub enum AdminCommand {
    /// Let someone in.
    Grant(UserId),
    /// Take someone out.
    Withdraw(UserId),
}

/// The rules of the circle of administrators.
pub struct Admins;

impl Decider for Admins {
    const CATEGORY: &'static str = "admins";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = AdminCircle;
    type Command = AdminCommand;
    type Event = AdminEvent;

    fn decide(state: &AdminCircle, command: &AdminCommand) -> Result<Vec<AdminEvent>, Rejection> {
        Ok(match command {
            AdminCommand::Grant(user_id) if !state.members.contains(user_id) => {
                let user_id = user_id.clone();
                vec![AdminGranted { user_id }.into()]
            }
            AdminCommand::Withdraw(user_id) if state.members.contains(user_id) => {
                if state.members.len() == 1 {
                    return Err(Rejection::conflict(
                        "last-admin",
                        "this is the last administrator; make another one first",
                    ));
                }
                let user_id = user_id.clone();
                vec![AdminWithdrawn { user_id }.into()]
            }
            _ => Vec::new(),
        })
    }

    fn evolve(state: &mut AdminCircle, event: &AdminEvent) {
        match event {
            AdminEvent::Granted(granted) => state.members.push(granted.user_id.clone()),
            AdminEvent::Withdrawn(gone) => state.members.retain(|id| *id != gone.user_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Event, testing::given};

    use super::*;

    fn added() -> StaffCommand {
        let person: kernel::PersonId = "per_1".parse().expect("an id");
        StaffCommand::Add(StaffAdded {
            user_id: "usr_1".parse().expect("an id"),
            email: Personal::new(person.clone(), "ann@example.org".into()),
            name: Personal::new(person, "Ann".into()),
            roles: vec!["support".into()],
        })
    }

    #[test]
    fn locking_out_and_letting_in_again() {
        let mut staff = given::<Staff>([]);
        assert!(staff.when(StaffCommand::Disable).is_err(), "nobody yet");
        staff.when(added()).expect("added");
        assert!(staff.when(added()).expect("nothing").is_empty());
        assert!(staff.state.active);
        staff.when(StaffCommand::Disable).expect("disabled");
        assert!(!staff.state.active);
        assert!(
            staff
                .when(StaffCommand::Disable)
                .expect("nothing")
                .is_empty()
        );
        staff.when(StaffCommand::Enable).expect("enabled");
        assert!(staff.state.active);
    }

    #[test]
    fn equal_roles_change_nothing() {
        let mut staff = given::<Staff>([]);
        staff.when(added()).expect("added");
        let same = StaffCommand::SetRoles(vec!["support".into()]);
        assert!(staff.when(same).expect("nothing").is_empty());
        let other = StaffCommand::SetRoles(vec!["fulfilment".into()]);
        let events = staff.when(other).expect("changed");
        assert_eq!(events[0].wire_name(), "identity.staff.roles_changed.v1");
    }

    #[test]
    fn the_last_administrator_stays() {
        let [ann, bob] = ["usr_1", "usr_2"].map(|id| id.parse::<UserId>().expect("an id"));
        let mut admins = given::<Admins>([]);
        admins
            .when(AdminCommand::Grant(ann.clone()))
            .expect("granted");
        let refused = admins.when(AdminCommand::Withdraw(ann.clone()));
        assert_eq!(refused.expect_err("the last one").code, "last-admin");
        admins
            .when(AdminCommand::Grant(bob.clone()))
            .expect("granted");
        admins
            .when(AdminCommand::Withdraw(ann))
            .expect("one is left");
        assert!(admins.when(AdminCommand::Withdraw(bob)).is_err());
    }
}
