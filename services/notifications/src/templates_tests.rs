use std::path::PathBuf;

use serde_json::json;

use super::*;

fn templates(own: Option<PathBuf>) -> Templates {
    Templates::new(&Config {
        templates: own,
        ..Config::default()
    })
}

fn sample(kind: MessageKind, locale: &str) -> RenderedMessage {
    let written = templates(None).sample(kind, Some(locale));
    written.expect("it renders").rendered
}

#[test]
fn every_kind_reads_well_in_both_languages() {
    for kind in MessageKind::ALL {
        for locale in ["en", "de"] {
            let rendered = sample(kind, locale);
            let html = rendered.html.expect("mail has HTML");
            let text = format!("{}\n\n{}\n\n{html}", rendered.subject, rendered.text);
            insta::assert_snapshot!(format!("{}_{locale}", kind.as_str()), text);
        }
    }
}

#[test]
fn mail_needs_no_tables_no_style_sheets_and_nothing_from_elsewhere() {
    for kind in MessageKind::ALL {
        let rendered = sample(kind, "en");
        let html = rendered.html.expect("mail has HTML");
        for not in ["<table", "<style", "<link", "<script", "<img", "{{", "{%"] {
            assert!(!html.contains(not), "{} has {not}", kind.as_str());
        }
        assert!(!rendered.text.contains("<p") && !rendered.text.contains("&lt;"));
    }
}

#[test]
fn what_people_call_things_is_text_and_a_subject_is_one_line() {
    let values = |title: &str| {
        let mut values = samples::values(MessageKind::BackInStock);
        values["product"]["title"] = json!(title);
        values
    };
    let hostile = "<script>alert(1)</script>\r\nBcc: eve@example.org\r\n\r\n{{ links.main }}";
    let templates = templates(None);
    let written = templates.write(
        MessageKind::BackInStock,
        Channel::Email,
        None,
        &values(hostile),
    );
    let rendered = written.expect("it renders").rendered;
    assert!(
        !rendered.subject.contains(['\r', '\n']),
        "{}",
        rendered.subject
    );
    assert!(rendered.subject.contains("{{ links.main }}"));
    let html = rendered.html.expect("mail has HTML");
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    assert!(
        rendered.text.contains("<script>"),
        "plain text is not escaped"
    );
    let long = "x".repeat(5_000);
    let written = templates.write(
        MessageKind::BackInStock,
        Channel::Email,
        None,
        &values(&long),
    );
    let subject = written.expect("it renders").rendered.subject;
    assert_eq!(subject.chars().count(), LONGEST_SUBJECT);
}

#[test]
fn the_nearest_language_is_taken_and_nothing_outside_the_folder() {
    let templates = templates(None);
    for (wanted, found) in [
        (Some("de-AT"), "de"),
        (Some("de"), "de"),
        (Some("fr"), "en"),
        (None, "en"),
        (Some("../../etc"), "en"),
        (Some(""), "en"),
    ] {
        assert_eq!(
            templates.nearest(MessageKind::Welcome, wanted),
            found,
            "{wanted:?}"
        );
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    folder
}

#[test]
fn a_shop_s_own_templates_stand_in_for_ours_file_by_file() {
    let own = folder(&[
        ("welcome/en/subject.txt", "Hi from {{ shop.name }}"),
        ("welcome/fr/subject.txt", "Bienvenue"),
        ("welcome/fr/body.txt", "Bonjour"),
        ("welcome/fr/body.html", "<p>Bonjour</p>"),
    ]);
    let templates = templates(Some(own.path().to_owned()));
    let en = templates
        .sample(MessageKind::Welcome, Some("en"))
        .expect("it renders");
    assert_eq!(en.rendered.subject, "Hi from Souk");
    assert!(en.rendered.text.contains("Your account at Souk is open"));
    let fr = templates
        .sample(MessageKind::Welcome, Some("fr-CA"))
        .expect("it renders");
    assert_eq!(
        (fr.locale.as_str(), fr.rendered.text.as_str()),
        ("fr", "Bonjour\n")
    );
    assert_eq!(templates.problems(MessageKind::Welcome).count(), 0);
}

#[test]
fn a_template_that_does_not_work_is_reported_and_ours_is_sent() {
    let own = folder(&[
        ("welcome/en/body.txt", "Hello {{ nmae }}"),
        ("order_shipped/de/body.html", "{% if %}"),
    ]);
    let templates = templates(Some(own.path().to_owned()));
    let problems: Vec<&String> = templates.problems(MessageKind::Welcome).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("welcome/en/body.txt:1"),
        "{problems:?}"
    );
    assert_eq!(templates.problems(MessageKind::OrderShipped).count(), 1);
    assert_eq!(templates.problems(MessageKind::OrderConfirmed).count(), 0);
    let written = templates
        .sample(MessageKind::Welcome, Some("en"))
        .expect("ours");
    assert!(written.problem.is_some());
    assert!(
        written
            .rendered
            .text
            .contains("Your account at Souk is open")
    );
}

#[test]
fn a_text_message_is_its_subject_and_a_link() {
    let values = samples::values(MessageKind::OrderShipped);
    let written = templates(None).write(MessageKind::OrderShipped, Channel::Sms, None, &values);
    let rendered = written.expect("it renders").rendered;
    assert_eq!(
        rendered.text,
        "Your order S-SAMPLE is on its way\nhttps://shop.example/orders/ord_sample"
    );
    assert_eq!(rendered.html, None);
}
