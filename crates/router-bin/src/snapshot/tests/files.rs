//! Files that are damaged, foreign, newer, copied or shared.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A world whose former process has answered `a` and `b`, and written a snapshot.
fn world() -> World {
    let world = World::new();
    let process = world.start();
    assert!(!world.ask(&process, "a") && !world.ask(&process, "b"));
    process.snapshots.write(&process.router).unwrap();
    drop(process);
    world
}

#[track_caller]
fn is_cold(world: &World) {
    let process = world.start();
    assert!(!process.is_warm);
    assert!(!world.ask(&process, "a"));
}

#[test]
fn a_process_goes_on_with_the_answers_of_the_one_before() {
    let world = world();
    world.pass(None, seconds(60));
    let process = world.start();
    assert!(world.ask(&process, "a") && world.ask(&process, "b"));
    // Of 300 s, 60 have passed.
    world.pass(Some(&process), seconds(240));
    assert!(world.ask(&process, "a"));
    world.pass(Some(&process), Duration::from_nanos(1));
    assert!(!world.ask(&process, "a"));
}

#[test]
fn time_that_passes_while_a_process_starts_counts() {
    let world = world();
    let clock = ManualClock::new();
    let times = world.times(&clock);
    let provenance = Provenance {
        program: "1".to_owned(),
        source: "test".to_owned(),
    };
    let start = Start::open(&world.file(), provenance, MAX_DOWN, times).unwrap();
    let start = start.unwrap();
    let cache = CacheService::builder()
        .clock(Arc::new(clock.clone()))
        .scheme(Arc::new(Md5Scheme::with_secret(start.secret())))
        .build()
        .unwrap();
    clock.advance(seconds(200));
    world.pass(None, seconds(200));
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let source = Arc::new(world.source.clone());
    let router = Router::new(catalogue, detector, source, Arc::new(cache)).unwrap();
    let process = Process {
        snapshots: start.restore(&router),
        clock,
        router,
        is_warm: true,
    };
    assert!(world.ask(&process, "a"));
    world.pass(Some(&process), seconds(101));
    assert!(!world.ask(&process, "a"));
}

#[test]
fn a_changed_byte_or_a_missing_end_makes_the_start_cold() {
    for path in [World::file, World::journal] {
        let text = fs::read(path(&world())).unwrap();
        let places = (0..text.len()).step_by(text.len() / 25);
        for at in places.chain([text.len() - 1]) {
            let world = world();
            let text = fs::read(path(&world)).unwrap();
            let at = at.min(text.len() - 1);
            let mut changed = text.clone();
            changed[at] ^= 1;
            fs::write(path(&world), changed).unwrap();
            is_cold(&world);

            let world = self::world();
            let text = fs::read(path(&world)).unwrap();
            fs::write(path(&world), &text[..at.min(text.len() - 1)]).unwrap();
            is_cold(&world);
        }
        let world = world();
        fs::remove_file(path(&world)).unwrap();
        is_cold(&world);
    }
}

/// Replaces a text of the snapshot's head, with a sum that fits.
fn edited(world: &World, from: &str, to: &str) {
    let text = fs::read_to_string(world.file()).unwrap();
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from}");
    let foot = changed.trim_end().rfind('\n').unwrap() + 1;
    let (lines, foot) = changed.split_at(foot);
    let mut foot: serde_json::Value = serde_json::from_str(foot).unwrap();
    foot["md5"] = super::super::format::sum(lines.as_bytes()).into();
    fs::write(world.file(), format!("{lines}{foot}\n")).unwrap();
}

#[test]
fn what_another_made_is_ignored() {
    for (from, to) in [
        ("router snapshot", "other snapshot"),
        ("\"version\":1", "\"version\":2"),
        ("\"program\":\"1\"", "\"program\":\"2\""),
        ("\"source\":\"test\"", "\"source\":\"tests\""),
    ] {
        let world = world();
        edited(&world, from, to);
        is_cold(&world);
    }
    // The sum is right in all of them: this is taken.
    let world = world();
    edited(&world, "\"age\":0", "\"age\": 0");
    assert!(world.start().is_warm);
    assert!(
        world
            .start_as("another")
            .is_some_and(|process| !process.is_warm)
    );
    for text in ["", "\n", "{}\n", "x"] {
        let world = self::world();
        fs::write(world.file(), text).unwrap();
        is_cold(&world);
    }
}

#[test]
fn an_older_copy_of_either_file_is_not_taken() {
    let mut world = world();
    let old = [World::file, World::journal].map(|path| fs::read(path(&world)).unwrap());
    let process = world.start();
    world.change(&process, "a", everything_of("a"));
    process.snapshots.write(&process.router).unwrap();
    drop(process);
    let new = [World::file, World::journal].map(|path| fs::read(path(&world)).unwrap());
    for (snapshot, journal) in [(&old[0], &new[1]), (&new[0], &old[1])] {
        fs::write(world.file(), snapshot).unwrap();
        fs::write(world.journal(), journal).unwrap();
        is_cold(&world);
    }
}

#[test]
fn after_a_crash_of_the_machine_the_start_is_cold_and_after_a_stop_it_is_not() {
    for stopped in [false, true] {
        let mut world = World::new();
        let process = world.start();
        world.ask(&process, "a");
        if stopped {
            process.snapshots.stop(&process.router).unwrap();
        } else {
            process.snapshots.write(&process.router).unwrap();
        }
        drop(process);
        world.boot += 1;
        assert_eq!(world.start().is_warm, stopped);
    }
}

/// The start after an orderly stop is on the disk before a request is answered: else the
/// journal would still end with the stop, and seem to lack nothing.
#[test]
fn a_power_cut_after_a_warm_start_brings_nothing_back() {
    let mut world = world();
    let process = world.start();
    process.snapshots.stop(&process.router).unwrap();
    drop(process);
    let process = world.start();
    assert!(process.is_warm && world.ask(&process, "a"));
    world.change(&process, "a", everything_of("a"));
    drop(process);
    world.cut_power(0);
    is_cold(&world);
}

#[test]
fn two_processes_do_not_share_the_files() {
    let world = world();
    let first = world.start();
    assert!(first.is_warm);
    assert!(world.start_as("test").is_none());
    drop(first);
    assert!(world.start().is_warm);
}

#[test]
fn only_the_owner_may_read_the_files() {
    let world = world();
    for path in [world.file(), world.journal()] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_forgotten_user_is_in_no_file() {
    let world = world();
    let process = world.start();
    fs::write(world.folder.path().join("snapshot.new"), "\"b\"").unwrap();
    assert!(texts(&world).contains("\"b\""));
    process.router.cache().invalidate(&everything_of("b"));
    process.snapshots.record(&[everything_of("b")]).unwrap();
    process.snapshots.forget(&process.router).unwrap();
    assert!(!texts(&world).contains("\"b\""), "{}", texts(&world));
    assert!(texts(&world).contains("\"a\""));
    drop(process);
    let process = world.start();
    assert!(world.ask(&process, "a") && !world.ask(&process, "b"));
}

/// Lets every later write to the journal fail, as on a full disk.
fn break_journal(process: &Process) {
    let full = fs::OpenOptions::new().append(true).open("/dev/full");
    let mut state = process.snapshots.state();
    state.journal.as_mut().unwrap().write_to(full.unwrap());
}

/// A journal that cannot be written takes the snapshot with it, so that no restart
/// undoes an invalidation.
#[test]
fn without_a_journal_there_is_no_snapshot() {
    let mut world = world();
    let process = world.start();
    break_journal(&process);
    let begun = process.snapshots.begin();
    assert!(begun.is_err());
    world.change(&process, "a", everything_of("a"));
    assert!(!world.file().exists());
    // The next snapshot comes with a new journal.
    assert!(!world.ask(&process, "a"));
    process.snapshots.write(&process.router).unwrap();
    world.change(&process, "b", everything_of("b"));
    drop(process);
    let process = world.start();
    assert!(process.is_warm);
    assert!(world.ask(&process, "a") && !world.ask(&process, "b"));
}

/// One that was being written when the journal failed does not take the place of the
/// one that was removed.
#[test]
fn a_snapshot_that_outlives_its_journal_is_not_published() {
    let mut world = world();
    let process = world.start();
    let begun = process.snapshots.begin().unwrap();
    process.snapshots.draw(&begun, &process.router).unwrap();
    break_journal(&process);
    world.change(&process, "a", everything_of("a"));
    let state = process.snapshots.state();
    assert!(process.snapshots.publish(&state, &begun).is_err());
    drop(state);
    drop(process);
    is_cold(&world);
}

#[test]
fn a_journal_that_grows_too_long_takes_the_snapshot_with_it() {
    let mut world = world();
    let process = world.start();
    let long = Selector::Tag("x".repeat(1 << 20));
    while process.snapshots.state().journal.is_some() {
        process
            .snapshots
            .record(std::slice::from_ref(&long))
            .unwrap();
    }
    assert!(!world.file().exists());
    world.change(&process, "a", everything_of("a"));
    drop(process);
    is_cold(&world);
}

/// A process that starts and ends before it serves is no sign of life.
#[test]
fn failed_starts_do_not_extend_the_time_without_a_process() {
    let world = world();
    for attempt in 0..6 {
        world.pass(None, MAX_DOWN * 2 / 5);
        assert_eq!(world.start().is_warm, attempt < 2, "{attempt}");
    }
}

/// After a journal could not be shortened, its file may be unlinked: nothing may go
/// there.
#[test]
fn a_journal_that_cannot_be_shortened_takes_the_snapshot_with_it() {
    let mut world = world();
    let process = world.start();
    let blocked = world.folder.path().join("snapshot.journal.new");
    fs::create_dir(&blocked).unwrap();
    process.snapshots.write(&process.router).unwrap_err();
    assert!(!world.file().exists());
    world.change(&process, "a", everything_of("a"));
    fs::remove_dir(&blocked).unwrap();
    drop(process);
    let process = world.start();
    assert!(!world.ask(&process, "a"));
}
