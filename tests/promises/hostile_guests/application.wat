;; An application whose core modules are written by hand, so that it can do what no
;; toolchain does. The places marked by (;NAME;) are filled in by the tests.
(component
  (import "rhost:gateway/types@0.1.0" (instance $types
    (type $environ-record (record
      (field "request-method" string)
      (field "script-name" string)
      (field "path-info" (list u8))
      (field "query-string" string)
      (field "request-uri" string)
      (field "content-type" (option string))
      (field "content-length" (option u64))
      (field "server-name" string)
      (field "server-port" u16)
      (field "server-protocol" string)
      (field "server-software" string)
      (field "url-scheme" string)
      (field "remote-addr" string)
      (field "remote-port" u16)
      (field "headers" (list (tuple string (list u8))))
      (field "multithread" bool)
      (field "multiprocess" bool)
      (field "run-once" bool)
      (field "request-id" string)
      (field "extensions" (list (tuple string string)))))
    (export "environ" (type $environ (eq $environ-record)))
    (type $exc-info-record (record
      (field "kind" string)
      (field "message" string)
      (field "traceback" string)))
    (export "exc-info" (type $exc-info (eq $exc-info-record)))
    (type $fault-enum (enum "invalid-name" "invalid-value" "hop-by-hop" "content-length"))
    (export "field-fault" (type $fault (eq $fault-enum)))
    (type $field-record (record (field "index" u32) (field "fault" $fault)))
    (export "invalid-field" (type $field (eq $field-record)))
    (type $start-variant (variant
      (case "invalid-status" u16)
      (case "invalid-header" $field)
      (case "headers-too-large" u64)
      (case "already-started")
      (case "headers-sent")))
    (export "start-error" (type $start-error (eq $start-variant)))
    (type $input-variant (variant
      (case "incomplete") (case "too-large" u64) (case "timed-out")))
    (export "input-error" (type $input-error (eq $input-variant)))
    (type $output-variant (variant
      (case "closed") (case "too-large" u64) (case "superseded")))
    (export "output-error" (type $output-error (eq $output-variant)))
    (type $failure-variant (variant
      (case "exception" $exc-info)
      (case "input" $input-error)
      (case "output" $output-error)))
    (export "failure" (type $failure (eq $failure-variant)))))
  (alias export $types "environ" (type $environ))
  (alias export $types "exc-info" (type $exc-info))
  (alias export $types "start-error" (type $start-error))
  (alias export $types "failure" (type $failure))
  (import "rhost:gateway/server@0.1.0" (instance $server
    (alias outer 1 $exc-info (type $exc-info-type))
    (export "exc-info" (type $exc-info (eq $exc-info-type)))
    (alias outer 1 $start-error (type $start-error-type))
    (export "start-error" (type $start-error (eq $start-error-type)))
    (export "input" (type $input (sub resource)))
    (export "output" (type $output (sub resource)))
    (export "start-response" (func
      (param "status" u16)
      (param "headers" (list (tuple string (list u8))))
      (param "exc-info" (option $exc-info))
      (result (result (own $output) (error $start-error)))))))
  (alias export $server "input" (type $input))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (;imports;)

  ;; What the host writes its arguments to.
  (core module $memory
    (memory (export "memory") 16)
    ;; The first KiB is for results.
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
      (result i32)
      (;realloc;)
      (global.set $free (i32.and
        (i32.sub (i32.add (global.get $free) (local.get $align)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.get $free)
      (global.set $free (i32.add (global.get $free) (local.get $new)))))
  (core instance $own (instantiate $memory))
  (alias core export $own "memory" (core memory $memory))
  (alias core export $own "realloc" (core func $realloc))
  (core func $start-response (canon lower
    (func $server "start-response") (memory $memory) (realloc $realloc)))
  (core func $get-random-bytes (canon lower
    (func $random "get-random-bytes") (memory $memory) (realloc $realloc)))

  (core module $app
    (import "host" "start-response" (func $start-response
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "host" "get-random-bytes" (func $get-random-bytes (param i64 i32)))
    (import "own" "memory" (memory 16))
    ;; Begins an answer of this status, without fields.
    (func $answer (param $status i32)
      (call $start-response (local.get $status) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 64)))
    (func $spin (loop $again (br $again)))
    (;module;)
    ;; Gives the place of a result, which says that all is well.
    (func (export "handle") (param $environ i32) (result i32)
      (;handle;)
      (i32.const 0))
    (func (export "post-return") (param $result i32)
      (;post-return;)))
  (core instance $running (instantiate $app
    (with "host" (instance
      (export "start-response" (func $start-response))
      (export "get-random-bytes" (func $get-random-bytes))))
    (with "own" (instance $own))))

  (func $handle (param "environ" $environ) (param "input" (own $input))
    (result (result (error $failure)))
    (canon lift (core func $running "handle") (memory $memory) (realloc $realloc)
      (post-return (core func $running "post-return"))))
  (instance $exported (export "handle" (func $handle)))
  (export "rhost:gateway/app@0.1.0" (instance $exported)))
