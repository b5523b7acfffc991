//! What the store keeps, gives back and refuses, on real SQLite files.

mod damage;
mod night;
mod opening;
mod past;
mod people;
mod world;
