/**
 * What may come out of an engine: a strict reader of both protocols, written apart from the core's parser. Returns
 * the first thing that must not be there, or null.
 */
import type { Role } from "./grammar.ts";
export declare function wrongOutput(text: string, role: Role): string | null;
//# sourceMappingURL=output.d.ts.map
