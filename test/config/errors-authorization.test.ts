import { testErrors } from "./errors.ts";

testErrors([
  {
    config: 'authorization { timeout: "x" }',
    error: "2:17: error parsing authorization config, 'timeout' time: invalid duration \"x\"",
  },
  {
    config: "authorization { timeout: [1 ] }",
    error: "2:17: error parsing authorization config, 'timeout' wrong type",
  },
  {
    config: "authorization { timeout: 100 }",
    error:
      "2:17: invalid use of field \"timeout\": timeout of 100 (100.000000 seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example",
  },
  {
    config: 'authorization { timeout: "2m" }',
    error:
      "2:17: invalid use of field \"timeout\": timeout of 2m (120.000000 seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example",
  },
  {
    config: "authorization { timeout: 60.5 }",
    error:
      "2:17: invalid use of field \"timeout\": timeout of 60.5 (60.500000 seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example",
  },
  {
    config: "authorization { timeout: 2m }",
    error:
      "2:17: invalid use of field \"timeout\": timeout of 2000000 (2000000.000000 seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example",
  },
  {
    config: "authorization { Timeout: 1h }",
    error:
      "2:17: invalid use of field \"Timeout\": timeout of 1h (3600.000000 seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example",
  },
  {
    config: "authorization { users: [ {user: a, password: b}, {user: a, password: c} ] }",
    error: '2:1: Duplicate user "a" detected',
  },
  {
    config: "authorization { users: [ {password: b} ] }",
    error: "2:27: User entry requires a user",
  },
  {
    config: "authorization { users: [ {nkey: x, user: y} ] }",
    error: "2:36: Not a valid public nkey for a user",
  },
  {
    config:
      "authorization { users: [ {nkey: UCNGL4W5QX66CFX6A6DCBVDH5VOHMI7B2UZZU7TXAUQQSI2JPHULCKBR, user: y} ] }",
    error: "2:91: Nkey users do not take usernames or passwords",
  },
  {
    config:
      "authorization { users: [ {nkey: UCNGL4W5QX66CFX6A6DCBVDH5VOHMI7B2UZZU7TXAUQQSI2JPHULCKBR},{nkey: UCNGL4W5QX66CFX6A6DCBVDH5VOHMI7B2UZZU7TXAUQQSI2JPHULCKBR} ] }",
    error:
      '2:1: Duplicate nkey "UCNGL4W5QX66CFX6A6DCBVDH5VOHMI7B2UZZU7TXAUQQSI2JPHULCKBR" detected',
  },
  {
    config:
      "authorization { users: [ {user: a, password: b, allowed_connection_types: [foo, standard]} ] }",
    error: '2:49: invalid connection types ["FOO"]',
  },
  {
    config: "authorization { users: [ {user: a, password: b, connection_types: 5} ] }",
    error: "2:49: error parsing allowed connection types: unsupported type int64",
  },
  {
    config: "authorization { users: [ {user: a, password: b, clients: [5 ]} ] }",
    error: "2:59: error parsing allowed connection types: unsupported type in array int64",
  },
  {
    config: "authorization { users: [ {user: a, permissions: 5} ] }",
    error: "2:36: Expected permissions to be a map/struct, got 5",
  },
  {
    config: "authorization { users: [ {user: a, permissions: {publish: 5}} ] }",
    error: "Expected subject permissions to be a subject, or array of subjects, got int64",
  },
  {
    config: "authorization { users: [ {user: a, permissions: {publish: {allow: 5}}} ] }",
    error: "2:60: Expected subject permissions to be a subject, or array of subjects, got int64",
  },
  {
    config: 'authorization { users: [ {user: a, permissions: {publish: {allow: "a b"}}} ] }',
    error: '2:60: subject "a b" is not a valid subject',
  },
  {
    config:
      'authorization { users: [ {user: a, permissions: {subscribe: {allow: ["a b", "a b c"]}}} ] }',
    error: '2:62: subject "a b c" is not a valid subject',
  },
  {
    config: 'authorization { users: [ {user: a, permissions: {subscribe: "a b..c"}} ] }',
    error: 'queue "b..c" is not a valid queue',
  },
  {
    config: 'authorization { users: [ {user: a, permissions: {subscribe: ["a..b q"]}} ] }',
    error: 'subject "a..b" is not a valid subject',
  },
  {
    config: "authorization { users: [ {user: a, permissions: {allow_responses: 5}} ] }",
    error: "2:50: error parsing response permissions, expected a boolean or a map",
  },
  {
    config: 'authorization { users: [ {user: a, permissions: {allow_responses: {max: "x"}}} ] }',
    error: "2:68: interface conversion: interface {} is string, not int64",
  },
  {
    config: "authorization { users: [ {user: a, permissions: {allow_responses: {expires: 5}}} ] }",
    error: "2:68: error parsing expires, not a duration string",
  },
  {
    config:
      'authorization { users: [ {user: a, permissions: {allow_responses: {expires: "5"}}} ] }',
    error: '2:68: error parsing expires: time: missing unit in duration "5"',
  },
  {
    config: 'authorization { users: [ {user: a, permissions: {allow_responses: {foo: "5"}}} ] }',
    error: '2:68: Unknown field "foo" parsing permissions',
  },
  {
    config: 'authorization { users: [ {user: a, permissions: {foo: "5"}} ] }',
    error: '2:50: Unknown field "foo" parsing permissions',
  },
  {
    config: "authorization { users: [ {user: a, permissions: {publish: {foo: 5}}} ] }",
    error:
      "2:60: Unknown field name \"foo\" parsing subject permissions, only 'allow' or 'deny' are permitted",
  },
  {
    config: "authorization { users: [ {user: a, permissions: {publish: [a, 5 ]}} ] }",
    error: "2:63: Subject in permissions array cannot be cast to string",
  },
  {
    config: "authorization { auth_callout: 5 }",
    error: "2:17: Expected authorization callout to be a map/struct, got 5",
  },
  {
    config: "authorization { auth_callout {} }",
    error: "2:17: Authorization callouts require an issuer to be specified",
  },
  {
    config: "authorization { auth_callout { issuer: x } }",
    error: '2:32: Expected callout user to be a valid public account nkey, got "x"',
  },
  {
    config:
      "authorization { auth_callout { issuer: ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA } }",
    error: "2:32: Authorization callouts require authorized users to be specified",
  },
  {
    config:
      "authorization { auth_callout { issuer: ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA, auth_users: a } }",
    error: "2:98: Expected auth_users field to be an array, got *conf.token",
  },
  {
    config:
      "authorization { auth_callout { issuer: ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA, auth_users: [a], allowed_accounts: [X] } }",
    error: 'auth_callout allowed account "X" not found in configured accounts',
  },
  {
    config:
      "authorization { auth_callout { issuer: ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA, auth_users: [a], xkey: x } }",
    error: '2:115: Expected callout xkey to be a valid public xkey, got "x"',
  },
  {
    config:
      "authorization { auth_callout { issuer: ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA, auth_users: [a], foo: x } }",
    error: '2:115: Unknown field "foo" parsing authorization callout',
  },
]);
