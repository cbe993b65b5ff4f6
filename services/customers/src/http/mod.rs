//! Routes on top, thin handlers in the files below. A customer's own routes and the staff's do the
//! same things to a [`Subject`], found in the token or in the path.

mod companies;
mod groups;
mod history;
mod privacy;
mod profile;
mod staff;
mod subject;

use web::Routes;

/// May see customers.
pub const READ: &str = "customers:read";
/// May change customers.
pub const WRITE: &str = "customers:write";
/// May erase customers.
pub const ERASE: &str = "customers:erase";

/// Every route with who may call it.
pub fn routes() -> Routes {
    let routes = profile::routes(Routes::new());
    let routes = history::routes(routes);
    let routes = privacy::routes(routes);
    let routes = groups::routes(routes);
    let routes = companies::routes(routes);
    staff::routes(routes)
}

#[cfg(test)]
mod tests {
    use web::Access;

    #[test]
    fn every_route_says_who_may_call_it_and_nobody_may_call_all() {
        let routes = super::routes();
        assert_eq!(routes.prefixes(), ["/api/customers"]);
        for (method, path, access) in routes.table() {
            let mine = path.starts_with("/api/customers/me");
            let good = match access {
                Access::Customer => mine,
                Access::Permission(p) => !mine && p.starts_with("customers:"),
                // Companies: of their members, and of the staff.
                Access::Owner(p) => path.contains("/companies") && p.starts_with("customers:"),
                Access::Public | Access::SignedIn => false,
            };
            assert!(good, "{method} {path}: {access:?}");
        }
    }
}
