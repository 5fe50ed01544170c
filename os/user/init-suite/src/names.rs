//! A service that others find by its name.

use core::time::Duration;

use rt::io::ErrorKind;
use rt::names::{Answer, register, wait_for};

use crate::notes::note;

const NAME: &str = "init-suite.adder";

/// How long it may take until the service is there.
const PATIENCE: Duration = Duration::from_secs(15);

/// Requests.
const ADD: u32 = 1;
const END: u32 = 2;

/// Registers the name and adds one, until it is told to end.
pub(crate) fn adder(name: &str) -> u32 {
    note('+', name);
    let mut service = match register(NAME) {
        Ok(service) => service,
        Err(error) => {
            rt::println!("init-suite: {name}: {error}");
            return 1;
        }
    };
    loop {
        let mut is_over = false;
        let served = service.serve(|request| {
            is_over = request.label == END;
            Answer::words([request.words[0] + 1, 0, 0, 0])
        });
        if is_over || served.is_err() {
            return served.is_err().into();
        }
    }
}

/// Uses the service, ends it, and uses the next one, which the first process starts.
pub(crate) fn asker(name: &str) -> u32 {
    let asked = || {
        let adder = wait_for(NAME, PATIENCE)?;
        let sum = adder.call(ADD, [41, 0, 0, 0])?.words[0];
        adder.call(END, [0; 4])?;
        // It withdraws its name before it ends, and the answer is given before that.
        let gone = loop {
            match adder.call(ADD, [0; 4]) {
                Ok(_) => {}
                Err(error) => break error.kind(),
            }
        };
        let sum_of_next = wait_for(NAME, PATIENCE)?.call(ADD, [42, 0, 0, 0])?.words[0];
        Ok::<_, rt::io::Error>((sum, gone, sum_of_next))
    };
    match asked() {
        Ok((42, ErrorKind::BrokenPipe, 43)) => {
            note('+', name);
            0
        }
        other => {
            rt::println!("init-suite: {name}: {other:?}");
            1
        }
    }
}

/// Its file says nothing of names, so it may register none.
pub(crate) fn unnamed(name: &str) -> u32 {
    match register(NAME).map_err(|error| error.kind()) {
        Err(ErrorKind::PermissionDenied) => {
            note('+', name);
            0
        }
        other => {
            rt::println!("init-suite: {name}: {other:?}");
            1
        }
    }
}
