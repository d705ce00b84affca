//! The functions that are added: each does what one instruction does, in pieces.

use super::survey::Survey;
use wasm_encoder::{Function, InstructionSink};
use wasmparser::{Operator, RefType};

/// Bytes of a memory that one piece has. Pages that are touched for the first time cost most: this
/// many take some 100 us.
pub const BYTES: u32 = 256 << 10;
/// Elements of a table that one piece has.
pub const ELEMENTS: u32 = 4096;

/// An instruction that works on much at once, with what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bulk {
    /// `memory.fill`.
    MemoryFill { memory: u32 },
    /// `memory.copy`.
    MemoryCopy { to: u32, from: u32 },
    /// `memory.init`.
    MemoryInit { memory: u32, segment: u32 },
    /// `table.fill`.
    TableFill { table: u32 },
    /// `table.copy`.
    TableCopy { to: u32, from: u32 },
    /// `table.init`.
    TableInit { table: u32, segment: u32 },
}

/// What a function that is added takes; all of them return nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Three numbers.
    Numbers,
    /// An element between two numbers.
    Element(RefType),
}

/// A memory or a table.
#[derive(Clone, Copy)]
enum Space {
    Memory(u32),
    Table(u32),
}

impl Bulk {
    /// Which of them `operator` is; none if it is another, or of what is not there.
    pub fn of(operator: &Operator<'_>, survey: &Survey) -> Option<Self> {
        let bulk = match *operator {
            Operator::MemoryFill { mem: memory } => Bulk::MemoryFill { memory },
            Operator::MemoryCopy { dst_mem, src_mem } => Bulk::MemoryCopy {
                to: dst_mem,
                from: src_mem,
            },
            Operator::MemoryInit { data_index, mem } => Bulk::MemoryInit {
                memory: mem,
                segment: data_index,
            },
            Operator::TableFill { table } => Bulk::TableFill { table },
            Operator::TableCopy {
                dst_table,
                src_table,
            } => Bulk::TableCopy {
                to: dst_table,
                from: src_table,
            },
            Operator::TableInit { elem_index, table } => Bulk::TableInit {
                table,
                segment: elem_index,
            },
            _ => return None,
        };
        let long = |length: Option<&u32>| length.is_some_and(|length| *length > bulk.piece());
        let is_long = match bulk {
            Bulk::MemoryInit { segment, .. } => long(survey.data.get(segment as usize)),
            Bulk::TableInit { segment, .. } => long(survey.elements.get(segment as usize)),
            _ => true,
        };
        let spaces = bulk.spaces();
        (is_long && spaces.iter().all(|space| survey.has(*space))).then_some(bulk)
    }

    /// What one piece of it has at most.
    pub fn piece(self) -> u32 {
        match self.spaces()[0] {
            Space::Memory(_) => BYTES,
            Space::Table(_) => ELEMENTS,
        }
    }

    /// What it is called in a backtrace.
    pub fn name(self) -> &'static str {
        match self {
            Bulk::MemoryFill { .. } => "memory.fill",
            Bulk::MemoryCopy { .. } => "memory.copy",
            Bulk::MemoryInit { .. } => "memory.init",
            Bulk::TableFill { .. } => "table.fill",
            Bulk::TableCopy { .. } => "table.copy",
            Bulk::TableInit { .. } => "table.init",
        }
    }

    /// What its function takes.
    pub fn takes(self, survey: &Survey) -> Takes {
        match self {
            Bulk::TableFill { table } => match survey.tables.get(table as usize) {
                Some(Some(element)) => Takes::Element(*element),
                _ => Takes::Numbers,
            },
            _ => Takes::Numbers,
        }
    }

    /// What is written to, and what is read if that is one too.
    fn spaces(self) -> [Space; 2] {
        match self {
            Bulk::MemoryFill { memory } | Bulk::MemoryInit { memory, .. } => {
                [Space::Memory(memory); 2]
            }
            Bulk::MemoryCopy { to, from } => [Space::Memory(to), Space::Memory(from)],
            Bulk::TableFill { table } | Bulk::TableInit { table, .. } => [Space::Table(table); 2],
            Bulk::TableCopy { to, from } => [Space::Table(to), Space::Table(from)],
        }
    }

    /// The function. Its parameters are the instruction's: where to, what or where from, and how
    /// many.
    pub fn function(self, survey: &Survey) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        let piece = self.piece() as i32;
        let more = |code: &mut InstructionSink<'_>| {
            code.local_get(COUNT).i32_const(piece).i32_gt_u();
        };
        // Nothing is written where some of it lies outside: then the last instruction, which has
        // all of it to do, traps.
        more(&mut code);
        code.if_(wasm_encoder::BlockType::Empty);
        self.is_inside(survey, &mut code);
        code.if_(wasm_encoder::BlockType::Empty);
        self.probe(&mut code);
        match self.overlaps() {
            // Where it goes up what it is from is not yet overwritten, and where it goes down.
            true => {
                code.local_get(TO).local_get(FROM).i32_gt_u();
                code.if_(wasm_encoder::BlockType::Empty);
                self.go_down(&mut code, piece, more);
                code.else_();
                self.go_up(&mut code, piece, more);
                code.end();
            }
            false => self.go_up(&mut code, piece, more),
        }
        code.end().end();
        code.local_get(TO).local_get(FROM).local_get(COUNT);
        self.instruction(&mut code);
        code.end();
        function
    }

    /// From the first piece to the last but one.
    fn go_up(
        self,
        code: &mut InstructionSink<'_>,
        piece: i32,
        more: impl Fn(&mut InstructionSink<'_>),
    ) {
        code.loop_(wasm_encoder::BlockType::Empty);
        code.local_get(TO).local_get(FROM).i32_const(piece);
        self.instruction(code);
        code.local_get(TO).i32_const(piece).i32_add().local_set(TO);
        if !matches!(self, Bulk::MemoryFill { .. } | Bulk::TableFill { .. }) {
            code.local_get(FROM).i32_const(piece).i32_add();
            code.local_set(FROM);
        }
        code.local_get(COUNT).i32_const(piece).i32_sub();
        code.local_set(COUNT);
        more(code);
        code.br_if(0).end();
    }

    /// From the last piece to the second.
    fn go_down(
        self,
        code: &mut InstructionSink<'_>,
        piece: i32,
        more: impl Fn(&mut InstructionSink<'_>),
    ) {
        code.loop_(wasm_encoder::BlockType::Empty);
        code.local_get(COUNT).i32_const(piece).i32_sub();
        code.local_set(COUNT);
        code.local_get(TO).local_get(COUNT).i32_add();
        code.local_get(FROM).local_get(COUNT).i32_add();
        code.i32_const(piece);
        self.instruction(code);
        more(code);
        code.br_if(0).end();
    }

    /// Whether all of it lies inside what is written to, and inside what it is from.
    fn is_inside(self, survey: &Survey, code: &mut InstructionSink<'_>) {
        let [to, from] = self.spaces();
        reaches(code, TO);
        size(code, to);
        code.i64_le_u();
        match self {
            Bulk::MemoryFill { .. } | Bulk::TableFill { .. } => return,
            Bulk::MemoryCopy { .. } | Bulk::TableCopy { .. } => {
                reaches(code, FROM);
                size(code, from);
            }
            Bulk::MemoryInit { segment, .. } => {
                reaches(code, FROM);
                code.i64_const(survey.data[segment as usize].into());
            }
            Bulk::TableInit { segment, .. } => {
                reaches(code, FROM);
                code.i64_const(survey.elements[segment as usize].into());
            }
        }
        code.i64_le_u().i32_and();
    }

    /// A segment that was dropped is empty, which only the instruction itself finds: none of it,
    /// from the end of what is wanted, traps.
    fn probe(self, code: &mut InstructionSink<'_>) {
        if let Bulk::MemoryInit { .. } | Bulk::TableInit { .. } = self {
            code.i32_const(0);
            code.local_get(FROM).local_get(COUNT).i32_add();
            code.i32_const(0);
            self.instruction(code);
        }
    }

    /// Whether it may write to where it reads from.
    fn overlaps(self) -> bool {
        match self {
            Bulk::MemoryCopy { to, from } | Bulk::TableCopy { to, from } => to == from,
            _ => false,
        }
    }

    /// The instruction itself.
    fn instruction(self, code: &mut InstructionSink<'_>) {
        match self {
            Bulk::MemoryFill { memory } => code.memory_fill(memory),
            Bulk::MemoryCopy { to, from } => code.memory_copy(to, from),
            Bulk::MemoryInit { memory, segment } => code.memory_init(memory, segment),
            Bulk::TableFill { table } => code.table_fill(table),
            Bulk::TableCopy { to, from } => code.table_copy(to, from),
            Bulk::TableInit { table, segment } => code.table_init(table, segment),
        };
    }
}

/// The parameters.
const TO: u32 = 0;
const FROM: u32 = 1;
const COUNT: u32 = 2;

/// How far it reaches from the parameter `start` on: 33 bits.
fn reaches(code: &mut InstructionSink<'_>, start: u32) {
    code.local_get(start).i64_extend_i32_u();
    code.local_get(COUNT).i64_extend_i32_u().i64_add();
}

/// How many bytes or elements there are.
fn size(code: &mut InstructionSink<'_>, space: Space) {
    match space {
        Space::Memory(memory) => code
            .memory_size(memory)
            .i64_extend_i32_u()
            .i64_const(16)
            .i64_shl(),
        Space::Table(table) => code.table_size(table).i64_extend_i32_u(),
    };
}

impl Survey {
    /// Whether there is that memory or table, and 32 bits address it. Others are refused when they
    /// are compiled.
    fn has(&self, space: Space) -> bool {
        match space {
            Space::Memory(memory) => self.memories.get(memory as usize) == Some(&true),
            Space::Table(table) => matches!(self.tables.get(table as usize), Some(Some(_))),
        }
    }
}
