// SPDX-License-Identifier: Apache-2.0
//! payroll [FILE]: greets with $GREETING and adds up a payroll, whose lines
//! are a name and an amount, from a file or the standard input.
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Read};

fn text() -> io::Result<String> {
    match env::args().nth(1) {
        Some(path) => fs::read_to_string(path),
        None => {
            let mut s = String::new();
            io::stdin().read_to_string(&mut s)?;
            Ok(s)
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let greeting = env::var("GREETING").unwrap_or_else(|_| "hello".into());
    println!("{greeting} from Rust inside a Keep");
    let mut people: BTreeMap<String, i64> = BTreeMap::new();
    for line in text()?.lines() {
        let (name, amount) = line.split_once(' ').ok_or("not NAME AMOUNT")?;
        *people.entry(name.into()).or_default() += amount.trim().parse::<i64>()?;
    }
    println!("{} people earn {}", people.len(), people.values().sum::<i64>());
    Ok(())
}
