/** Help texts that more than one command shows. */

/** What may stand in a body, a subject or a header. */
export const TEMPLATE_HELP = `
Body and Header values of the messages may use templates to create unique messages.

  frond pub test --count 10 "Message {{Count}} @ {{Time}}"
  frond pub test --count 10 "Message {{Count}}: {{ Random 10 100 }}"

Available template functions are:

  Count            the message number
  TimeStamp        RFC3339 format current time
  Unix             seconds since 1970 in UTC
  UnixNano         nano seconds since 1970 in UTC
  Time             the current time
  ID               an unique ID
  Random min max   random string at least min long, at most max`;

/** The same for the side that answers. */
export const REPLY_HELP = `
The "command" may use parts of the subject the request came in on. When the subject listened on
is "weather.>", a request on "weather.london" can use the "london" part:

  frond reply 'weather.>' --command "curl -s wttr.in/{{1}}?format=3"

Use {{.Request}} for the request's body. The command also gets it in its environment, as
NATS_REQUEST_BODY, with the subject in NATS_REQUEST_SUBJECT.
${TEMPLATE_HELP}
  Request          the request payload`;
