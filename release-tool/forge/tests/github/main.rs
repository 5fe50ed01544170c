//! GitHub's answers as its documentation shows them, and everything that a server can do instead.

mod server;

use serde_json::{Value, json};
use server::{Answer, Server};
use std::time::{Duration, Instant};
use vrel_forge::{ForgeLimits, Github, Token};
use vrel_model::{CheckState, ForgeConfig, ReviewState};
use vrel_world::{ErrorKind, Forge, Interrupt, RealWorld, Result, World};

const TIP: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const SECRET: &str = "ghp_notARealToken0123456789";

fn config(address: &str) -> ForgeConfig {
    let text = format!("kind = 'github'\nrepository = 'octocat/Hello-World'\napi-url = '{address}'");
    vrel_model::toml_file::parse(std::path::Path::new("vrel.toml"), &text).unwrap()
}

fn quick() -> ForgeLimits {
    ForgeLimits {
        answer: Duration::from_millis(1500),
        pause: Duration::from_millis(10),
        patience: Duration::from_secs(2),
        length: 1 << 20,
        ..ForgeLimits::default()
    }
}

/// Asks a server that answers as the script says.
fn asking<T>(
    script: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
    ask: impl FnOnce(&Github<'_>) -> Result<T>,
) -> (Result<T>, Server) {
    let server = Server::start(script);
    let world = RealWorld::default();
    let token = Some(Token::new(SECRET).unwrap());
    let forge = Github::new(&world, &config(&server.address), token, quick()).unwrap();
    let answer = ask(&forge);
    (answer, server)
}

fn user(login: &str) -> Value {
    json!({"login": login, "id": 1, "node_id": "MDQ6VXNlcjE=", "type": "User", "site_admin": false})
}

/// From "Get a pull request".
fn pull() -> Value {
    json!({
        "url": "https://api.github.com/repos/octocat/Hello-World/pulls/1347", "id": 1, "number": 1347, "state": "open",
        "locked": true, "title": "Amazing new feature", "user": user("octocat"), "body": "Please pull these in!",
        "html_url": "https://github.com/octocat/Hello-World/pull/1347", "created_at": "2011-01-26T19:01:12Z",
        "draft": false, "merged": false, "mergeable": true, "rebaseable": true, "mergeable_state": "clean",
        "requested_reviewers": [user("other_user")], "requested_teams": [{"id": 1, "name": "Justice League", "slug": "justice-league"}],
        "head": {"label": "octocat:new-topic", "ref": "new-topic", "sha": TIP, "user": user("octocat")},
        "base": {"label": "octocat:master", "ref": "master", "sha": TIP, "user": user("octocat")},
        "author_association": "OWNER", "auto_merge": null,
    })
}

/// From "List reviews for a pull request".
fn review(login: &str, state: &str, association: &str, at: &str) -> Value {
    json!({
        "id": 80, "node_id": "MDE3OlB1bGxSZXF1ZXN0UmV2aWV3ODA=", "user": user(login), "body": "Here is the body.",
        "state": state, "html_url": "https://github.com/octocat/Hello-World/pull/12#pullrequestreview-80",
        "submitted_at": at, "commit_id": TIP, "author_association": association,
    })
}

/// From "List check runs for a Git reference".
fn run(name: &str, status: &str, conclusion: Option<&str>) -> Value {
    json!({
        "id": 4, "head_sha": TIP, "external_id": "", "url": "https://api.github.com/repos/github/hello-world/check-runs/4",
        "html_url": "https://github.com/github/hello-world/runs/4", "status": status, "conclusion": conclusion,
        "started_at": "2018-05-04T01:14:52Z", "completed_at": conclusion.map(|_| "2018-05-04T01:14:52Z"), "name": name,
        "app": {"id": 1, "slug": "octoapp"},
    })
}

#[test]
fn a_pull_request_is_read_with_the_token_and_the_version_that_the_shapes_are_of() {
    let (found, server) = asking(|_, _| Answer::json(pull()), |forge| forge.pull_request(1347));
    let found = found.unwrap();
    assert_eq!(
        (found.number, found.author.as_str(), found.head.as_str()),
        (1347, "octocat", "new-topic")
    );
    assert_eq!(
        (found.commit.as_str(), found.base.as_str(), found.mergeable),
        (TIP, "master", Some(true))
    );
    assert!(found.is_open && !found.is_draft);
    assert_eq!(found.asked, ["other_user", "justice-league"]);
    let asked = &server.asked()[0];
    assert_eq!(asked.path, "/repos/octocat/Hello-World/pulls/1347");
    assert_eq!(
        asked.header("authorization"),
        Some(format!("Bearer {SECRET}").as_str())
    );
    assert_eq!(asked.header("x-github-api-version"), Some("2022-11-28"));
}

#[test]
fn a_deleted_author_and_an_undecided_merge_are_no_errors() {
    let mut answer = pull();
    answer["user"] = Value::Null;
    answer["mergeable"] = Value::Null;
    let found = asking(move |_, _| Answer::json(&answer), |forge| forge.pull_request(1))
        .0
        .unwrap();
    assert_eq!((found.author.as_str(), found.mergeable), ("ghost", None));
}

#[test]
fn pull_requests_of_a_branch_are_found_whatever_it_is_called() {
    let (found, server) = asking(
        |_, _| Answer::json(json!([{"number": 9, "title": "b"}, {"number": 7, "title": "a"}])),
        |forge| forge.open_pull_requests("release/0.6&x=#1", "main"),
    );
    assert_eq!(found.unwrap(), [7, 9]);
    assert_eq!(
        server.asked()[0].path,
        "/repos/octocat/Hello-World/pulls?state=open&head=octocat%3Arelease/0.6%26x%3D%231&base=main&per_page=100&page=1"
    );
}

#[test]
fn reviews_come_from_all_pages_and_programs_and_passers_by_decide_nothing() {
    let script = |path: &str, _: usize| {
        if path.ends_with("page=1") {
            let mut program = review("bot[bot]", "APPROVED", "MEMBER", "2019-11-17T17:43:43Z");
            program["user"]["type"] = json!("Bot");
            let mut unsent = review("me", "PENDING", "OWNER", "2019-11-17T17:43:43Z");
            unsent.as_object_mut().unwrap().remove("submitted_at");
            Answer::json(json!([
                review("later", "APPROVED", "COLLABORATOR", "2019-11-19T17:43:43Z"),
                review("stranger", "APPROVED", "CONTRIBUTOR", "2019-11-17T17:43:43Z"),
                program,
                unsent,
            ]))
            // The address of the next page is the server's to choose. It is not followed: the token stays here.
            .with(
                "Link",
                "<http://elsewhere.example.org/?page=2>; rel=\"next\", <http://x/>; rel=\"last\"",
            )
        } else {
            Answer::json(json!([
                review("first", "CHANGES_REQUESTED", "OWNER", "2019-11-16T17:43:43Z"),
                review("first", "DISMISSED", "OWNER", "2019-11-18T17:43:43Z"),
            ]))
            .with("Link", "<http://x/?page=1>; rel=\"prev\"")
        }
    };
    let (found, server) = asking(script, |forge| forge.reviews(12));
    let found = found.unwrap();
    let told: Vec<(&str, ReviewState, bool)> = found
        .iter()
        .map(|review| (review.person.as_str(), review.state, review.may_decide))
        .collect();
    assert_eq!(
        told,
        [
            ("first", ReviewState::ChangesRequested, true),
            ("stranger", ReviewState::Approved, false),
            ("bot[bot]", ReviewState::Approved, false),
            ("first", ReviewState::Dismissed, true),
            ("later", ReviewState::Approved, true),
        ]
    );
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn check_runs_and_statuses_are_one_list() {
    let script = |path: &str, _: usize| {
        if path.contains("/check-runs?") {
            Answer::json(json!({"total_count": 7, "check_runs": [
                run("ok", "completed", Some("success")), run("skipped", "completed", Some("skipped")),
                run("neutral", "completed", Some("neutral")), run("red", "completed", Some("timed_out")),
                run("asks", "completed", Some("action_required")), run("runs", "in_progress", None),
                run("waits", "queued", None),
            ]}))
        } else {
            let status = |context: &str, state: &str| {
                json!({"context": context, "state": state, "target_url": format!("https://ci.example.com/{context}"),
                       "description": "…", "updated_at": "2012-07-20T01:19:13Z"})
            };
            Answer::json(
                json!({"state": "failure", "sha": TIP, "total_count": 3, "statuses": [
                    status("s-ok", "success"), status("s-error", "error"), status("s-pending", "pending"),
                ]}),
            )
        }
    };
    let found = asking(script, |forge| forge.checks(TIP)).0.unwrap();
    let told: Vec<(&str, CheckState, &str, bool)> = found
        .iter()
        .map(|check| {
            (
                check.name.as_str(),
                check.state,
                check.said.as_str(),
                check.ended.is_some(),
            )
        })
        .collect();
    use CheckState::{Failed, Passed, Pending};
    assert_eq!(
        told,
        [
            ("asks", Failed, "action_required", true),
            ("neutral", Passed, "neutral", true),
            ("ok", Passed, "success", true),
            ("red", Failed, "timed_out", true),
            ("runs", Pending, "in_progress", false),
            ("s-error", Failed, "error", true),
            ("s-ok", Passed, "success", true),
            ("s-pending", Pending, "pending", false),
            ("skipped", Passed, "skipped", true),
            ("waits", Pending, "queued", false),
        ]
    );
    assert_eq!(found[5].url.as_deref(), Some("https://ci.example.com/s-error"));
}

#[test]
fn half_a_list_is_no_list() {
    let short = |path: &str, _: usize| {
        if path.contains("/check-runs?") {
            Answer::json(json!({"total_count": 2, "check_runs": [run("ok", "completed", Some("success"))]}))
        } else {
            Answer::json(json!({"state": "success", "total_count": 0, "statuses": []}))
        }
    };
    let error = asking(short, |forge| forge.checks(TIP)).0.unwrap_err();
    assert!(error.reason.contains("there are 2, and sent 1"), "{error}");
    let endless = |_: &str, _: usize| Answer::json(json!([])).with("Link", "<http://x/>; rel=\"next\"");
    let (error, server) = asking(endless, |forge| forge.reviews(1));
    assert!(error.unwrap_err().reason.contains("more than 50 pages"));
    assert_eq!(server.asked().len(), 50);
}

/// Asks for a pull request and gets an error.
fn refused(
    script: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
) -> (vrel_world::WorldError, usize) {
    let (answer, server) = asking(script, |forge| forge.pull_request(1));
    let error = answer.unwrap_err();
    assert!(
        !error.to_string().contains(SECRET) && !format!("{error:?}").contains(SECRET),
        "{error}"
    );
    assert!(error.object.contains("octocat/Hello-World"), "{error}");
    (error, server.asked().len())
}

#[test]
fn refusals_say_what_to_do_and_are_not_repeated() {
    for (status, kind, expected) in [
        (
            401,
            ErrorKind::Denied,
            "Said so; the token is wrong, or it has expired",
        ),
        (403, ErrorKind::Denied, "the token must be allowed to read"),
        (404, ErrorKind::NotFound, "the token does not show it"),
        (422, ErrorKind::Other, "answered 422: Said so"),
    ] {
        let (error, asked) = refused(move |_, _| Answer::status(status, "Said so"));
        assert_eq!((error.kind, asked), (kind, 1), "{error}");
        assert!(error.reason.contains(expected), "{error}");
    }
    let moved = |_: &str, _: usize| {
        Answer::status(301, "Moved Permanently").with("Location", "http://127.0.0.1:9/repositories/1")
    };
    let (error, asked) = refused(moved);
    assert!(
        asked == 1 && error.reason.contains("`[forge]` of vrel.toml"),
        "{error}"
    );
}

#[test]
fn a_server_that_repeats_the_token_does_not_get_it_printed() {
    let (error, _) = refused(|_, _| Answer::status(401, &format!("bad: Bearer {SECRET}\u{1b}[2J")));
    assert!(error.reason.contains("Bearer [token]"), "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
}

#[test]
fn a_server_that_recovers_is_asked_again_and_one_that_does_not_a_few_times() {
    let script = |_: &str, before: usize| match before {
        0 => Answer::status(502, "Server Error"),
        1 => Answer::status(429, "slow down").with("Retry-After", "0"),
        _ => Answer::json(pull()),
    };
    let (found, server) = asking(script, |forge| forge.pull_request(1));
    assert_eq!((found.unwrap().number, server.asked().len()), (1347, 3));
    let (error, asked) = refused(|_, _| Answer::status(503, "Unavailable"));
    assert!(
        asked == 3 && error.reason.ends_with("answered 503: Unavailable, 3 times"),
        "{error}"
    );
}

#[test]
fn a_limit_is_told_with_its_end_and_not_waited_for() {
    let reset = RealWorld::default().now().unix() + 3000;
    let primary = move |_: &str, _: usize| {
        Answer::status(403, "API rate limit exceeded for user ID 1.")
            .with("X-RateLimit-Remaining", "0")
            .with("X-RateLimit-Reset", reset)
    };
    let begin = Instant::now();
    let (error, asked) = refused(primary);
    let end = vrel_model::UtcTime::from_unix(reset).unwrap();
    assert!(
        asked == 1 && error.reason.contains(&format!("try again after {end}")),
        "{error}"
    );
    let (error, asked) =
        refused(|_, _| Answer::status(403, "secondary rate limit").with("Retry-After", "600"));
    assert!(
        asked == 1 && error.reason.contains("try again after 20"),
        "{error}"
    );
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn nobody_waits_for_a_server_that_does_not_answer_or_does_not_end() {
    let silent = |_: &str, _: usize| Answer {
        silent: true,
        ..Answer::json("")
    };
    let (error, asked) = refused(silent);
    assert!(
        asked == 3 && error.reason.contains("no whole answer in 1.5 seconds"),
        "{error}"
    );
    let long = |_: &str, _: usize| Answer::json(json!({"title": "x".repeat(2 << 20)}));
    let (error, _) = refused(long);
    assert!(error.reason.contains("length limit exceeded"), "{error}");
    let (error, asked) = refused(|_, _| Answer::json("<html>hello</html>"));
    assert!(
        asked == 1 && error.reason.contains("not what a forge says"),
        "{error}"
    );
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // A port that was free a moment ago.
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let world = RealWorld::default();
    let forge = Github::new(&world, &config(&address), None, quick()).unwrap();
    let error = forge.pull_request(1).unwrap_err();
    assert!(
        error.reason.contains(&address) && error.reason.ends_with("3 times"),
        "{error}"
    );
}

#[test]
fn who_stops_the_program_is_not_kept_waiting() {
    let server = Server::start(|_, _| Answer {
        silent: true,
        ..Answer::json("")
    });
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let limits = ForgeLimits {
        answer: Duration::from_secs(20),
        ..quick()
    };
    let forge = Github::new(&world, &config(&server.address), None, limits).unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        interrupt.set();
    });
    let begin = Instant::now();
    assert_eq!(forge.pull_request(1).unwrap_err().kind, ErrorKind::Interrupted);
    assert!(begin.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_token_goes_to_no_address_that_others_can_listen_at() {
    let world = RealWorld::default();
    for address in [
        "http://api.github.com",
        "ftp://127.0.0.1",
        "https://u:p@api.github.com",
        "https://api.github.com?x=1",
        "api.github.com",
        "http://127.0.0.1.example.org",
    ] {
        let made = Github::new(&world, &config(address), None, quick());
        assert!(made.is_err(), "{address}");
    }
    for address in [
        "https://api.github.com",
        "https://forge.example.org/api/v3/",
        "http://127.0.0.1:1",
    ] {
        let made = Github::new(&world, &config(address), None, quick());
        assert!(made.is_ok(), "{address}");
    }
}
