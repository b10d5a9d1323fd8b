//! What `config check` warns of.

use crate::check;
use crate::program::{argument, file, router};

#[test]
fn warnings_do_not_fail() {
    let run = check(
        "open",
        "[server]\nlisten = '0.0.0.0:80'\n[cache.classes.livedata]\nttl = '1s'\n\
         [auth]\nmode = 'trusted_proxy'\n\
         trusted_proxy = { from = ['10.0.0.0/8'], user_header = 'X-User' }\n",
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
    let warnings: Vec<_> = run.stderr.lines().collect();
    assert_eq!(warnings.len(), 2, "{}", run.stderr);
    assert!(warnings[0].starts_with(
        "warning: server.listen: 0.0.0.0:80 is reachable from other machines, and what is sent"
    ));
    assert!(warnings[1].starts_with("warning: cache.classes.livedata: no intent"));

    let run = check(
        "admin",
        "[server.admin]\nlisten = '[::]:80'\n[auth]\nmode = 'trusted_proxy'\n\
         trusted_proxy = { from = ['10.0.0.0/8'], user_header = 'X-User' }\n",
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
    assert!(
        run.stderr
            .starts_with("warning: server.admin.listen: [::]:80 is reachable"),
        "{}",
        run.stderr
    );

    let run = check(
        "detections",
        "[cache.classes.intent_routing]\nttl = '1s'\njitter = 0.5\nnegative_ttl = '1s'\nearly_refresh = 1\n",
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
    let warnings: Vec<_> = run.stderr.lines().collect();
    assert_eq!(warnings.len(), 2, "{}", run.stderr);
    assert!(warnings[0].starts_with("warning: cache.classes.intent_routing.negative_ttl: "));
    assert!(warnings[1].starts_with("warning: cache.classes.intent_routing.early_refresh: "));
}

/// A catalogue with a phrase of two intents, an intent that cannot
/// be found, and few examples.
const DOUBTFUL: &str = "\
[[intent]]
name = 'loans'
kind = 'knowledge_base'
phrases = ['my books', 'my loans']

[[intent]]
name = 'books'
kind = 'knowledge_base'
phrases = [
    'my books',
    'new books',
]

[[intent]]
name = 'hours'
kind = 'knowledge_base'
phrases = [{ text = 'open', weight = 0.2 }]
";

#[test]
fn a_doubtful_catalogue_is_warned_about_with_file_and_line() {
    let intents = file("doubtful", "intents.toml", DOUBTFUL);
    let run = check("doubtful", "[catalogue]\nfile = 'intents.toml'\n");
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
    let place = format!("warning: {}:", intents.display());
    let warnings: Vec<_> = run.stderr.lines().collect();
    let expect = [
        "1:1: intent[0] \"loans\": has 0 examples; about 10 are needed",
        "6:1: intent[1] \"books\": has 0 examples",
        "10:5: intent[1] \"books\" phrases[0]: phrase \"my books\" has the same weight in intent \"loans\" on line 4",
        "14:1: intent[2] \"hours\": cannot be detected by its phrases: their total weight is 0.20",
        "14:1: intent[2] \"hours\": has 0 examples",
    ];
    assert_eq!(warnings.len(), expect.len(), "{}", run.stderr);
    for (warning, expect) in warnings.iter().zip(expect) {
        let told = warning.strip_prefix(&place);
        assert!(
            told.is_some_and(|told| told.starts_with(expect)),
            "{warning}"
        );
    }
}

#[test]
fn warnings_fail_where_that_is_asked_for() {
    let strictly = |toml: &str| {
        let path = file("strict", "router.toml", toml);
        let arguments = ["config", "check", "--strict", "--config", argument(&path)];
        router(&arguments, "")
    };
    let run = strictly("");
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "ok\n", "")
    );
    let run = strictly("[cache.classes.livedata]\n");
    assert_eq!((run.code, run.stdout.as_str()), (78, ""));
    let last = run.stderr.lines().last();
    assert_eq!(
        last,
        Some("error: 1 warning, which --strict treats as errors")
    );
    file("strict", "intents.toml", DOUBTFUL);
    let run = strictly("[catalogue]\nfile = 'intents.toml'\n");
    assert_eq!((run.code, run.stdout.as_str()), (78, ""));
    let last = run.stderr.lines().last();
    assert_eq!(
        last,
        Some("error: 5 warnings, which --strict treats as errors")
    );
}
