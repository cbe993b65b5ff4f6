//! Style sheet, scripts and pictures of the pages themselves, built into the binary. Their address
//! holds a fingerprint of their content, so browsers may keep them for ever.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets"]
struct Files;

/// The address of a file.
pub fn address(file: &str) -> String {
    let version = Files::get(file).map_or(0, |found| fingerprint(&found.data));
    format!("/assets/{version:016x}/{file}")
}

/// A fingerprint of content; tells versions apart, proves nothing.
pub fn fingerprint(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

/// `GET /assets/{version}/{file}`. An old version's address gets today's file: pages that are
/// still open elsewhere keep working, but nothing is remembered under the wrong name.
pub async fn serve(Path((version, file)): Path<(String, String)>) -> Response {
    let Some(found) = Files::get(&file) else {
        return (StatusCode::NOT_FOUND, "no such file").into_response();
    };
    let kind = match file.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let current = format!("{:016x}", fingerprint(&found.data)) == version;
    let caching = match current {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, caching),
    ];
    (headers, found.data).into_response()
}
