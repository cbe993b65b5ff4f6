//! Which service a path belongs to.

use std::collections::HashMap;

use utoipa::openapi::OpenApi;

/// A service as the gateway needs to know it.
#[derive(Clone)]
pub struct ServiceRoutes {
    /// Its name, as the upstream knows it.
    pub name: String,
    /// Its paths' first two segments, such as `/api/orders` (`web::Routes::prefixes`).
    pub prefixes: Vec<String>,
    /// Its API's description.
    pub openapi: OpenApi,
}

/// Prefix → service. A look-up costs one hash and allocates nothing.
pub struct Table {
    by_prefix: HashMap<String, usize>,
    names: Vec<String>,
}

impl Table {
    /// The table of these services. The first of two that claim one prefix has it.
    pub fn new(services: &[ServiceRoutes]) -> Self {
        let mut by_prefix = HashMap::new();
        for (index, service) in services.iter().enumerate() {
            for prefix in &service.prefixes {
                let owner = *by_prefix.entry(prefix.clone()).or_insert(index);
                if owner != index {
                    tracing::warn!(%prefix, service = %service.name, "another service has this prefix");
                }
            }
        }
        Self {
            by_prefix,
            names: services.iter().map(|s| s.name.clone()).collect(),
        }
    }

    /// The service of `path`, by its place in the list.
    pub fn find(&self, path: &str) -> Option<usize> {
        self.by_prefix.get(prefix(path)).copied()
    }

    /// The name of a service.
    pub fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The first two segments of a path: `/api/orders` of `/api/orders/ord_1/events`.
fn prefix(path: &str) -> &str {
    let mut slashes = path.match_indices('/').map(|(at, _)| at);
    slashes.nth(2).map_or(path, |end| &path[..end])
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::{Info, Paths};

    use super::*;

    fn service(name: &str, prefixes: &[&str]) -> ServiceRoutes {
        ServiceRoutes {
            name: name.into(),
            prefixes: prefixes.iter().map(|p| (*p).to_owned()).collect(),
            openapi: OpenApi::new(Info::new(name, "1"), Paths::new()),
        }
    }

    #[test]
    fn a_path_belongs_to_the_service_of_its_first_two_segments() {
        let table = Table::new(&[
            service("cart", &["/api/carts"]),
            service("catalog", &["/api/catalog", "/api/categories"]),
        ]);
        for (path, name) in [
            ("/api/carts", Some("cart")),
            ("/api/carts/", Some("cart")),
            ("/api/carts/crt_1/lines", Some("cart")),
            ("/api/catalog/products", Some("catalog")),
            ("/api/categories", Some("catalog")),
            ("/api/cartsx", None),
            ("/api", None),
            ("/api/", None),
            ("/", None),
            ("//api/carts", None),
        ] {
            let found = table.find(path).map(|index| table.name(index));
            assert_eq!(found, name, "{path}");
        }
    }
}
