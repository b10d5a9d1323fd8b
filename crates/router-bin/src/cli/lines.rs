//! Filters: commands that map each line of standard input to a line of standard
//! output.

use std::io::{self, BufRead, BufReader, Read, Write};

use crate::exit::{Code, Failure, written};

/// The longest accepted line, which bounds the memory of a filter.
const MAX_LINE: usize = 16 << 20;
/// The size of the input and output buffers.
const CHUNK: usize = 64 << 10;

/// Maps each line of standard input to one line of standard output, and stops at
/// the first error: the lines written belong, one to one, to the lines before it.
pub(super) fn translate(
    line: impl FnMut(&str, &mut String) -> Result<(), String>,
) -> Result<(), Failure> {
    translate_between(io::stdin().lock(), io::stdout().lock(), line)
}

/// [`translate`] with any input and output. `line` appends its answer, without a
/// line end, to the string that it is given.
fn translate_between(
    input: impl Read,
    mut output: impl Write,
    mut line: impl FnMut(&str, &mut String) -> Result<(), String>,
) -> Result<(), Failure> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let mut raw = Vec::new();
    let mut answers = String::with_capacity(CHUNK);
    let mut number = 0_u64;
    let mut flush = |answers: &mut String| {
        let outcome = output.write_all(answers.as_bytes());
        answers.clear();
        outcome.and_then(|()| output.flush())
    };
    let ended = loop {
        // Flushes before it waits for input: an interactive caller waits for the
        // answer before it sends the next line.
        let must_read = !input.buffer().contains(&b'\n');
        if must_read || answers.len() >= CHUNK {
            match flush(&mut answers) {
                Ok(()) => {}
                failed => return written(failed),
            }
        }
        number += 1;
        raw.clear();
        match next_line(&mut input, &mut raw) {
            Ok(false) => break Ok(()),
            Ok(true) => {}
            Err(error) => {
                break Err(Failure::new(
                    Code::Io,
                    format_args!(
                        "cannot read standard input after line {}: {error}",
                        number - 1
                    ),
                ));
            }
        }
        let answered_before = answers.len();
        let answered = text(&raw).and_then(|text| line(text, &mut answers));
        if let Err(reason) = answered {
            answers.truncate(answered_before);
            break Err(Failure::new(
                Code::Data,
                format_args!("line {number}: {reason}"),
            ));
        }
        answers.push('\n');
    };
    written(flush(&mut answers)).and(ended)
}

/// Reads up to and including the next line end; false at the end of the input.
fn next_line(input: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<bool> {
    // Two more, for the line end of a line of exactly the maximum.
    let most = MAX_LINE as u64 + 2;
    Ok(input.by_ref().take(most).read_until(b'\n', raw)? > 0)
}

/// The text of a line, without its line end.
fn text(raw: &[u8]) -> Result<&str, String> {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > MAX_LINE {
        return Err("longer than 16 MiB; split the input into lines".to_owned());
    }
    std::str::from_utf8(line).map_err(|error| {
        let byte = error.valid_up_to() + 1;
        format!("not valid UTF-8 from byte {byte} on; convert the input to UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(line: &str, answer: &mut String) -> Result<(), String> {
        if line.contains('!') {
            answer.push_str("partial");
            return Err("no shouting".to_owned());
        }
        answer.push_str(&line.to_uppercase());
        Ok(())
    }

    fn check(input: &[u8], expected: &str, failure: Option<(Code, &str)>) {
        let mut output = Vec::new();
        let outcome = translate_between(input, &mut output, upper);
        assert_eq!(String::from_utf8_lossy(&output), expected);
        match (outcome, failure) {
            (Ok(()), None) => {}
            (Err(actual), Some((code, message))) => {
                assert_eq!(
                    (actual.code(), actual.to_string().as_str()),
                    (code, message)
                );
            }
            (actual, expected) => panic!("{actual:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn every_line_has_an_answer() {
        check(b"", "", None);
        check(b"a\nb\n", "A\nB\n", None);
        check(b"a\r\n\nb", "A\n\nB\n", None);
    }

    #[test]
    fn a_bad_line_ends_it_after_the_answers_before() {
        let bad = Some((Code::Data, "line 3: no shouting"));
        check(b"a\nb\nc!\nd\n", "A\nB\n", bad);
        let utf8 = "line 2: not valid UTF-8 from byte 2 on; convert the input to UTF-8";
        check(b"a\nb\xff\nc\n", "A\n", Some((Code::Data, utf8)));
    }

    #[test]
    fn the_longest_line_passes_and_a_longer_one_does_not() {
        let mut input = vec![b'x'; MAX_LINE];
        input.extend(b"\r\ny\n");
        let expected = input.to_ascii_uppercase();
        let expected = String::from_utf8(expected).unwrap().replace('\r', "");
        check(&input, &expected, None);
        input.insert(0, b'x');
        let long = "line 1: longer than 16 MiB; split the input into lines";
        check(&input, "", Some((Code::Data, long)));
    }

    /// Fails each write with this error.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_broken_pipe_is_a_quiet_end_and_a_full_disk_is_not() {
        let pipe = translate_between(&b"a\n"[..], Broken(io::ErrorKind::BrokenPipe), upper);
        assert!(pipe.is_ok());
        let disk = translate_between(&b"a\n"[..], Broken(io::ErrorKind::StorageFull), upper);
        assert_eq!(disk.unwrap_err().code(), Code::Io);
    }

    /// Yields one line a read, and records how many answers were written before.
    struct Dialogue<'a> {
        questions: Vec<&'static [u8]>,
        answers: &'a std::cell::Cell<usize>,
        seen: Vec<usize>,
    }

    impl Read for &mut Dialogue<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.seen.push(self.answers.get());
            let Some(question) = self.questions.pop() else {
                return Ok(0);
            };
            buffer[..question.len()].copy_from_slice(question);
            Ok(question.len())
        }
    }

    struct Counted<'a>(&'a std::cell::Cell<usize>);

    impl Write for Counted<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            self.0.set(self.0.get() + lines);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_answer_is_written_before_the_next_question_is_awaited() {
        let answers = std::cell::Cell::new(0);
        let mut dialogue = Dialogue {
            questions: vec![b"c\n", b"a\nb\n"],
            answers: &answers,
            seen: Vec::new(),
        };
        translate_between(&mut dialogue, Counted(&answers), upper).unwrap();
        assert_eq!(dialogue.seen, [0, 2, 3]);
    }
}
