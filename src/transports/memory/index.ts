export { memoryPair, MemoryWire } from "./memory-wire.ts";
export type { MemoryPair, MemoryWireHandler, MemoryWireOptions } from "./memory-wire.ts";
