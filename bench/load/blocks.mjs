/**
 * Prebuilt publications: a block is a run of whole PUB frames sent by one write, with what it holds and what a
 * subscriber will read because of it, so that the loop that sends only adds numbers.
 */

/** @typedef {{ bytes: Buffer, messages: number, deliveredBytes: number }} Block */

const BLOCK_BYTES = 128 * 1024;

/**
 * @param {string} subject
 * @param {string} sid
 * @param {number} payloadBytes
 * @returns {number} the size of the MSG frame that delivers such a message
 */
export function deliveredLength(subject, sid, payloadBytes) {
  return `MSG ${subject} ${sid} ${payloadBytes}\r\n`.length + payloadBytes + 2;
}

/**
 * `count` subjects under one prefix, in an order that is shuffled but the same every time: a sequence in order
 * would flatter caches that prefetch and punish those that evict the oldest.
 * @param {string} prefix
 * @param {number} count
 * @returns {string[]}
 */
export function distinctSubjects(prefix, count) {
  const subjects = Array.from(
    { length: count },
    (_, i) => `${prefix}.${String(i).padStart(6, "0")}`,
  );
  let state = 12_345;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const j = state % (i + 1);
    [subjects[i], subjects[j]] = [String(subjects[j]), String(subjects[i])];
  }
  return subjects;
}

/**
 * @param {{ subjects: string[], payloadBytes: number, deliveredBytes: number }} shape
 *   `deliveredBytes`: the size of the frame that delivers one of these, the same for all of them
 * @returns {Block[]} to be sent in turn, over and over
 */
export function buildBlocks({ subjects, payloadBytes, deliveredBytes }) {
  const payload = Buffer.alloc(payloadBytes, "frond-bench-");
  /** @type {Block[]} */
  const blocks = [];
  /** @type {Buffer[]} */
  let parts = [];
  let length = 0;
  const cut = () => {
    const messages = parts.length;
    blocks.push({
      bytes: Buffer.concat(parts),
      messages,
      deliveredBytes: messages * deliveredBytes,
    });
    parts = [];
    length = 0;
  };
  for (let i = 0; i < subjects.length || blocks.length === 0; i++) {
    const frame = Buffer.concat([
      Buffer.from(`PUB ${subjects[i % subjects.length]} ${payloadBytes}\r\n`, "latin1"),
      payload,
      Buffer.from("\r\n"),
    ]);
    parts.push(frame);
    length += frame.length;
    if (length >= BLOCK_BYTES) cut();
  }
  if (parts.length > 0) cut();
  return blocks;
}
