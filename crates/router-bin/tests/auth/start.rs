//! What the service starts with, and what it refuses to start with.

use crate::program::{Run, argument, file, router, router_with};
use crate::setup::KEYS;

/// Runs `config check` on a file.
fn check(folder: &str, text: &str) -> Run {
    let config = file(&format!("start/{folder}"), "router.toml", text);
    router(&["config", "check", "--config", argument(&config)], "")
}

/// Checks that a configuration is refused with these errors, in this order.
fn refused(folder: &str, text: &str, errors: &[&str]) {
    let run = check(folder, text);
    assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{run:?}");
    let lines: Vec<_> = run.stderr.lines().skip(1).collect();
    assert_eq!(lines.len(), errors.len(), "{}", run.stderr);
    for (line, expected) in lines.iter().zip(errors) {
        assert!(
            line.contains(expected),
            "`{line}` does not say `{expected}`"
        );
    }
}

#[test]
fn nobody_serves_other_machines_without_authentication() {
    let says = "is reachable from other machines";
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let variable = [("ROUTER_SERVER__LISTEN", address)];
        // First, as a service that starts does not end.
        router_with(&["config", "check"], &variable, b"").fails(78, says);
        let run = router(&["serve", "--listen", address], "");
        run.fails(78, says);
        run.fails(78, "--listen");
        run.fails(
            78,
            "set auth.mode to \"token\", \"jwt\" or \"trusted_proxy\", or listen on a loopback",
        );
        router_with(&["serve"], &variable, b"").fails(78, says);
    }
    refused(
        "open",
        "[server]\nlisten = '0.0.0.0:80'",
        &["router.toml:2:1: server.listen: 0.0.0.0:80 is reachable"],
    );
    for address in ["127.0.0.1:0", "127.9.9.9:0", "[::1]:0"] {
        let run = router_with(
            &["config", "check"],
            &[("ROUTER_SERVER__LISTEN", address)],
            b"",
        );
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{address}");
    }
}

#[test]
fn every_fault_of_the_tokens_is_told_at_once() {
    file("start/tokens", "short", "0123456789abcdef");
    file(
        "start/tokens",
        "spaces",
        "0123456789abcdef 0123456789abcdef",
    );
    file("start/tokens", "good", "0123456789abcdef0123456789abcdef\n");
    let text = "[auth]\nmode = 'token'\n\
        [[auth.tokens]]\nname = 'a'\nfile = 'short'\nscopes = ['ask']\n\
        [[auth.tokens]]\nname = 'a'\nfile = 'spaces'\nscopes = []\n\
        [[auth.tokens]]\nname = 'c'\nfile = 'gone'\nenv = 'GONE'\nscopes = ['ask']\n\
        [[auth.tokens]]\nname = 'd'\nscopes = ['ask']\n\
        [[auth.tokens]]\nname = 'e'\nenv = 'GONE'\nscopes = ['ask']\n\
        [[auth.tokens]]\nname = 'f'\nenv = 'ROUTER_TOKEN'\nscopes = ['ask']\n\
        [[auth.tokens]]\nname = 'g'\nfile = 'gone'\nscopes = ['ask']\n\
        [[auth.tokens]]\nname = 'h'\nfile = 'good'\nscopes = ['ask']\nuser_id = ''\n\
        [[auth.tokens]]\nname = 'i'\nfile = 'good'\nscopes = ['ask']\nuser_role = 'member'\n";
    refused(
        "tokens",
        text,
        &[
            "auth.tokens[0]: the token has 16 characters; it must have 32 to 1024; make a random one",
            "auth.tokens[1]: the token has a character other than",
            "auth.tokens[1].name: another token is named `a` too",
            "auth.tokens[1].scopes: the token allows nothing; give it one or more of ask, ask-for-anyone",
            "auth.tokens[2]: the secret is in `file` or in `env`, not in both",
            "auth.tokens[3]: the secret is missing; name its file with `file` or",
            "auth.tokens[4]: the environment variable GONE is not set",
            "auth.tokens[5]: `env` names ROUTER_TOKEN, and such variables hold settings",
            "auth.tokens[6]: ",
            "auth.tokens[7].user_id: is empty",
            "auth.tokens[8]: another entry has the same token",
            "auth.tokens[8].user_role: is the role of no user",
        ],
    );
    let run = check("tokens", text);
    assert!(!run.stderr.contains("0123456789abcdef"), "{}", run.stderr);
}

#[test]
fn what_is_no_token_at_all_is_told_by_its_number() {
    refused(
        "types",
        "[auth]\nmode = 'token'\n[[auth.tokens]]\nname = 'a'\nscopes = ['asks']\n\
         [[auth.tokens]]\nname = 'b'\nscopes = ['ask']\ntoken = 'secret'\n",
        &["auth.tokens: [0]: unknown variant `asks`"],
    );
    let run = check(
        "types",
        "[auth]\ntokens = [{ token = 'secret', scopes = [] }]",
    );
    run.fails(78, "unknown field `token`");
}

#[test]
fn settings_of_another_mode_are_refused() {
    file("start/modes", "good", "0123456789abcdef0123456789abcdef\n");
    let token = "[[auth.tokens]]\nname = 'a'\nfile = 'good'\nscopes = ['ask']\n";
    refused(
        "modes",
        &format!("[auth.jwt]\nissuer = 'i'\n[auth.trusted_proxy]\nfrom = ['127.0.0.1']\n{token}"),
        &[
            "router.toml:2:1: auth.jwt: has no effect with auth.mode \"none\"; set auth.mode to \"jwt\", or remove it",
            "auth.trusted_proxy: has no effect with auth.mode \"none\"",
            "router.toml:5:8: auth.tokens: has no effect with auth.mode \"none\"; set auth.mode to \"token\" or \"jwt\" or \"trusted_proxy\"",
        ],
    );
    refused(
        "empty",
        "[auth]\nmode = 'token'",
        &["auth.tokens: there is no token"],
    );
    refused(
        "jwt",
        "[auth]\nmode = 'jwt'",
        &["auth.jwt: says nowhere where its keys are; give one of key_file"],
    );
    refused(
        "proxy",
        "[auth]\nmode = 'trusted_proxy'",
        &[
            "auth.trusted_proxy.from: is empty",
            "auth.trusted_proxy.user_header: is missing",
        ],
    );
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let keys = KEYS;
    let jwt = |rest: &str| format!("[auth]\nmode = 'jwt'\n[auth.jwt]\n{rest}");
    for (folder, rest, says) in [
        (
            "hs",
            format!("algorithms = ['HS256']\nkey_file = '{keys}/rsa.pub'"),
            "auth.jwt.algorithms: names an algorithm that does not fit the key",
        ),
        (
            "mixed",
            format!("algorithms = ['RS256', 'HS256']\nkey_file = '{keys}/rsa.pub'"),
            "auth.jwt.algorithms: names an algorithm that does not fit",
        ),
        (
            "es",
            format!("algorithms = ['ES256']\nkey_file = '{keys}/rsa.pub'"),
            "auth.jwt.key_file: is a key for none of",
        ),
        (
            "private",
            format!("algorithms = ['RS256']\nkey_file = '{keys}/rsa.pem'"),
            "auth.jwt.key_file: is a private key",
        ),
        (
            "secret",
            format!("algorithms = ['HS256']\nsecret_file = '{keys}/rsa.pub'"),
            "auth.jwt.secret_file: the secret is a key in PEM form",
        ),
        (
            "none",
            format!("algorithms = ['none']\nkey_file = '{keys}/rsa.pub'"),
            "auth.jwt.algorithms: unknown variant `none`",
        ),
        (
            "empty",
            format!("key_file = '{keys}/rsa.pub'"),
            "auth.jwt.algorithms: is empty",
        ),
        (
            "two",
            format!(
                "algorithms = ['RS256']\nkey_file = '{keys}/rsa.pub'\njwks_url = 'https://id.example.org/'"
            ),
            "auth.jwt: says in 2 places",
        ),
        (
            "http",
            "algorithms = ['RS256']\njwks_url = 'http://id.example.org/'".to_owned(),
            "auth.jwt.jwks_url: `http://` lets anyone on the way replace the keys",
        ),
    ] {
        let run = check(folder, &jwt(&rest));
        run.fails(78, says);
    }
}

#[test]
fn no_command_shows_a_secret() {
    let secret = "0123456789abcdef0123456789abcdef0123";
    file("start/secrets", "token", secret);
    let config = file(
        "start/secrets",
        "router.toml",
        "[auth]\nmode = 'jwt'\n[auth.jwt]\nalgorithms = ['HS256']\nsecret_env = 'JWT_SECRET'\n\
         [[auth.tokens]]\nname = 'ops'\nfile = 'token'\nscopes = ['admin']\n",
    );
    let environment = [("JWT_SECRET", secret)];
    for command in [
        &["config", "show"][..],
        &["config", "check"],
        &["config", "schema"],
    ] {
        let arguments = [command, &["--config", argument(&config)]].concat();
        let run = router_with(&arguments, &environment, b"");
        assert!(!run.output().contains(secret));
        assert!(!run.stderr.contains(secret));
    }
    let shown = router(&["config", "show", "--config", argument(&config)], "");
    let again = file("start/shown", "router.toml", shown.output());
    let arguments = ["config", "check", "--config", argument(&again)];
    let run = router_with(&arguments, &environment, b"");
    assert_eq!(run.output(), "ok\n");
}

#[test]
fn the_examples_of_the_documentation_can_be_pasted() {
    let documentation = include_str!("../../../../docs/configuration.md");
    let blocks = documentation.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let examples: Vec<_> = blocks.filter(|text| text.contains("[auth]")).collect();
    assert_eq!(examples.len(), 3, "one for each mode");
    std::fs::create_dir_all(concat!(
        env!("CARGO_TARGET_TMPDIR"),
        "/start/examples/secrets"
    ))
    .expect("a folder");
    for name in ["assistant", "anna", "operator"] {
        let secret = format!("secrets/{name}");
        file("start/examples", &secret, name.repeat(8));
    }
    for example in examples {
        let config = file("start/examples", "router.toml", example);
        let authority = format!("{KEYS}/authority.crt");
        let run = router_with(
            &["config", "check", "--strict", "--config", argument(&config)],
            &[("SSL_CERT_FILE", &authority)],
            b"",
        );
        assert_eq!(run.output(), "ok\n", "{example}");
    }
}
