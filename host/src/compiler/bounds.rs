//! What a component may be made of, before anything is compiled.

use super::CompileError;
use wasmparser::{Parser, Payload};

/// The most of each that a component may have; CPython with its standard library
/// has a fourteenth of the functions, a tenth of the octets, 14 modules.
const OCTETS: u64 = 256 << 20;
const FUNCTIONS: u64 = 200_000;
const FUNCTION_OCTETS: u64 = 2 << 20;
const MODULES: u64 = 1_000;
const DEPTH: u64 = 16;

/// Fails with the first bound that `component` is beyond. What is no component is
/// found when it is compiled.
pub fn check(component: &[u8]) -> Result<(), CompileError> {
    within("octets", component.len() as u64, OCTETS)?;
    let (mut functions, mut modules, mut depth) = (0, 0, 0_u64);
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| CompileError::Invalid(error.to_string()))? {
            Payload::FunctionSection(section) => {
                functions += u64::from(section.count());
                within("functions", functions, FUNCTIONS)?;
            }
            Payload::CodeSectionEntry(body) => {
                within(
                    "octets in one function",
                    body.range().len() as u64,
                    FUNCTION_OCTETS,
                )?;
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                modules += 1;
                depth += 1;
                within("modules", modules, MODULES)?;
                within("modules in one another", depth, DEPTH)?;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

fn within(what: &'static str, found: u64, most: u64) -> Result<(), CompileError> {
    match found <= most {
        true => Ok(()),
        false => Err(CompileError::Bounds { what, found, most }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let component = wat::parse_str(text).unwrap();
        check(&component).unwrap_err().to_string()
    }

    #[test]
    fn what_is_too_much_is_named() {
        let functions = "(func)".repeat(200_001);
        assert_eq!(
            refusal(&format!("(component (core module {functions}))")),
            "it has 200001 functions, and may have 200000"
        );
        let body = "nop ".repeat(2 << 20);
        let said = refusal(&format!("(component (core module (func {body})))"));
        assert!(said.contains("octets in one function"), "{said}");
        let modules = "(core module)".repeat(1001);
        assert!(refusal(&format!("(component {modules})")).contains("1001 modules"));
        let nested = format!("{}{}", "(component ".repeat(18), ")".repeat(18));
        assert!(refusal(&nested).contains("17 modules in one another"));
    }

    #[test]
    fn what_lies_side_by_side_is_not_deep() {
        let modules = "(core module)".repeat(100);
        check(&wat::parse_str(format!("(component {modules})")).unwrap()).unwrap();
    }
}
