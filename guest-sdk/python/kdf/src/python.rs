//! The few parts of CPython's limited API that are needed here, as 32 bits have them.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::{ptr, slice};

/// A reference to an object of Python's, or null: then an exception was raised.
pub type Object = *mut c_void;

/// A function that Python calls with so many arguments.
pub type Function = extern "C" fn(Object, *const Object, isize) -> Object;

/// That a function is called with its arguments in a row (`METH_FASTCALL`).
const FASTCALL: c_int = 0x80;

/// The version of the limited API (`PYTHON_ABI_VERSION`).
const ABI: c_int = 3;

unsafe extern "C" {
    static PyExc_ValueError: Object;

    fn PyModule_Create2(definition: *const Module, version: c_int) -> Object;
    fn PyErr_SetString(kind: Object, message: *const c_char);
    fn PyErr_NoMemory() -> Object;
    fn PyErr_Occurred() -> Object;
    fn PyBytes_AsStringAndSize(object: Object, place: *mut *mut c_char, size: *mut isize) -> c_int;
    fn PyBytes_AsString(object: Object) -> *mut c_char;
    fn PyBytes_FromStringAndSize(place: *const c_char, size: isize) -> Object;
    fn PyLong_AsUnsignedLong(object: Object) -> u32;
}

/// `PyMethodDef`.
#[repr(C)]
pub struct Method {
    name: *const c_char,
    function: Option<Function>,
    flags: c_int,
    doc: *const c_char,
}

// SAFETY: nobody writes to one.
unsafe impl Sync for Method {}

impl Method {
    /// After the last.
    pub const END: Self = Method {
        name: ptr::null(),
        function: None,
        flags: 0,
        doc: ptr::null(),
    };

    /// The method `name`.
    pub const fn new(name: &'static CStr, function: Function) -> Self {
        Method {
            name: name.as_ptr(),
            function: Some(function),
            flags: FASTCALL,
            doc: ptr::null(),
        }
    }
}

/// `PyModuleDef`.
#[repr(C)]
pub struct Module {
    /// `PyModuleDef_Base`: a count of references that never ends, and what CPython puts there.
    base: [usize; 5],
    name: *const c_char,
    doc: *const c_char,
    size: isize,
    methods: *const Method,
    rest: [usize; 4],
}

// SAFETY: nobody but CPython writes to one, and there is one thread.
unsafe impl Sync for Module {}

impl Module {
    /// A module without state, of these methods.
    pub const fn new(name: &'static CStr, methods: &'static [Method]) -> Self {
        Module {
            base: [1, 0, 0, 0, 0],
            name: name.as_ptr(),
            doc: ptr::null(),
            size: -1,
            methods: methods.as_ptr(),
            rest: [0; 4],
        }
    }

    /// Makes it.
    pub fn create(&'static self) -> Object {
        // SAFETY: the definition is whole, and stays for good.
        unsafe { PyModule_Create2(self, ABI) }
    }
}

/// That a function of Python's raised: what is to be returned then is null.
pub struct Raised;

/// Raises ValueError.
pub fn value_error(message: &'static CStr) -> Raised {
    // SAFETY: the interpreter runs, and the text ends.
    unsafe { PyErr_SetString(PyExc_ValueError, message.as_ptr()) }
    Raised
}

/// Raises MemoryError.
pub fn no_memory() -> Raised {
    // SAFETY: the interpreter runs.
    unsafe { PyErr_NoMemory() };
    Raised
}

/// The arguments of a call, of which there are `N`.
pub fn arguments<'a, const N: usize>(
    given: *const Object,
    count: isize,
) -> Result<&'a [Object; N], Raised> {
    if count != N as isize {
        return Err(value_error(c"another number of arguments is asked for"));
    }
    // SAFETY: CPython hands over so many, which stay until the function returns.
    Ok(unsafe { &*given.cast() })
}

/// The octets of an object of `bytes`.
pub fn octets<'a>(object: Object) -> Result<&'a [u8], Raised> {
    let (mut place, mut size) = (ptr::null_mut(), 0);
    // SAFETY: it is an object; what is found stays as long as the argument does.
    unsafe {
        match PyBytes_AsStringAndSize(object, &mut place, &mut size) {
            0 => Ok(slice::from_raw_parts(place.cast(), size as usize)),
            _ => Err(Raised),
        }
    }
}

/// A number of 32 bits.
pub fn number(object: Object) -> Result<u32, Raised> {
    // SAFETY: it is an object.
    unsafe {
        match PyLong_AsUnsignedLong(object) {
            u32::MAX if !PyErr_Occurred().is_null() => Err(Raised),
            number => Ok(number),
        }
    }
}

/// New `bytes` of so many octets, which `fill` fills.
pub fn bytes(
    size: u32,
    fill: impl FnOnce(&mut [u8]) -> Result<(), Raised>,
) -> Result<Object, Raised> {
    let Ok(size) = isize::try_from(size) else {
        return Err(no_memory());
    };
    // SAFETY: the octets are written to before anyone else has the object; one that is not
    // handed on is lost with the exception, which only a mistake in the adapter can raise.
    unsafe {
        let made = PyBytes_FromStringAndSize(ptr::null(), size);
        if made.is_null() {
            return Err(Raised);
        }
        let place = PyBytes_AsString(made).cast::<u8>();
        place.write_bytes(0, size as usize);
        fill(slice::from_raw_parts_mut(place, size as usize))?;
        Ok(made)
    }
}

/// What a function returns to Python.
pub fn returned(result: Result<Object, Raised>) -> Object {
    result.unwrap_or(ptr::null_mut())
}
