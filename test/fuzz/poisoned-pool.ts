/**
 * A buffer pool that tells on its users. What a free slab held is overwritten, so that whoever still reads it reads
 * nonsense; a slab that was written to while it was free, or is held or dropped without being held, is a fault.
 */
import { type BufferPool, SMALL, type Slab } from "../../src/core/bytes/pool.ts";

const POISON = 0xee;
let poison = Buffer.alloc(1024 * 1024, POISON);

/** Makes an engine's pool such a pool. Returns how many slabs were taken since and not given back. */
export function poisonPool(pool: BufferPool, fault: (text: string) => void): () => number {
  let taken = 0;
  const free = new WeakSet<Slab>();
  const watched = new WeakSet<Slab>();

  function watch(slab: Slab): Slab {
    taken++;
    if (free.delete(slab) && !isPoisoned(slab.bytes)) fault("a free buffer was written to");
    if (watched.has(slab)) return slab;
    watched.add(slab);
    const hold = slab.hold.bind(slab);
    const drop = slab.drop.bind(slab);
    slab.hold = () => {
      if (free.has(slab)) fault("a free buffer was held");
      hold();
    };
    slab.drop = () => {
      if (free.has(slab)) fault("a free buffer was dropped");
      drop();
    };
    return slab;
  }

  const give = pool.give.bind(pool);
  pool.give = (slab) => {
    slab.bytes.fill(POISON);
    free.add(slab);
    taken--;
    give(slab);
  };
  const take = pool.take.bind(pool);
  const takeSmall = pool.takeSmall.bind(pool);
  const fit = pool.fit.bind(pool);
  pool.take = (length) => watch(take(length));
  pool.takeSmall = () => watch(takeSmall());
  pool.fit = (length) => (length <= SMALL ? pool.takeSmall() : watch(fit(length)));
  return () => taken;
}

function isPoisoned(bytes: Uint8Array): boolean {
  if (poison.length < bytes.length) poison = Buffer.alloc(bytes.length * 2, POISON);
  return poison.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}
