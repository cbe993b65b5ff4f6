//! Read models: the lists of staff, roles and API keys. No personal data: names and addresses of
//! staff are read from their streams.

use contracts::identity::{ApiKeyEvent, RoleEvent, StaffEvent};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// Who is on the staff.
pub fn staff() -> Projection {
    Projection::own(
        "staff",
        1,
        &["staff"],
        "CREATE TABLE staff (id TEXT PRIMARY KEY)",
        |event, out| {
            if let Some(StaffEvent::Added(added)) = event.decode::<StaffEvent>()?.as_deref() {
                out.push(sql!(
                    "INSERT INTO staff (id) VALUES ($1) ON CONFLICT (id) DO NOTHING",
                    &added.user_id
                ));
            }
            Ok(())
        },
    )
}

/// Which roles there are.
pub fn roles() -> Projection {
    Projection::own(
        "roles",
        1,
        &["roles"],
        "CREATE TABLE roles (
            name TEXT PRIMARY KEY,
            description TEXT NOT NULL,
            permissions TEXT NOT NULL
        )",
        |event, out| {
            match event.decode::<RoleEvent>()?.as_deref() {
                Some(RoleEvent::Defined(role)) => out.push(sql!(
                    "INSERT INTO roles (name, description, permissions) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO UPDATE SET
                     description = excluded.description, permissions = excluded.permissions",
                    &role.name,
                    &role.description,
                    json_list(&role.permissions)
                )),
                Some(RoleEvent::Removed(role)) => {
                    out.push(sql!("DELETE FROM roles WHERE name = $1", &role.name));
                }
                None => {}
            }
            Ok(())
        },
    )
}

/// Which API keys there are.
pub fn api_keys() -> Projection {
    Projection::own(
        "api_keys",
        1,
        &["api_keys"],
        "CREATE TABLE api_keys (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            permissions TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT,
            revoked BIGINT NOT NULL
        )",
        apply_api_key,
    )
}

fn apply_api_key(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    match event.decode::<ApiKeyEvent>()?.as_deref() {
        Some(ApiKeyEvent::Issued(key)) => out.push(sql!(
            "INSERT INTO api_keys (id, name, permissions, created_at, expires_at, revoked)
             VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (id) DO NOTHING",
            &key.key_id,
            &key.name,
            json_list(&key.permissions),
            event.at,
            key.expires_at
        )),
        Some(ApiKeyEvent::Revoked(key)) => out.push(sql!(
            "UPDATE api_keys SET revoked = 1 WHERE id = $1",
            &key.key_id
        )),
        None => {}
    }
    Ok(())
}

fn json_list(list: &[String]) -> String {
    serde_json::json!(list).to_string()
}
