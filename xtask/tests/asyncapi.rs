//! docs/asyncapi.json against AsyncAPI's own JSON schema, with a validator that is not ours: both
//! from npm, kept in a folder under the target directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What is installed: a validator, the formats it needs, and the specification's schemas.
const PACKAGES: [&str; 3] = ["ajv@8.17.1", "ajv-formats@3.0.1", "@asyncapi/specs@6.8.1"];

/// Prints each way in which the file named by the argument breaks the schema.
const VALIDATE: &str = r#"
const Ajv = require("ajv");
const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
require("ajv-formats")(ajv);
const valid = ajv.compile(require("@asyncapi/specs/schemas/3.0.0-without-$id.json"));
if (!valid(JSON.parse(require("fs").readFileSync(process.argv[2], "utf8")))) {
  for (const error of valid.errors.slice(0, 20)) console.log(error.instancePath, error.message);
  process.exit(1);
}
"#;

fn said(command: &mut Command, install: &str) -> Result<String, String> {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("cannot run {command:?} ({e}): install {install}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = text(&output.stdout) + &text(&output.stderr);
    if output.status.success() {
        Ok(all)
    } else {
        Err(all)
    }
}

/// The folder with the packages, installed the first time.
fn packages() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join("asyncapi-validator");
    let stamp = folder.join("installed");
    let wanted = PACKAGES.join(" ");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return folder;
    }
    fs::create_dir_all(&folder).expect("a folder");
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
    ])
    .args(PACKAGES)
    .current_dir(&folder);
    said(&mut npm, "Node.js with npm (Debian: nodejs, npm)")
        .unwrap_or_else(|said| panic!("npm cannot install {wanted}: {said}"));
    fs::write(folder.join("validate.cjs"), VALIDATE).expect("written");
    fs::write(stamp, wanted).expect("written");
    folder
}

fn validate(document: &Path) -> Result<String, String> {
    let folder = packages();
    let mut node = Command::new("node");
    node.arg("validate.cjs").arg(document).current_dir(&folder);
    said(&mut node, "Node.js")
}

#[test]
fn the_document_is_valid_asyncapi() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the root");
    let document = root.join("docs/asyncapi.json");
    validate(&document).unwrap_or_else(|wrong| panic!("docs/asyncapi.json is not valid:\n{wrong}"));
    // The validator does look.
    let text = fs::read_to_string(&document).expect("the document");
    let folder = tempfile::tempdir().expect("a folder");
    let spoilt = folder.path().join("spoilt.json");
    fs::write(
        &spoilt,
        text.replacen("\"action\": \"send\"", "\"action\": \"shout\"", 1),
    )
    .expect("written");
    let wrong = validate(&spoilt).expect_err("not valid");
    assert!(wrong.contains("action"), "{wrong}");
}
