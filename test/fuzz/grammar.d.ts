/**
 * Conversations as a stranger might hold them: mostly right, wrong in places. Everything comes from one `Random`,
 * as latin1 text; `mutate` then damages it.
 */
import type { Random } from "../../src/testing/random.ts";
export type Role = "client" | "leaf" | "hub";
export declare function subject(random: Random): string;
export declare function clientConnect(random: Random): string;
export declare function leafConnect(random: Random): string;
export declare function hubInfo(random: Random, second: boolean): string;
/** A whole conversation from the peer's side. */
export declare function conversation(random: Random, role: Role): string;
/** Damages a text in a few places. */
export declare function mutate(random: Random, text: string): string;
export declare function garbage(random: Random): string;
//# sourceMappingURL=grammar.d.ts.map
