//! The build script: puts all names of the places that are built in, in all their forms, into one
//! transducer, so that the program has them at hand when it starts.
//!
//! It is made of the program's own modules; of each it needs a part only.

#![allow(dead_code, unreachable_pub)]

mod classify {
    pub mod lexicon;
    pub mod words;
}
mod model {
    pub mod letters;
}
mod place {
    pub mod decline;
    pub mod naming;
    pub mod russian;
    pub mod tables;
}

use crate::classify::lexicon::Builder;
use crate::place::naming::names;
use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    for changed in ["build.rs", "place", "classify/lexicon.rs", "classify/words.rs", "model"] {
        println!("cargo::rerun-if-changed=src/{changed}");
    }
    let mut builder = Builder::default();
    for (name, naming) in names() {
        builder.add(&name, naming.to_bytes());
    }
    let lexicon = builder.build();
    let (words, meanings, beginnings) = lexicon.parts();
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join("names.fst"), words)?;
    fs::write(folder.join("names.meanings"), meanings.concat())?;
    fs::write(folder.join("names.beginnings"), beginnings)?;
    Ok(())
}
