/**
 * Two versions: the one that NATS peers and tools read, which says whose behaviour this server has, and
 * Frond's own.
 */
export const NATS_VERSION = "2.15.2";
export const FROND_VERSION = "0.1.0";
/** What stands in INFO's and varz's `go`: which runtime this is. */
export const RUNTIME_VERSION = `node${process.versions.node}`;
