//! The solver against brute force: every answer about generated conditions is compared with what their evaluation says.

mod generate;
mod independent;
mod judge;
mod nested;
mod opaque;
