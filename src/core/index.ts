export type * from "./contract.ts";
export { CLOSED_STATES, type ClosedState } from "./link/closed-state.ts";
