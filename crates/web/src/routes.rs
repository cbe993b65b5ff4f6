//! A service's routes as a table: path, who may call, handler, documentation, in one place. There
//! is no way to add a route without saying who may call it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    http::{Method, StatusCode},
    middleware::from_fn_with_state,
    response::IntoResponse,
    routing::{MethodFilter, MethodRouter, on},
};
use kernel::{App, Module};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, OpenApi, Paths, Ref, RefOr, Required, Response, ResponsesBuilder,
        Schema,
        path::{OperationBuilder, ParameterBuilder, ParameterIn, PathItem},
        request_body::RequestBodyBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    Access, BODY_LIMIT, Problem, Verifier,
    auth::{Guard, enforce},
    freshness,
};

/// A whole service: what it is made of, and how it is reached.
pub struct Service {
    /// Deciders, projections, subscriptions, workers.
    pub module: Module,
    /// HTTP.
    pub routes: Routes,
}

/// Documentation of one route, filled in by the closure given beside the handler.
#[derive(Default)]
pub struct Doc {
    summary: String,
    description: Option<String>,
    body: Option<RefOr<Schema>>,
    answers: Vec<(u16, String, Option<RefOr<Schema>>)>,
    query: Vec<(&'static str, &'static str)>,
    idempotent: bool,
    schemas: Vec<(String, RefOr<Schema>)>,
    limit: Option<usize>,
}

impl Doc {
    /// One line: what the route does.
    pub fn summary(mut self, text: &str) -> Self {
        self.summary = text.into();
        self
    }

    /// More about it.
    pub fn description(mut self, text: &str) -> Self {
        self.description = Some(text.into());
        self
    }

    /// The JSON body it takes.
    pub fn body<T: ToSchema>(mut self) -> Self {
        self.body = Some(self.named::<T>());
        self
    }

    /// A JSON answer.
    pub fn answer<T: ToSchema>(mut self, status: u16, text: &str) -> Self {
        let schema = self.named::<T>();
        self.answers.push((status, text.into(), Some(schema)));
        self
    }

    /// An answer without a (JSON) body.
    pub fn answer_empty(mut self, status: u16, text: &str) -> Self {
        self.answers.push((status, text.into(), None));
        self
    }

    /// A query parameter.
    pub fn query(mut self, name: &'static str, text: &'static str) -> Self {
        self.query.push((name, text));
        self
    }

    /// `limit` and `cursor`.
    pub fn paged(self) -> Self {
        self.query("limit", "1 to 200, 50 unless given")
            .query("cursor", "next_cursor of the page before")
    }

    /// It honours `Idempotency-Key`.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// It takes a larger (or only a smaller) body than [`BODY_LIMIT`], in bytes.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limit = Some(bytes);
        self
    }

    fn named<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        T::schemas(&mut self.schemas);
        self.schemas.push((name.clone(), T::schema()));
        RefOr::Ref(Ref::from_schema_name(name))
    }
}

/// Adds a route's method to its path, guarded.
type Mount = Box<dyn FnOnce(&mut MethodRouter<App>, &App, &Arc<Verifier>) + Send>;

struct Route {
    path: &'static str,
    method: Method,
    access: Access,
    make: Mount,
    doc: Doc,
}

/// The table of a service's routes.
#[derive(Default)]
pub struct Routes {
    routes: Vec<Route>,
    shared: Vec<Share>,
}

type Share = Box<dyn FnOnce(Router<App>) -> Router<App> + Send>;

macro_rules! method {
    ($(#[$doc:meta])* $name:ident, $method:ident) => {
        $(#[$doc])*
        pub fn $name<H, T>(self, path: &'static str, access: Access, handler: H, doc: impl FnOnce(Doc) -> Doc) -> Self
        where
            H: Handler<T, App>,
            T: 'static,
        {
            self.add(Method::$method, MethodFilter::$method, path, access, handler, doc(Doc::default()))
        }
    };
}

impl Routes {
    /// No routes yet.
    pub fn new() -> Self {
        Self::default()
    }

    method!(
        /// `GET path`. Paths are absolute: `/api/<service>/…`; parameters as `{id}`.
        get, GET
    );
    method!(
        /// `POST path`.
        post, POST
    );
    method!(
        /// `PUT path`.
        put, PUT
    );
    method!(
        /// `PATCH path`.
        patch, PATCH
    );
    method!(
        /// `DELETE path`.
        delete, DELETE
    );

    fn add<H, T>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        access: Access,
        handler: H,
        doc: Doc,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let limit = doc.limit.unwrap_or(BODY_LIMIT);
        let make = Box::new(
            move |router: &mut MethodRouter<App>, app: &App, verifier: &Arc<Verifier>| {
                let guard = Guard {
                    access,
                    app: app.clone(),
                    verifier: verifier.clone(),
                };
                let one = on(filter, handler)
                    .layer(DefaultBodyLimit::max(limit))
                    .layer(from_fn_with_state(guard, enforce));
                *router = std::mem::take(router).merge(one);
            },
        );
        self.routes.push(Route {
            path,
            method,
            access,
            make,
            doc,
        });
        self
    }

    /// Gives every handler of the table a value of the service's own (a configuration, a limiter),
    /// which it takes as `axum::Extension<T>`.
    pub fn share<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        let layer = move |router: Router<App>| router.layer(Extension(value));
        self.shared.push(Box::new(layer));
        self
    }

    /// Every route: method, path, access.
    pub fn table(&self) -> Vec<(Method, &'static str, Access)> {
        self.routes
            .iter()
            .map(|r| (r.method.clone(), r.path, r.access))
            .collect()
    }

    /// The paths' prefixes the gateway sends to this service: the first two segments
    /// (`/api/orders`) of each route.
    pub fn prefixes(&self) -> Vec<String> {
        let mut prefixes: Vec<String> = self
            .routes
            .iter()
            .map(|route| route.path.split('/').take(3).collect::<Vec<_>>().join("/"))
            .collect();
        prefixes.sort();
        prefixes.dedup();
        prefixes
    }

    /// The OpenAPI paths and schemas of this service.
    pub fn openapi(&self, service: &str) -> OpenApi {
        let mut paths = Paths::new();
        let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
        for route in &self.routes {
            let item = paths.paths.entry(route.path.to_owned()).or_default();
            *slot(item, &route.method) = Some(operation(service, route).build());
            schemas.extend(route.doc.schemas.iter().cloned());
        }
        let mut components = Components::new();
        components.schemas = schemas.into_iter().collect();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components
            .security_schemes
            .insert("bearer".into(), RefOr::T(SecurityScheme::Http(bearer)));
        let mut api = OpenApi::new(
            utoipa::openapi::Info::new("Souk", env!("CARGO_PKG_VERSION")),
            paths,
        );
        api.components = Some(components);
        api
    }

    /// The router that serves the table.
    pub fn into_router(self, app: App, verifier: Arc<Verifier>) -> Router {
        let mut by_path: BTreeMap<&'static str, MethodRouter<App>> = BTreeMap::new();
        for route in self.routes {
            (route.make)(by_path.entry(route.path).or_default(), &app, &verifier);
        }
        let mut router = Router::new();
        for (path, methods) in by_path {
            router = router.route(path, methods.fallback(method_not_allowed));
        }
        for share in self.shared {
            router = share(router);
        }
        router
            .fallback(not_found)
            .layer(axum::middleware::from_fn(freshness::scope))
            .with_state(app)
    }
}

async fn not_found() -> impl IntoResponse {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-route",
        "there is no such address; see /docs",
    )
}

async fn method_not_allowed() -> impl IntoResponse {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "this address does not take this method; see /docs",
    )
}

fn slot<'a>(
    item: &'a mut PathItem,
    method: &Method,
) -> &'a mut Option<utoipa::openapi::path::Operation> {
    match method.as_str() {
        "POST" => &mut item.post,
        "PUT" => &mut item.put,
        "PATCH" => &mut item.patch,
        "DELETE" => &mut item.delete,
        _ => &mut item.get,
    }
}

fn operation(service: &str, route: &Route) -> OperationBuilder {
    let doc = &route.doc;
    let who = match route.access {
        Access::Public => "Anyone may call this.".to_owned(),
        Access::Permission(p) => format!("Needs the permission `{p}`."),
        Access::Customer => "For signed-in customers.".to_owned(),
        Access::Owner(p) => {
            format!("For its owner (customer or guest access token), or with the permission `{p}`.")
        }
        Access::SignedIn => "For anyone signed in.".to_owned(),
    };
    let description = match &doc.description {
        Some(text) => format!("{text}\n\n{who}"),
        None => who,
    };
    let mut operation = OperationBuilder::new()
        .tag(service)
        .summary(Some(doc.summary.clone()))
        .description(Some(description));
    for name in route
        .path
        .split('/')
        .filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
    {
        operation = operation.parameter(parameter(name, ParameterIn::Path, "", Required::True));
    }
    for (name, text) in &doc.query {
        operation = operation.parameter(parameter(name, ParameterIn::Query, text, Required::False));
    }
    if doc.idempotent {
        let text = "Makes it safe to send the request again: 1 to 255 visible characters, new for each new request.";
        operation = operation.parameter(parameter(
            "Idempotency-Key",
            ParameterIn::Header,
            text,
            Required::False,
        ));
    }
    if let Some(body) = &doc.body {
        let content = Content::new(Some(body.clone()));
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let mut responses = ResponsesBuilder::new();
    for (status, text, schema) in &doc.answers {
        let mut response = Response::new(text.clone());
        if let Some(schema) = schema {
            response.content.insert(
                "application/json".into(),
                RefOr::T(Content::new(Some(schema.clone()))),
            );
        }
        responses = responses.response(status.to_string(), response);
    }
    let mut problem = Response::new("Problem document (RFC 9457)");
    problem.content.insert(
        "application/problem+json".into(),
        RefOr::T(Content::new(Some(String::schema()))),
    );
    operation = operation.responses(responses.response("default", problem).build());
    match route.access {
        Access::Public => operation,
        _ => operation.security(SecurityRequirement::new("bearer", Vec::<String>::new())),
    }
}

fn parameter(name: &str, place: ParameterIn, text: &str, required: Required) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description((!text.is_empty()).then_some(text))
        .schema(Some(String::schema()))
}
