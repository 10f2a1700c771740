//! The terminal: what goes to standard output, what goes to standard error, and how it may look.
//!
//! A reader that has seen enough closes the pipe. That is no failure: from then on the output is dropped, and the exit
//! status stays what the command found.

use std::io;
use std::io::BufWriter;
use std::io::ErrorKind;
use std::io::IsTerminal;
use std::io::Write;

use miette::Diagnostic;

use super::Failure;
use super::failure::reason;
use super::progress::Progress;
use crate::report::Look;
use crate::report::human;

/// Where a command writes.
pub struct Console {
    out: Pipe<Box<dyn Write>>,
    err: Pipe<Box<dyn Write>>,
    look: Look,
    err_look: Look,
    terminal: bool,
}

impl Console {
    /// The console of this process.
    pub fn new() -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let terminal = out.is_terminal();
        let look = look(terminal);
        let err_look = look_of(err.is_terminal(), look.width);
        Self { out: Pipe::new(Box::new(BufWriter::with_capacity(64 * 1024, out))), err: Pipe::new(Box::new(err)), look, err_look, terminal }
    }

    /// Standard output. It is buffered; [`Console::finish`] writes what is left.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// How text for people may look on standard output.
    pub fn look(&self) -> Look {
        self.look
    }

    /// Whether standard output is a terminal, which obeys what it is sent.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether nobody reads standard output any more.
    pub fn is_closed(&self) -> bool {
        self.out.closed
    }

    /// Writes a line to standard output.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn say(&mut self, line: impl AsRef<str>) -> Result<(), Failure> {
        writeln!(self.out, "{}", line.as_ref()).map_err(|error| unwritable(&error))
    }

    /// Writes to standard output with one of the functions of [`crate::report`].
    ///
    /// # Errors
    /// It cannot be written.
    pub fn show(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        write(&mut self.out).map_err(|error| unwritable(&error))
    }

    /// Writes a remark to standard error: something to know that is no result.
    pub fn remark(&mut self, line: impl AsRef<str>) {
        // What has been said so far stands above it, and where nothing can be written, there is nobody left to tell.
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{}", line.as_ref());
    }

    /// A line that says how far long work is.
    pub fn progress(&self, what: &'static str, unit: &'static str) -> Progress {
        Progress::new(what, unit)
    }

    /// Writes what kept the command from doing its work to standard error.
    pub fn fail(&mut self, error: &dyn Diagnostic) {
        let _ = self.out.flush();
        let text = human::failure(error, self.err_look);
        let _ = write!(self.err, "{text}");
    }

    /// Writes a drawing of a mistake to standard error.
    pub fn complain(&mut self, draw: impl FnOnce(Look) -> String) {
        let _ = self.out.flush();
        let _ = write!(self.err, "{}", draw(self.err_look));
    }

    /// Writes what is left in the buffer.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| unwritable(&error))
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(format!("standard output cannot be written: {}", reason(error))).help("check that the disk is not full")
}

fn look(terminal: bool) -> Look {
    let width = terminal_size::terminal_size().map_or(Look::PLAIN.width, |(width, _)| usize::from(width.0));
    look_of(terminal, if terminal { width } else { Look::PLAIN.width })
}

/// Colour only on a terminal, and never against the user's wish: <https://no-color.org>.
fn look_of(terminal: bool, width: usize) -> Look {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Look { colour: terminal && !unwanted && !dumb, width }
}

/// A writer that drops everything once its reader has gone.
struct Pipe<W> {
    inner: W,
    closed: bool,
}

impl<W: Write> Pipe<W> {
    fn new(inner: W) -> Self {
        Self { inner, closed: false }
    }

    fn unless_closed<T>(&mut self, instead: T, work: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.closed {
            return Ok(instead);
        }
        match work(&mut self.inner) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(instead)
            }
            outcome => outcome,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let mut pipe = Pipe::new(Gone);
        assert!(writeln!(pipe, "a").is_ok() && pipe.flush().is_ok() && writeln!(pipe, "b").is_ok());
        assert!(pipe.closed);
    }
}
