//! The service on a real store: what its read model shows, and whom its routes refuse.

use std::{path::Path, sync::Arc};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use contracts::wishlists::WishlistId;
use kernel::{App, Context, Decide};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use tower::ServiceExt as _;
use wishlists::{
    queries,
    wishlist::{Command, Wishlist},
};

async fn start(data: &Path) -> (Runtime, App) {
    let config = RuntimeConfig::embedded(data, Arc::new(SystemClock), Arc::new(RandomIds))
        .expect("a key ring");
    let runtime = Runtime::start(config, vec![wishlists::service().module])
        .await
        .expect("started");
    let app = runtime.app("wishlists").expect("the service runs");
    (runtime, app)
}

async fn create(app: &App, name: &str) -> WishlistId {
    let id = WishlistId::generate(app.ids());
    let create = Command::Create {
        id: id.clone(),
        name: name.into(),
    };
    app.execute(
        &Context::default(),
        Decide::<Wishlist>::new(id.as_str(), create),
    )
    .await
    .expect("created");
    id
}

async fn names(app: &App) -> Vec<String> {
    let rows = app.query(queries::page(None, 10)).await.expect("answered");
    let views = rows.iter().filter_map(queries::view);
    views.map(|view| view.name).collect()
}

#[tokio::test]
async fn what_was_created_is_listed_also_after_a_restart() {
    let data = tempfile::tempdir().expect("a folder");
    let (runtime, app) = start(data.path()).await;
    let first = create(&app, "First").await;
    create(&app, "Second").await;
    assert_eq!(names(&app).await, ["First", "Second"]);
    runtime.shutdown().await;

    let (runtime, app) = start(data.path()).await;
    assert_eq!(names(&app).await, ["First", "Second"]);
    let state = app
        .state::<Wishlist>(first.as_str())
        .await
        .expect("answered");
    assert_eq!(state.state.name.as_deref(), Some("First"));
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_caller_who_is_nobody_is_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let (runtime, app) = start(data.path()).await;
    let router = wishlists::service().routes.into_router(app, Arc::default());
    let request = Request::get("/api/wishlists").body(Body::empty());
    let answer = router.oneshot(request.expect("a request")).await;
    let status = answer.expect("an answer").status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    runtime.shutdown().await;
}
