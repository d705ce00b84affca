use super::*;
use std::iter::empty;
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentInstanceSection,
    ComponentTypeRef, ComponentTypeSection, ConstExpr, DataSection, ElementSection, Elements,
    EntityType, ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType,
    ImportSection, InstanceSection, MemorySection, MemoryType, Module, ModuleArg, ModuleSection,
    NestedComponentSection, PrimitiveValType, RefType, Section, TableSection, TableType, TagKind,
    TagSection, TagType, TypeSection, ValType,
};

/// What a component is refused for; none if it is within all bounds.
fn refusal(component: &[u8]) -> Option<String> {
    check(component).err().map(|error| error.to_string())
}

/// A component of these modules.
fn of_modules(modules: impl IntoIterator<Item = Module>) -> Vec<u8> {
    let mut component = Component::new();
    for module in modules {
        component.section(&ModuleSection(&module));
    }
    component.finish()
}

/// A component of a module of one section.
fn of_core(section: &impl Section) -> Vec<u8> {
    let mut module = Module::new();
    module.section(section);
    of_modules([module])
}

/// A module of functions with these bodies.
fn of_bodies(count: u64, body: &[u8]) -> Module {
    let (mut types, mut bodies) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..count {
        types.function(0);
        bodies.raw(body);
    }
    let mut module = Module::new();
    module.section(&types).section(&bodies);
    module
}

fn functions(count: u64) -> Vec<u8> {
    // Over two modules: it is the sum that counts.
    let body = [0, 11];
    let (some, others) = (count / 2, count - count / 2);
    of_modules([of_bodies(some, &body), of_bodies(others, &body)])
}

fn modules(count: u64) -> Vec<u8> {
    of_modules((0..count).map(|_| Module::new()))
}

fn memories(count: u64) -> Vec<u8> {
    let mut section = MemorySection::new();
    for _ in 0..count {
        section.memory(memory(1, None));
    }
    of_core(&section)
}

fn memory(minimum: u64, page_size_log2: Option<u32>) -> MemoryType {
    MemoryType {
        minimum,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2,
    }
}

fn memory_octets(octets: u64) -> Vec<u8> {
    let mut section = MemorySection::new();
    section.memory(memory(octets / PAGE, None));
    // What is no whole page of the common size.
    section.memory(memory(octets % PAGE, Some(0)));
    of_core(&section)
}

fn table(minimum: u64) -> TableType {
    TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum,
        maximum: None,
        shared: false,
    }
}

fn tables(count: u64) -> Vec<u8> {
    let mut section = TableSection::new();
    for _ in 0..count {
        section.table(table(1));
    }
    of_core(&section)
}

fn table_elements(count: u64) -> Vec<u8> {
    let mut section = TableSection::new();
    section.table(table(count / 2));
    section.table(table(count - count / 2));
    of_core(&section)
}

fn globals(count: u64) -> Vec<u8> {
    let ty = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    let mut section = GlobalSection::new();
    for _ in 0..count {
        section.global(ty, &ConstExpr::i32_const(0));
    }
    of_core(&section)
}

fn tags(count: u64) -> Vec<u8> {
    let mut section = TagSection::new();
    for _ in 0..count {
        section.tag(TagType {
            kind: TagKind::Exception,
            func_type_idx: 0,
        });
    }
    of_core(&section)
}

/// Half of them in a module, the others beside it.
fn types(count: u64) -> Vec<u8> {
    let (mut core, mut own) = (TypeSection::new(), ComponentTypeSection::new());
    for _ in 0..count / 2 {
        core.ty().function([], []);
    }
    for _ in count / 2..count {
        own.defined_type().primitive(PrimitiveValType::Bool);
    }
    let (mut module, mut component) = (Module::new(), Component::new());
    module.section(&core);
    component.section(&ModuleSection(&module)).section(&own);
    component.finish()
}

fn imports(count: u64) -> Vec<u8> {
    let (mut core, mut own) = (ImportSection::new(), ComponentImportSection::new());
    for _ in 0..count / 2 {
        core.import("a", "b", EntityType::Function(0));
    }
    for _ in count / 2..count {
        own.import("a", ComponentTypeRef::Func(0));
    }
    let (mut module, mut component) = (Module::new(), Component::new());
    module.section(&core);
    component.section(&ModuleSection(&module)).section(&own);
    component.finish()
}

fn exports(count: u64) -> Vec<u8> {
    let (mut core, mut own) = (ExportSection::new(), ComponentExportSection::new());
    for _ in 0..count / 2 {
        core.export("a", ExportKind::Func, 0);
    }
    for _ in count / 2..count {
        own.export("a", ComponentExportKind::Func, 0, None);
    }
    let (mut module, mut component) = (Module::new(), Component::new());
    module.section(&core);
    component.section(&ModuleSection(&module)).section(&own);
    component.finish()
}

fn instances(count: u64) -> Vec<u8> {
    let (mut core, mut own) = (InstanceSection::new(), ComponentInstanceSection::new());
    for _ in 0..count / 2 {
        core.instantiate(0, empty::<(&str, ModuleArg)>());
    }
    for _ in count / 2..count {
        own.instantiate(0, empty::<(&str, ComponentExportKind, u32)>());
    }
    let mut component = Component::new();
    component.section(&core).section(&own);
    component.finish()
}

fn aliases(count: u64) -> Vec<u8> {
    let mut section = ComponentAliasSection::new();
    for _ in 0..count {
        section.alias(Alias::CoreInstanceExport {
            instance: 0,
            kind: ExportKind::Func,
            name: "a",
        });
    }
    let mut component = Component::new();
    component.section(&section);
    component.finish()
}

fn adapters(count: u64) -> Vec<u8> {
    let mut section = CanonicalFunctionSection::new();
    for _ in 0..count {
        section.resource_drop(0);
    }
    let mut component = Component::new();
    component.section(&section);
    component.finish()
}

fn element_segments(count: u64) -> Vec<u8> {
    let mut section = ElementSection::new();
    for _ in 0..count {
        section.declared(Elements::Functions([].as_slice().into()));
    }
    of_core(&section)
}

/// A module of passive segments of so many elements each.
fn passive(segments: &[u64]) -> Module {
    let mut section = ElementSection::new();
    for &elements in segments {
        let functions = vec![0; elements as usize];
        section.passive(Elements::Functions(functions.into()));
    }
    let mut module = Module::new();
    module.section(&section);
    module
}

/// The same, and so many instances of it.
fn instantiated(module: &Module, count: u64) -> Component {
    let mut instances = InstanceSection::new();
    for _ in 0..count {
        instances.instantiate(0, empty::<(&str, ModuleArg)>());
    }
    let mut component = Component::new();
    component
        .section(&ModuleSection(module))
        .section(&instances);
    component
}

#[test]
fn passive_segments_count_in_each_instance() {
    let said = |octets: u64| {
        Some(format!(
            "it has {octets} octets of passive element segments in its instances, and may have \
             {PASSIVE_OCTETS}"
        ))
    };
    let refused = |component: Component| refusal(&component.finish());
    let most = (PASSIVE_OCTETS - 32) / 16;
    assert_eq!(refused(instantiated(&passive(&[most]), 1)), None);
    let over = passive(&[most + 1]);
    assert_eq!(refused(instantiated(&over, 1)), said(PASSIVE_OCTETS + 16));
    assert_eq!(refused(instantiated(&over, 0)), None);
    // The empty ones too.
    let empty_ones = passive(&vec![0; 20_000]);
    assert_eq!(refused(instantiated(&empty_ones, 1)), said(640_000));
    let some = passive(&[126]);
    assert_eq!(refused(instantiated(&some, 63)), None);
    let most_made = CORE_INSTANCES as u64;
    assert_eq!(refused(instantiated(&some, most_made)), None);
    let more = passive(&[126, 0]);
    let all = (2_048 + 32) * most_made;
    assert_eq!(refused(instantiated(&more, most_made)), said(all));
    // A component that is made again and again has instances each time.
    let mut outer = Component::new();
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, empty::<(&str, ComponentExportKind, u32)>());
    outer
        .section(&NestedComponentSection(&instantiated(&more, 1)))
        .section(&instances);
    assert_eq!(refused(outer), said(all));
}

#[test]
fn segments_that_are_not_passive_are_no_matter() {
    let mut section = ElementSection::new();
    let functions = vec![0; 100_000];
    section.active(
        None,
        &ConstExpr::i32_const(0),
        Elements::Functions(functions.as_slice().into()),
    );
    section.declared(Elements::Functions(functions.as_slice().into()));
    let mut module = Module::new();
    module.section(&section);
    let component = instantiated(&module, CORE_INSTANCES as u64);
    assert_eq!(refusal(&component.finish()), None);
}

fn data_segments(count: u64) -> Vec<u8> {
    let mut section = DataSection::new();
    for _ in 0..count {
        section.passive([]);
    }
    of_core(&section)
}

/// One function of so many octets.
fn function_octets(octets: u64) -> Vec<u8> {
    of_modules([of_bodies(1, &vec![1; octets as usize])])
}

/// Components in one another, the outermost not counted.
fn depth(count: u64) -> Vec<u8> {
    let mut innermost = Component::new();
    for _ in 0..count {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&innermost));
        innermost = outer;
    }
    innermost.finish()
}

/// What makes so many of something.
type Make = fn(u64) -> Vec<u8>;

#[test]
fn each_bound_holds_to_the_last_one() {
    let bounds: [(&str, u64, Make); 18] = [
        ("functions", FUNCTIONS, functions),
        ("octets in one function", FUNCTION_OCTETS, function_octets),
        ("modules", MODULES, modules),
        ("modules in one another", DEPTH, depth),
        ("memories", MEMORIES, memories),
        (
            "octets of memory to start with",
            MEMORY_OCTETS,
            memory_octets,
        ),
        ("tables", TABLES, tables),
        (
            "elements in tables to start with",
            TABLE_ELEMENTS,
            table_elements,
        ),
        ("globals", GLOBALS, globals),
        ("tags", TAGS, tags),
        ("types", TYPES, types),
        ("imports", IMPORTS, imports),
        ("exports", EXPORTS, exports),
        ("instances", INSTANCES, instances),
        ("aliases", ALIASES, aliases),
        ("canonical functions", ADAPTERS, adapters),
        ("element segments", ELEMENT_SEGMENTS, element_segments),
        ("data segments", DATA_SEGMENTS, data_segments),
    ];
    for (what, most, make) in bounds {
        assert_eq!(refusal(&make(most)), None, "{what}");
        let said = format!("it has {} {what}, and may have {most}", most + 1);
        assert_eq!(refusal(&make(most + 1)), Some(said));
    }
}

#[test]
fn what_is_too_large_is_not_read() {
    let octets = vec![0; OCTETS as usize + 1];
    let said = format!("it has {} octets, and may have {OCTETS}", OCTETS + 1);
    assert_eq!(refusal(&octets), Some(said));
}

#[test]
fn what_lies_side_by_side_is_not_deep() {
    assert_eq!(refusal(&modules(100)), None);
}

#[test]
fn sizes_beyond_all_numbers_are_beyond_the_bound() {
    let mut section = MemorySection::new();
    section.memory(MemoryType {
        memory64: true,
        ..memory(u64::MAX, None)
    });
    let said = refusal(&of_core(&section)).unwrap();
    assert!(said.contains("octets of memory to start with"), "{said}");
}
