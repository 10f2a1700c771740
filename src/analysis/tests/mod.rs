//! The solver against brute force: every answer about generated conditions is compared with what their evaluation says.

mod generate;
mod hostile;
mod independent;
mod judge;
mod laws;
mod nested;
mod opaque;
