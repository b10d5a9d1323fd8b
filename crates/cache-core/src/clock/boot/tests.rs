use std::cell::{Cell, RefCell};

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

/// A simulated machine.
#[derive(Default)]
struct Machine {
    awake: Cell<u64>,
    asleep: Cell<u64>,
    /// The wall clock at boot.
    wall: Cell<u64>,
    /// The time awake as the coarse clocks show it.
    ticked: Cell<u64>,
    /// Events that happen just before a reading, by the number of readings until then.
    before: RefCell<Vec<(u32, Event)>>,
    readings: Cell<u32>,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Runs(u64),
    Ticks,
    /// Waking ticks: the kernel updates all clocks together.
    Sleeps(u64),
    SetsWall(i64),
}

impl Machine {
    fn new() -> Self {
        let machine = Self::default();
        machine.awake.set(7 * SECOND);
        machine.ticked.set(7 * SECOND);
        machine.asleep.set(3 * SECOND);
        machine.wall.set(1_700_000_000 * SECOND);
        machine
    }

    fn happens(&self, event: Event) {
        match event {
            Event::Runs(by) => self.awake.set(self.awake.get() + by),
            Event::Ticks => self.ticked.set(self.awake.get()),
            Event::Sleeps(by) => {
                self.asleep.set(self.asleep.get() + by);
                self.ticked.set(self.awake.get());
            }
            Event::SetsWall(by) => self.wall.set(self.wall.get().wrapping_add_signed(by)),
        }
    }

    fn boot(&self) -> u64 {
        self.awake.get() + self.asleep.get()
    }
}

impl Clocks for Machine {
    fn read(&self, clock: ClockId) -> u64 {
        let reading = self.readings.replace(self.readings.get() + 1);
        self.before.borrow_mut().retain(|(at, event)| {
            if *at == reading {
                self.happens(*event);
            }
            *at > reading
        });
        match clock {
            ClockId::CLOCK_BOOTTIME => self.boot(),
            ClockId::CLOCK_MONOTONIC => self.awake.get(),
            ClockId::CLOCK_MONOTONIC_COARSE => self.ticked.get(),
            ClockId::CLOCK_REALTIME_COARSE => {
                self.wall.get() + self.asleep.get() + self.ticked.get()
            }
            other => panic!("{other} is not read"),
        }
    }
}

#[test]
fn exact_time_goes_on_in_sleep() {
    let machine = Machine::new();
    let origin = exact(&machine);
    machine.happens(Event::Sleeps(3_600 * SECOND));
    machine.happens(Event::Runs(SECOND));
    assert_eq!(exact(&machine).since(origin).as_nanos(), 3_601 * SECOND);
}

#[test]
fn rough_time_goes_on_in_sleep_and_heeds_no_wall_clock() {
    let machine = Machine::new();
    let asleep = Asleep::new();
    let bounds = || {
        let (earliest, latest) = asleep.bounds(&machine);
        (earliest.0, latest.0)
    };
    let boot = machine.boot();
    assert_eq!(bounds(), (boot, boot), "measured");
    assert_eq!(bounds(), (boot, boot + MARGIN), "known");
    machine.happens(Event::Sleeps(3_600 * SECOND));
    let boot = machine.boot();
    assert_eq!(bounds(), (boot, boot), "measured again");
    assert_eq!(bounds(), (boot, boot + MARGIN), "known again");
    machine.happens(Event::SetsWall(-86_400_000_000_000));
    assert_eq!(bounds(), (boot, boot));
    assert_eq!(bounds(), (boot, boot + MARGIN));
}

/// While the machine is awake and its clock is not set, bounds cost two coarse readings.
#[test]
fn rough_time_reads_the_exact_clocks_only_once() {
    let machine = Machine::new();
    let asleep = Asleep::new();
    for _ in 0..1_000 {
        machine.happens(Event::Runs(SECOND / 1_000));
        machine.happens(Event::Ticks);
        asleep.bounds(&machine);
    }
    assert_eq!(machine.readings.get(), 2 * 1_000 + 3);
}

/// The real clocks behave as the module documentation states.
#[test]
fn the_kernel_keeps_what_is_built_on() {
    for _ in 0..1_000 {
        let boot = exact(&Kernel);
        let (earliest, latest) = BootReading::bounds();
        assert!(earliest.0 <= exact(&Kernel).0 && boot.0 <= latest.0);
    }
    let ahead = ASLEEP.ahead.load(Ordering::Relaxed);
    let wall = Kernel.read(ClockId::CLOCK_REALTIME);
    let awake = Kernel.read(ClockId::CLOCK_MONOTONIC);
    assert!(wall.wrapping_sub(awake).abs_diff(ahead) < 3_600 * SECOND);
}

fn event() -> impl Strategy<Value = Event> {
    // Sleeps and clock settings of whole seconds may cancel out; real ones do not, to the
    // nanosecond.
    prop_oneof![
        3 => (0..SECOND / 10).prop_map(Event::Runs),
        1 => (0..10 * SECOND).prop_map(Event::Runs),
        3 => Just(Event::Ticks),
        2 => (1..1_000_000 * SECOND).prop_map(|by| Event::Sleeps(by | 1)),
        1 => (-1_000_000..1_000_000_i64).prop_map(|by| Event::SetsWall(by * 2_000)),
    ]
}

proptest! {
    /// Whatever happens between or within readings, the present is between the bounds, if
    /// the kernel ticks in time.
    #[test]
    fn prop_the_present_lies_between_the_bounds(
        turns in prop::collection::vec(
            (prop::collection::vec(event(), 0..3), prop::collection::vec((0_u32..5, event()), 0..3)),
            1..20,
        ),
    ) {
        let machine = Machine::new();
        let asleep = Asleep::new();
        for (first, during) in turns {
            for event in first {
                machine.happens(event);
            }
            if machine.awake.get() - machine.ticked.get() > MARGIN - MAX_ERROR {
                machine.happens(Event::Ticks);
            }
            let from = machine.readings.get();
            *machine.before.borrow_mut() =
                during.into_iter().map(|(at, event)| (from + at, event)).collect();
            let began = machine.boot();
            let (earliest, latest) = asleep.bounds(&machine);
            prop_assert!(earliest.0 <= machine.boot(), "dated too late");
            prop_assert!(began <= latest.0, "dated too early");
            machine.before.borrow_mut().clear();
        }
    }
}
