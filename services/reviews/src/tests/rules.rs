use contracts::reviews::{Objection, ReviewStatus, WithdrawnBy, api::ReviewChange};
use kernel::testing::kinds;

use super::{customer, product, review, submit, world};
use crate::{
    author::{self, Author},
    commands::{Erase, Import, OnReview, Opine},
    opinion::{self, Opinion, Say},
    rating::Rating,
    review::{Ask, Review},
};

fn on(n: usize, ask: Ask) -> OnReview {
    OnReview::new(review(n), ask)
}

fn edit(n: usize, text: &str) -> Ask {
    Ask::Edit {
        customer: customer(n),
        change: ReviewChange {
            text: Some(text.into()),
            ..ReviewChange::default()
        },
        verified: false,
        publish_verified: false,
    }
}

fn opine(n: usize, say: Say) -> Opine {
    Opine {
        review: review(1),
        customer: customer(n),
        say,
    }
}

#[test]
fn given_nothing_when_submitted_then_it_waits_and_does_not_count() {
    let mut world = world();
    let (_, work) = world.run(&on(1, submit(1, 1, 4, false))).expect("accepted");
    assert_eq!(
        kinds(&work),
        ["reviews.author.wrote.v1", "reviews.review.submitted.v1"]
    );
    let state = world.state::<Review>("rev_1");
    assert_eq!(state.status, Some(ReviewStatus::Pending));
    assert_eq!(world.state::<Rating>("prd_1").count(), 0);
}

#[test]
fn given_a_buyer_s_review_to_be_published_at_once_then_it_counts_in_the_same_commit() {
    let mut world = world();
    let (_, work) = world.run(&on(1, submit(1, 1, 4, true))).expect("accepted");
    assert_eq!(
        kinds(&work)[1..],
        [
            "reviews.review.submitted.v1",
            "reviews.review.published.v1",
            "reviews.rating.changed.v1"
        ]
    );
    assert_eq!(world.state::<Rating>("prd_1").sum(), 4);
}

#[test]
fn given_a_review_when_written_again_then_the_second_is_refused_and_the_first_named() {
    let mut world = world();
    world.run(&on(1, submit(1, 1, 4, false))).expect("accepted");
    let refused = world.run(&on(1, submit(1, 1, 1, false))).map(drop);
    let refused = refused.expect_err("refused");
    assert_eq!(refused.code, "already-reviewed");
    assert_eq!(refused.extra.expect("more")["review_id"], "rev_1");
    // Once it is withdrawn, another one may be written.
    let withdraw = on(1, Ask::Withdraw(WithdrawnBy::Author));
    world.run(&withdraw).expect("accepted");
    world.run(&on(1, submit(1, 1, 1, false))).expect("accepted");
    let written = world.state::<Review>("rev_1").written.expect("written");
    assert_eq!((written.edition, written.rating), (2, 1));
}

#[test]
fn given_a_published_review_when_its_author_changes_it_then_it_waits_again() {
    let mut world = world();
    world.run(&on(1, submit(1, 1, 4, true))).expect("accepted");
    let stranger = world.run(&on(1, edit(2, "Mine now."))).map(drop);
    assert_eq!(stranger.expect_err("refused").code, "not-found");
    let (changed, _) = world
        .run(&on(1, edit(1, "Keeps the tea warm.")))
        .expect("accepted");
    assert!(!changed, "the same text is no change");
    world.run(&on(1, edit(1, "It broke."))).expect("accepted");
    assert_eq!(world.state::<Rating>("prd_1").count(), 0);
    assert_eq!(
        world.state::<Review>("rev_1").status,
        Some(ReviewStatus::Pending)
    );
    // A moderator who read the first edition does not publish the second.
    let unseen = world.run(&on(1, Ask::Publish { edition: 1 })).map(drop);
    assert_eq!(unseen.expect_err("refused").code, "edited-meanwhile");
    world
        .run(&on(1, Ask::Publish { edition: 2 }))
        .expect("accepted");
    assert_eq!(world.state::<Rating>("prd_1").count(), 1);
}

#[test]
fn given_a_published_review_when_taken_down_then_it_counts_no_more() {
    let mut world = world();
    world.run(&on(1, submit(1, 1, 4, true))).expect("accepted");
    let reject = |reason, note: Option<&str>| Ask::Reject {
        edition: 1,
        reason,
        note: note.map(str::to_owned),
    };
    let bare = world.run(&on(1, reject(Objection::Other, None))).map(drop);
    assert_eq!(bare.expect_err("refused").field.as_deref(), Some("note"));
    let reject = on(1, reject(Objection::Offensive, Some("Be kind.")));
    let (_, work) = world.run(&reject).expect("accepted");
    assert_eq!(
        kinds(&work),
        ["reviews.review.rejected.v1", "reviews.rating.changed.v1"]
    );
    assert!(world.run(&reject).expect("accepted").1.events.is_empty());
}

#[test]
fn only_a_published_review_is_answered() {
    let mut world = world();
    let reply = |text: &str| on(1, Ask::Reply(text.into()));
    let unknown = world.run(&reply("Thanks!")).map(drop).expect_err("refused");
    assert_eq!(unknown.code, "not-found");
    world.run(&on(1, submit(1, 1, 4, false))).expect("accepted");
    let early = world.run(&reply("Thanks!")).map(drop).expect_err("refused");
    assert_eq!(early.code, "not-published");
    world
        .run(&on(1, Ask::Publish { edition: 1 }))
        .expect("accepted");
    world.run(&reply("Thanks!")).expect("accepted");
    let again = world.run(&reply("Thanks!")).expect("accepted");
    assert!(again.1.events.is_empty());
    world.run(&on(1, Ask::RemoveReply)).expect("accepted");
    assert_eq!(world.state::<Review>("rev_1").reply, None);
}

#[test]
fn a_customer_has_one_vote_and_none_on_their_own() {
    let mut world = world();
    let vote = |n, helpful| opine(n, Say::Helpful(helpful));
    let early = world.run(&vote(2, Some(true))).map(drop);
    assert_eq!(early.expect_err("refused").code, "not-found");
    world.run(&on(1, submit(1, 1, 4, true))).expect("accepted");
    let own = world.run(&vote(1, Some(true))).map(drop);
    assert_eq!(own.expect_err("refused").code, "own-review");
    for (helpful, events) in [
        (Some(true), 1),
        (Some(true), 0),
        (Some(false), 1),
        (None, 1),
    ] {
        let (_, work) = world.run(&vote(2, helpful)).expect("accepted");
        assert_eq!(work.events.len(), events, "{helpful:?}");
    }
    let id = opinion::id(&review(1), &customer(2));
    assert_eq!(world.state::<Opinion>(&id).helpful, None);
}

#[test]
fn a_customer_reports_an_edition_once() {
    let mut world = world();
    world.run(&on(1, submit(1, 1, 4, true))).expect("accepted");
    let report = || {
        let say = Say::Report {
            edition: 0,
            person: "per_2".parse().expect("an id"),
            reason: Objection::Fake,
            note: None,
        };
        opine(2, say)
    };
    assert_eq!(world.run(&report()).expect("accepted").1.events.len(), 1);
    assert_eq!(world.run(&report()).expect("accepted").1.events.len(), 0);
    world.run(&on(1, edit(1, "It broke."))).expect("accepted");
    world
        .run(&on(1, Ask::Publish { edition: 2 }))
        .expect("accepted");
    assert_eq!(world.run(&report()).expect("accepted").1.events.len(), 1);
}

#[test]
fn given_reviews_of_a_person_when_erased_then_they_go_and_no_more_are_taken() {
    let mut world = world();
    world.run(&on(1, submit(1, 1, 4, true))).expect("accepted");
    world.run(&on(2, submit(1, 2, 5, true))).expect("accepted");
    world.run(&on(3, submit(2, 1, 2, true))).expect("accepted");
    let erase = Erase("per_1".parse().expect("an id"));
    world.run(&erase).expect("accepted");
    assert_eq!(world.state::<Rating>("prd_1").histogram, [0, 1, 0, 0, 0]);
    assert_eq!(world.state::<Rating>("prd_2").count(), 0);
    let again = world.run(&erase).expect("accepted");
    assert!(again.1.events.is_empty());
    for n in [1, 4] {
        let late = world.run(&on(n, submit(1, n, 4, false))).map(drop);
        assert_eq!(late.expect_err("refused").code, "erased");
    }
    // Somebody who never wrote anything: remembered all the same.
    let stranger = Erase("per_9".parse().expect("an id"));
    world.run(&stranger).expect("accepted");
    assert!(world.state::<Author>("per_9").erased);
}

#[test]
fn nobody_writes_without_end() {
    let full = author::State {
        reviews: (0..author::MOST).map(review).collect(),
        erased: false,
    };
    let person: kernel::PersonId = "per_1".parse().expect("an id");
    let write = |n| author::Command::Write(person.clone(), review(n));
    use kernel::Decider as _;
    let refused = Author::decide(&full, &write(author::MOST)).expect_err("refused");
    assert_eq!(refused.code, "too-many-reviews");
    assert!(Author::decide(&full, &write(0)).expect("known").is_empty());
}

#[test]
fn an_import_leaves_what_is_there_as_it_is() {
    let mut world = world();
    let new = |rating| {
        let Ask::Submit(mut new) = submit(1, 1, rating, true) else {
            panic!("a submission");
        };
        new.customer = None;
        new.source = Some("old-shop".into());
        new
    };
    let import = Import(vec![(review(1), new(5)), (review(2), new(3))]);
    assert_eq!(world.run(&import).expect("accepted").0, 2);
    let more = Import(vec![(review(2), new(1)), (review(3), new(3))]);
    assert_eq!(world.run(&more).expect("accepted").0, 1);
    let rating = world.state::<Rating>(product(1).as_str());
    assert_eq!(rating.histogram, [0, 0, 2, 0, 1]);
    let wrong = Import(vec![(review(4), new(3)), (review(5), new(9))]);
    assert!(world.run(&wrong).is_err());
    assert!(world.state::<Review>("rev_4").written.is_none());
}
