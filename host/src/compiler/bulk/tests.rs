//! What is rewritten does what it did before.

use super::helper::{BYTES, ELEMENTS};
use super::in_pieces;
use super::module::rewritten;
use crate::sandbox::{Details, compiling_engine};
use crate::sections::sections;
use std::fmt::Write;
use wasmparser::{KnownCustom, Name, Parser, Payload, Validator};
use wasmtime::{Engine, Instance, Module, Store, Trap, Val};

/// Every instruction, over two memories and two tables, and what it leaves behind.
fn module() -> Vec<u8> {
    let data: String = (0..2 * BYTES + 5000)
        .map(|place| char::from(b'a' + (place % 23) as u8))
        .collect();
    let elements: String = (0..2 * ELEMENTS + 500)
        .map(|place| match place % 3 {
            0 => "(ref.func $one) ",
            1 => "(ref.null func) ",
            _ => "(ref.func $two) ",
        })
        .collect();
    let mut copies = String::new();
    for (to, from) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for (kind, name) in [("memory", "m"), ("table", "t")] {
            writeln!(
                copies,
                "(func (export \"{kind}.copy {to} {from}\") (param i32 i32 i32)
                  ({kind}.copy ${name}{to} ${name}{from}
                    (local.get 0) (local.get 1) (local.get 2)))"
            )
            .unwrap();
        }
    }
    let mut sums = String::new();
    for table in 0..2 {
        writeln!(
            sums,
            "(func (export \"sum {table}\") (result i32) (local $at i32) (local $sum i32)
              (loop $next
                (local.set $sum (i32.mul (local.get $sum) (i32.const 31)))
                (if (i32.eqz (ref.is_null (table.get $t{table} (local.get $at))))
                  (then (local.set $sum (i32.add (local.get $sum)
                    (call_indirect $t{table} (result i32) (local.get $at))))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (table.size $t{table}))))
              (local.get $sum))"
        )
        .unwrap();
    }
    wat::parse_str(format!(
        "(module
          (memory $m0 (export \"memory 0\") 20)
          (memory $m1 (export \"memory 1\") 12)
          (table $t0 20000 funcref)
          (table $t1 9000 funcref)
          (data $long \"{data}\")
          (data $short \"short\")
          (elem $many funcref {elements})
          (elem $few func $one $two)
          (func $one (result i32) (i32.const 1))
          (func $two (result i32) (i32.const 2))
          (func (export \"memory.fill\") (param i32 i32 i32)
            (memory.fill $m0 (local.get 0) (local.get 1) (local.get 2)))
          (func (export \"memory.init long\") (param i32 i32 i32)
            (memory.init $m1 $long (local.get 0) (local.get 1) (local.get 2)))
          (func (export \"memory.init short\") (param i32 i32 i32)
            (memory.init $m0 $short (local.get 0) (local.get 1) (local.get 2)))
          (func (export \"table.init many\") (param i32 i32 i32)
            (table.init $t0 $many (local.get 0) (local.get 1) (local.get 2)))
          (func (export \"table.init few\") (param i32 i32 i32)
            (table.init $t1 $few (local.get 0) (local.get 1) (local.get 2)))
          (func (export \"table.fill one\") (param i32 i32 i32)
            (table.fill $t0 (local.get 0) (ref.func $one) (local.get 2)))
          (func (export \"table.fill null\") (param i32 i32 i32)
            (table.fill $t1 (local.get 0) (ref.null func) (local.get 2)))
          (func (export \"data.drop\") (data.drop $long))
          (func (export \"elem.drop\") (elem.drop $many))
          {copies} {sums})"
    ))
    .unwrap()
}

/// Pseudo-random numbers (xorshift), the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % u64::from(most)) as u32
    }

    /// Numbers around the ends of pieces and of what there is, and any.
    fn number(&mut self, piece: u32, size: u32) -> u32 {
        let ends = [
            0,
            1,
            piece - 1,
            piece,
            piece + 1,
            2 * piece,
            size / 2,
            size,
            u32::MAX,
        ];
        match self.below(3) {
            0 => ends[self.below(ends.len() as u32) as usize],
            1 => ends[self.below(ends.len() as u32 - 1) as usize].wrapping_sub(self.below(5)),
            _ => self.below(size + piece / 8),
        }
    }
}

struct Running {
    store: Store<()>,
    instance: Instance,
}

impl Running {
    fn of(engine: &Engine, module: &[u8]) -> Self {
        let module = Module::new(engine, module).unwrap();
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(1);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        Running { store, instance }
    }

    fn call(&mut self, name: &str, numbers: &[u32]) -> Result<i32, Trap> {
        let function = self.instance.get_func(&mut self.store, name).unwrap();
        let numbers: Vec<Val> = numbers.iter().map(|n| Val::I32(*n as i32)).collect();
        let results = function.ty(&self.store).results().len();
        let mut result = vec![Val::I32(0); results];
        match function.call(&mut self.store, &numbers, &mut result) {
            Ok(()) => Ok(result.first().map_or(0, Val::unwrap_i32)),
            Err(error) => Err(*error.downcast_ref::<Trap>().unwrap()),
        }
    }

    /// What is in its memories and tables.
    fn state(&mut self) -> (blake3::Hash, [i32; 2]) {
        let mut hasher = blake3::Hasher::new();
        for name in ["memory 0", "memory 1"] {
            let memory = self.instance.get_memory(&mut self.store, name).unwrap();
            hasher.update(memory.data(&self.store));
        }
        let sums = ["sum 0", "sum 1"].map(|name| self.call(name, &[]).unwrap());
        (hasher.finalize(), sums)
    }
}

#[test]
fn each_does_what_it_did() {
    let engine = compiling_engine(Details::Names).unwrap();
    let plain = module();
    let rewritten = rewritten(&plain).unwrap().expect("it has some");
    let memory = |name: &str| name.starts_with("memory");
    let names = [
        "memory.fill",
        "memory.copy 0 0",
        "memory.copy 0 1",
        "memory.copy 1 0",
        "memory.copy 1 1",
        "memory.init long",
        "memory.init short",
        "table.fill one",
        "table.fill null",
        "table.copy 0 0",
        "table.copy 0 1",
        "table.copy 1 0",
        "table.copy 1 1",
        "table.init many",
        "table.init few",
    ];
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let (mut done, mut trapped) = (0, 0);
    for round in 0..2 {
        let mut before = Running::of(&engine, &plain);
        let mut after = Running::of(&engine, &rewritten);
        // Something to copy.
        for running in [&mut before, &mut after] {
            running
                .call("memory.init long", &[3, 0, 2 * BYTES])
                .unwrap();
            running
                .call("table.init many", &[3, 0, 2 * ELEMENTS])
                .unwrap();
            // In the second round both segments are gone.
            if round == 1 {
                running.call("data.drop", &[]).unwrap();
                running.call("elem.drop", &[]).unwrap();
            }
        }
        for _ in 0..600 {
            let name = names[chance.below(names.len() as u32) as usize];
            let (piece, size) = match memory(name) {
                true => (BYTES, 16 << 16),
                false => (ELEMENTS, 9000),
            };
            let mut numbers = [(); 3].map(|()| chance.number(piece, size));
            // Half of them overlap by all but a little.
            if chance.below(2) == 0 {
                numbers[1] = numbers[0].wrapping_add(chance.below(9)).wrapping_sub(4);
            }
            let results = [&mut before, &mut after].map(|it| it.call(name, &numbers));
            assert_eq!(results[0], results[1], "{name} {numbers:?}");
            match results[0] {
                Ok(_) => done += 1,
                Err(_) => trapped += 1,
            }
            assert_eq!(before.state(), after.state(), "{name} {numbers:?}");
        }
    }
    assert!(done > 200 && trapped > 200, "{done} {trapped}");
}

/// Of each function where it is, from the beginning of the section of code on.
fn places(module: &[u8]) -> Vec<(usize, usize)> {
    let mut start = 0;
    let mut places = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::CodeSectionStart { range, .. } => start = range.start,
            Payload::CodeSectionEntry(body) => {
                places.push((body.range().start - start, body.range().end - start));
            }
            _ => {}
        }
    }
    places
}

/// Whether a module still has debugging information.
fn is_debuggable(module: &[u8]) -> bool {
    let mut payloads = Parser::new(0).parse_all(module);
    payloads.any(|payload| match payload.unwrap() {
        Payload::CustomSection(section) => section.name() == ".debug_line",
        _ => false,
    })
}

/// The names of functions, by their numbers.
fn names(module: &[u8]) -> Vec<(u32, String)> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload.unwrap()
            && let KnownCustom::Name(parts) = section.as_known()
        {
            for part in parts {
                if let Name::Function(functions) = part.unwrap() {
                    names.extend(functions.into_iter().map(|naming| {
                        let naming = naming.unwrap();
                        (naming.index, naming.name.to_owned())
                    }));
                }
            }
        }
    }
    names
}

/// A module of so many functions, the last of which fills, with something like DWARF.
fn of_functions(count: usize) -> Vec<u8> {
    let fills = "(func $fills (param i32) (memory.fill (i32.const 0) (i32.const 7) (local.get 0)))";
    wat::parse_str(format!(
        "(module (memory (export \"memory\") 16) {}
           {fills} (export \"fill\" (func $fills))
           (@custom \".debug_line\" \"some\"))",
        "(func)".repeat(count - 1)
    ))
    .unwrap()
}

#[test]
fn code_stays_where_it_is() {
    for (count, stays) in [
        (3, true),
        (126, true),
        // Its number, or that of functions, takes a byte more.
        (127, false),
        (128, true),
        (16_382, true),
        (16_383, false),
        (16_384, false),
        (20_000, false),
    ] {
        let module = of_functions(count);
        let rewritten = rewritten(&module).unwrap().unwrap();
        Validator::new().validate_all(&rewritten).unwrap();
        let (before, after) = (places(&module), places(&rewritten));
        assert_eq!(after.len(), count + 1);
        assert_eq!(before[..] == after[..count], stays, "{count}");
        assert!(is_debuggable(&module));
        assert_eq!(is_debuggable(&rewritten), stays, "{count}");
    }
    // With more functions than three bytes have numbers for it fills all the same.
    let engine = compiling_engine(Details::Names).unwrap();
    let mut running = Running::of(&engine, &rewritten(&of_functions(20_000)).unwrap().unwrap());
    running.call("fill", &[16 << 16]).unwrap();
    let memory = running.instance.get_memory(&mut running.store, "memory");
    let data = memory.unwrap().data(&running.store);
    assert!(data.iter().all(|byte| *byte == 7));
}

#[test]
fn names_stay_and_those_of_pieces_are_added() {
    let text = "(module $named (memory 1)
      (func $first (param i32)
        (memory.fill (i32.const 0) (i32.const 7) (local.get 0))
        (memory.copy (i32.const 0) (i32.const 7) (local.get 0))
        (memory.fill (i32.const 1) (i32.const 7) (local.get 0))))";
    let module = wat::parse_str(text).unwrap();
    let expected = [
        (0, "first".to_owned()),
        (1, "memory.fill".into()),
        (2, "memory.copy".into()),
    ];
    assert_eq!(names(&rewritten(&module).unwrap().unwrap()), expected);
    // One without names has those of the pieces alone.
    let unnamed: Vec<u8> = {
        let name = sections(&module).unwrap().pop().unwrap();
        assert_eq!(name.id, 0);
        module[..name.whole.start].to_vec()
    };
    let rewritten = rewritten(&unnamed).unwrap().unwrap();
    assert_eq!(names(&rewritten), expected[1..]);
}

#[test]
fn what_is_short_stays_as_it_is() {
    let module = |code: &str| {
        let text = format!("(module (memory 16) (data \"short\") (func (param i32) {code}))");
        rewritten(&wat::parse_str(text).unwrap()).unwrap()
    };
    let fill =
        |count: u32| format!("(memory.fill (i32.const 0) (i32.const 0) (i32.const {count}))");
    assert!(module("").is_none());
    assert!(module(&fill(0)).is_none());
    assert!(module(&fill(BYTES)).is_none());
    assert!(module(&fill(BYTES + 1)).is_some());
    assert!(module(&fill(u32::MAX)).is_some());
    // A constant that is not what is on the stack.
    assert!(module("(local.get 0) (i32.const 1) (i32.const 1) (br_if 0) (drop) (drop)").is_none());
    assert!(
        module(
            "(i32.const 0) (i32.const 0) (block (result i32) (local.get 0)
               (br_if 0 (i32.const 1)) (drop) (i32.const 8)) (memory.fill)"
        )
        .is_some()
    );
    let init = "(memory.init 0 (i32.const 0) (i32.const 0) (local.get 0))";
    assert!(module(init).is_none());
}

#[test]
fn modules_are_found_however_deep_they_lie() {
    let fills = "(core module (memory 1) (func (param i32)
        (memory.fill (i32.const 0) (i32.const 0) (local.get 0))))";
    let text = format!("(component {fills} (component (component {fills}) {fills}) (core module))");
    let component = wat::parse_str(text).unwrap();
    let pieces = in_pieces(&component).unwrap();
    Validator::new().validate_all(&pieces).unwrap();
    let text = String::from_utf8_lossy(&pieces);
    assert_eq!(text.matches("memory.fill").count(), 3);
    // One that has none is not written anew, and what is no component is nobody's here.
    for file in [
        &wat::parse_str("(component (core module))").unwrap()[..],
        b"\0asm",
        b"",
    ] {
        assert!(matches!(
            in_pieces(file).unwrap(),
            std::borrow::Cow::Borrowed(_)
        ));
    }
    assert!(in_pieces(&component[..component.len() - 1]).is_err());
}
