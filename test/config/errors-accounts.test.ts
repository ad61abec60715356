import { testErrors } from "./errors.ts";

testErrors([
  {
    config: "accounts: [a, 5 ]",
    error: "2:15: interface conversion: interface {} is int64, not string",
  },
  { config: "accounts { A: 5 }", error: "2:12: Expected map entries for accounts" },
  { config: 'accounts { "$G" {} }', error: '2:13: "$G" is a Reserved Account' },
  {
    config: "accounts { A { limits: 5 } }",
    error: "2:16: Expected account limits to be a map/struct, got 5",
  },
  {
    config: "accounts { A { limits { foo: 5 } } }",
    error: '2:25: Unknown field "foo" parsing account limits',
  },
  {
    config: 'accounts { A { limits { max_conn: "5" } } }',
    error: "2:25: interface conversion: interface {} is string, not int64",
  },
  {
    config: "accounts { A { jetstream: foo } }",
    error: "Expected 'enabled' or 'disabled' for string value, got 'foo'",
  },
  {
    config: "accounts { A { jetstream: 5 } }",
    error: "Expected map, bool or string to define JetStream, got int64",
  },
  {
    config: "accounts { A { msg_trace: 5 } }",
    error:
      '2:16: Expected account message trace "msg_trace" to be a string or a map/struct, got int64',
  },
  {
    config: 'accounts { A { msg_trace: "a.*" } }',
    error: '2:16: Trace destination "a.*" is not valid',
  },
  {
    config: "accounts { A { msg_trace {dest: 5} } }",
    error: '2:27: Field "dest" should be a string, got int64',
  },
  {
    config: "accounts { A { msg_trace {dest: a, sampling: 0} } }",
    error: "2:36: Ttrace destination sampling value 0 is invalid, needs to be [1..100]",
  },
  {
    config: 'accounts { A { msg_trace {dest: a, sampling: "x%"} } }',
    error: '2:36: Invalid trace destination sampling value "x%"',
  },
  {
    config: "accounts { A { trace_dest {sampling: 50} } }",
    error: "2:16: Trace destination sampling ignored since no destination was set",
  },
  {
    config: "accounts { A { msg_trace {foo: 50} } }",
    error: '2:27: Unknown field "foo" parsing account message trace map/struct "msg_trace"',
  },
  {
    config: "accounts { A { msg_trace {dest: a, sampling: [5 ]} } }",
    error:
      '2:36: Trace destination sampling field "sampling" should be an integer or a percentage, got []interface {}',
  },
  {
    config: "accounts { A { exports: [5 ] } }",
    error: "2:26: Export Items should be a map with type entry, got int64",
  },
  {
    config: "accounts { A { exports: [ {stream: a, service: b} ] } }",
    error: '2:39: Detected service "b" but already saw a stream',
  },
  {
    config: "accounts { A { exports: [ {service: b, response: foo} ] } }",
    error: '2:40: Unknown response type: "foo"',
  },
  {
    config: "accounts { A { exports: [ {stream: b, response: stream} ] } }",
    error: "2:39: Detected response directive on non-service",
  },
  {
    config: 'accounts { A { exports: [ {stream: b, threshold: "5s"} ] } }',
    error: "2:39: Detected response directive on non-service",
  },
  {
    config: "accounts { A { exports: [ {service: b, threshold: 5} ] } }",
    error: "2:40: Expected response threshold to be a parseable time duration, got int64",
  },
  {
    config: 'accounts { A { exports: [ {service: b, threshold: "x"} ] } }',
    error: '2:40: Expected response threshold to be a parseable time duration, got "x"',
  },
  {
    config: "accounts { A { exports: [ {service: b, latency: 5} ] } }",
    error: "2:40: Expected latency entry to be a map/struct or string, got int64",
  },
  {
    config: "accounts { A { exports: [ {service: b, latency: {sampling: 5}} ] } }",
    error: "2:40: Latency subject required, but missing",
  },
  {
    config: "accounts { A { exports: [ {service: b, latency: {sampling: 500, subject: x}} ] } }",
    error: "2:50: bad sampling percentage, should be 1-100",
  },
  {
    config: "accounts { A { exports: [ {service: b, latency: {sampling: x, subject: x}} ] } }",
    error: '2:50: Failed to parse latency sample: strconv.Atoi: parsing "x": invalid syntax',
  },
  {
    config: 'accounts { A { exports: [ {service: b, latency: "x.*"} ] } }',
    error:
      '2:1: Error adding service latency sampling for "b" on subject "x.*": invalid publish subject',
  },
  {
    config: 'accounts { A { exports: [ {service: b, latency: "b"} ] } }',
    error:
      '2:1: Error adding service latency sampling for "b" on subject "b": invalid publish subject',
  },
  {
    config: 'accounts { A { exports: [ {service: b, response: stream, latency: "l"} ] } }',
    error:
      '2:1: Error adding service latency sampling for "b" on subject "l": bad service response type',
  },
  {
    config: 'accounts { A { exports: [ {stream: b, latency: "l"} ] } }',
    error: "2:39: Detected latency directive on non-service",
  },
  {
    config: "accounts { A { exports: [ {stream: b, allow_trace: true} ] } }",
    error: "2:39: Detected allow_trace directive on non-service",
  },
  {
    config: "accounts { A { exports: [ {service: b, accounts: [X]} ] } }",
    error: '2:1: "X" account not defined for service export',
  },
  {
    config: 'accounts { A { exports: [ {stream: b, accounts: [X, "$G"]} ] } }',
    error: [
      '2:1: "$G" account not defined for stream export',
      '2:1: "X" account not defined for stream export',
    ],
  },
  {
    config: "accounts { A { exports: [ {service: b, accounts: 5} ] } }",
    error: "2:40: interface conversion: interface {} is int64, not []interface {}",
  },
  {
    config: "accounts { A { exports: [ {service: b.c, account_token_position: 2} ] } }",
    error: '2:1: Error adding service export "b.c": sublist: invalid subject',
  },
  {
    config: "accounts { A { exports: [ {stream: b.c, account_token_position: 9} ] } }",
    error: '2:1: Error adding stream export "b.c": sublist: invalid subject',
  },
  { config: "accounts { A { exports: [ {foo: b.c} ] } }", error: '2:28: unknown field "foo"' },
  {
    config:
      "accounts { A { exports: [ {service: b, response: stream, response_type: single } ] } }",
    error: "2:58: Duplicate response type definition",
  },
  {
    config: "accounts { A { imports: [5 ] } }",
    error: "2:26: Import Items should be a map with type entry, got int64",
  },
  {
    config: "accounts { A { imports: [ {stream: a} ] } }",
    error: "2:28: Stream entry should be an account map, got string",
  },
  {
    config: "accounts { A { imports: [ {service: 5} ] } }",
    error: "2:28: Service entry should be an account map, got int64",
  },
  {
    config: "accounts { A { imports: [ {service: {account: B}} ] } }",
    error: "2:28: Expect an account name and a subject",
  },
  {
    config: "accounts { A { imports: [ {stream: {subject: B}} ] } }",
    error: "2:28: Expect an account name and a subject",
  },
  {
    config: "accounts { A { imports: [ {stream: {account: B, subject: x}, foo: y} ] } }",
    error: '2:62: unknown field "foo"',
  },
  {
    config: "accounts { A { imports: [ {stream: {account: B, subject: x, foo: y}} ] } }",
    error: '2:61: unknown field "foo"',
  },
  {
    config: "accounts { A { imports: [ {service: {account: B, subject: x}} ] } }",
    error: '2:1: "B" account not defined for service import',
  },
  {
    config:
      'accounts { B { exports: [ {stream: x} ] }, A { imports: [ {stream: {account: B, subject: x}, prefix: "p.*"} ] } }',
    error:
      '2:1: Error adding stream import "x": stream import prefix can not contain wildcard tokens',
  },
  {
    config:
      "accounts { B { exports: [ {stream: x} ] }, A { imports: [ {stream: {account: B, subject: x}},{stream: {account: B, subject: x}, to: foo} ] } }",
    error: '2:1: Error adding stream import "x": stream import already exists',
  },
  {
    config:
      "accounts { B { exports: [ {service: x} ] }, A { imports: [ {service: {account: B, subject: x}},{service: {account: B, subject: x}} ] } }",
    error:
      '2:131: Duplicate service import subject "x", previously used in import for account "B", subject "x"',
  },
  {
    config:
      'accounts { B { exports: [ {service: "x.*"} ] }, A { imports: [ {service: {account: B, subject: "x.*"}, to: "y.{{partition(1,1)}}"} ] } }',
    error:
      '2:1: Error adding service import "x.*": failed to create mapping transform for service import subject from "y.{{partition(1,1)}}" to "x.*": invalid mapping destination: the only mapping function allowed for import transforms is {{Wildcard()}} in {{partition(1,1)}}',
  },
  {
    config:
      'accounts { B { exports: [ {service: "x.*.*"} ] }, A { imports: [ {service: {account: B, subject: "x.*.*"}, to: "y.$1"} ] } }',
    error:
      '2:1: Error adding service import "x.*.*": failed to create mapping transform for service import subject from "y.$1" to "x.*.*": invalid mapping destination: not using all of the token wildcard(s) in y.$1',
  },
  {
    config:
      'accounts { B { exports: [ {stream: "x.*.*"} ] }, A { imports: [ {stream: {account: B, subject: "x.*.*"}, to: "y.$2"} ] } }',
    error:
      '2:1: Error adding stream import "x.*.*": failed to create mapping transform for stream import subject from "x.*.*" to "y.$2": invalid mapping destination: not using all of the token wildcard(s) in y.$2',
  },
  {
    config:
      'accounts { B { exports: [ {stream: "x.>"} ] }, A { imports: [ {stream: {account: B, subject: "x.>"}, to: "y"} ] } }',
    error:
      '2:1: Error adding stream import "x.>": failed to create mapping transform for stream import subject from "x.>" to "y": invalid subject',
  },
  {
    config:
      "accounts { A { imports: [ {service: {account: B, subject: x}, allow_trace: true} ] }, B{} }",
    error: '2:87: unknown field "B{}"',
  },
  {
    config: "accounts { A { imports: [ {stream: {account: B, subject: x}, prefix: 5} ] }, B {} }",
    error: "2:62: interface conversion: interface {} is int64, not string",
  },
  { config: "accounts { A { users: 5 } }", error: "Expected users field to be an array, got 5" },
  { config: "accounts { A { foo: 5 } }", error: '2:16: unknown field "foo"' },
  {
    config: "accounts { A { default_permissions: 5 } }",
    error: "2:16: Expected permissions to be a map/struct, got 5",
  },
  {
    config:
      "accounts { A { exports: [{stream: foo}], imports: [{stream: {account: B, subject: foo}}] }, B { exports: [{stream: foo}], imports: [{stream: {account: A, subject: foo}}] } }",
    error: '2:1: Error adding stream import "foo": import forms a cycle',
  },
  {
    config: "mappings: 5",
    error: "2:1: interface conversion: interface {} is int64, not map[string]interface {}",
  },
  { config: 'mappings { "a..b": c }', error: '2:1: Subject "a..b" is not a valid subject' },
  { config: "mappings { a: 5 }", error: "2:12: Expected an entry for the mapping destination" },
  { config: "mappings { a: [5 ] }", error: "2:16: Expected an entry for the mapping destination" },
  {
    config: "mappings { a: {dest: b} }",
    error: '2:12: Missing weight for mapping destination "b"',
  },
  {
    config: "mappings { a: {dest: b, weight: 101} }",
    error: "2:25: Invalid weight 101 for mapping destination",
  },
  {
    config: 'mappings { a: {dest: b, weight: "x%"} }',
    error: '2:25: Invalid weight "x" for mapping destination',
  },
  {
    config: "mappings { a: [{dest: b, weight: 60},{dest: c, weight: 60}] }",
    error: '2:12: Error adding mapping for "a" : total weight needs to be <= 100',
  },
  {
    config: "mappings { a: [{dest: b, weight: 10},{dest: b, weight: 60}] }",
    error: '2:12: Error adding mapping for "a" : duplicate entry for "b"',
  },
  {
    config: "mappings { a: {dest: b, weight: 10, foo: x} }",
    error: '2:37: Unknown field "foo" for mapping destination',
  },
  {
    config: 'mappings { a: "b..c" }',
    error:
      '2:12: Error adding mapping for "a" to "b..c" : invalid mapping destination: invalid transform',
  },
  {
    config: 'mappings { a: "b.*" }',
    error: '2:12: Error adding mapping for "a" to "b.*" : invalid subject',
  },
  {
    config: 'mappings { a: "b.$1" }',
    error:
      '2:12: Error adding mapping for "a" to "b.$1" : invalid mapping destination: wildcard index out of range in $1',
  },
  {
    config: 'mappings { "a.*": "b.$2" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.$2" : invalid mapping destination: wildcard index out of range in $2: [2]',
  },
  {
    config: 'mappings { "a.*": "b.{{foo(1)}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{foo(1)}}" : invalid mapping destination: unknown function in {{foo(1)}}',
  },
  {
    config: 'mappings { "a.*": "b.{{wildcard()}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{wildcard()}}" : invalid mapping destination: not enough arguments passed to the function in {{wildcard()}}',
  },
  {
    config: 'mappings { "a.*": "b.{{wildcard(1,2)}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{wildcard(1,2)}}" : invalid mapping destination: too many arguments passed to the function in {{wildcard(1,2)}}',
  },
  {
    config: 'mappings { "a.*": "b.{{wildcard(x)}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{wildcard(x)}}" : invalid mapping destination: function argument is invalid or in the wrong format in {{wildcard(x)}}',
  },
  {
    config: 'mappings { "a.*": "b.{{Split(1)}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{Split(1)}}" : invalid mapping destination: not enough arguments passed to the function in {{Split(1)}}',
  },
  {
    config: 'mappings { "a.*": "b.{{splitFromLeft(1)}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{splitFromLeft(1)}}" : invalid mapping destination: not enough arguments passed to the function in {{splitFromLeft(1)}}',
  },
  {
    config: 'mappings { "a.*": "b.{{random()}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{random()}}" : invalid mapping destination: function argument is invalid or in the wrong format in {{random()}}',
  },
  {
    config: 'mappings { "a.*": "b.{{partition(5,1,2)}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{partition(5,1,2)}}" : invalid mapping destination: wildcard index out of range in {{partition(5,1,2)}}: [2]',
  },
  {
    config: 'mappings { "a.>": "b" }',
    error: '2:13: Error adding mapping for "a.>" to "b" : invalid subject',
  },
  {
    config: 'mappings { "a": "b.>" }',
    error: '2:13: Error adding mapping for "a" to "b.>" : invalid subject',
  },
  {
    config: 'mappings { "a.*": "b c" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b c" : invalid mapping destination: invalid transform',
  },
  {
    config: 'mappings { "a.*": [{dest: "b.$1", weight: "50%"}, {dest: "a.*", weight: 10}] }',
    error: '2:13: Error adding mapping for "a.*" : invalid subject',
  },
  {
    config: 'mappings { "a.*": [{dest: x, weight: 1.5}] }',
    error: "2:30: Unknown entry type for weight of 1.5",
  },
  {
    config: 'mappings { "a.*": "b.{{left(1,2,3)}}" }',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{left(1,2,3)}}" : invalid mapping destination: too many arguments passed to the function in {{left(1,2,3)}}',
  },
  { config: "mappings { a: true }", error: "2:12: Expected an entry for the mapping destination" },
  {
    config: 'mappings { "a.*": "b.{{partition()}}"}',
    error:
      '2:13: Error adding mapping for "a.*" to "b.{{partition()}}" : invalid mapping destination: function argument is invalid or in the wrong format in {{partition()}}',
  },
]);
