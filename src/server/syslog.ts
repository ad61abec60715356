/**
 * The log of the system: the local one, or one reached by `udp://host:port`, `tcp://host:port` or
 * `unix:///path`. Lines carry a severity instead of the time and the tag that files have.
 *
 * Node has no datagram sockets of the Unix kind, which is what `/dev/log` mostly is; there the `logger`
 * command passes lines on. A receiver that does not take lines as fast as they come loses some.
 */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { connect, isIPv6 } from "node:net";
import { hostname } from "node:os";
import type { Writable } from "node:stream";
import type { LogLevel } from "../core/index.ts";
import { SinkLogger, type LogLevels, type Logger, entryText } from "./logger.ts";
import { osErrorText } from "./os-error.ts";

/** An open way to a system log. */
export interface Syslog {
  readonly logger: Logger;
  /** Resolves when what was logged is on its way, or after a second. */
  close(): Promise<void>;
}

export interface SyslogSettings extends LogLevels {
  /** The URL of another machine's log; null: the local one. */
  readonly remote: string | null;
  /** The program's name. */
  readonly tag: string;
  readonly pid: number;
}

/** Opens it; rejects with an error whose message is fit to print. */
export async function openSyslog(settings: SyslogSettings): Promise<Syslog> {
  const { remote, tag, pid } = settings;
  const { channel, header } = remote === null ? await openLocal(tag) : await openRemote(remote);
  const logger = new SinkLogger(({ level, label, text }) => {
    const priority = FACILITY_DAEMON + SEVERITIES[level];
    const line = entryText(label, text);
    channel.send(header === null ? `<${priority}>${line}\n` : header(priority, tag, pid) + line);
  }, settings);
  return { logger, close: () => channel.close() };
}

const FACILITY_DAEMON = 3 * 8;
const SEVERITIES: Readonly<Record<LogLevel, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  notice: 5,
  trace: 5,
  debug: 7,
};

type Header = (priority: number, tag: string, pid: number) => string;

interface Channel {
  send(message: string): void;
  close(): Promise<void>;
}

interface Route {
  readonly channel: Channel;
  /** null: the channel adds what belongs before a message. */
  readonly header: Header | null;
}

const localHeader: Header = (priority, tag, pid) => {
  const now = new Date();
  const month = now.toLocaleString("en-US", { month: "short" });
  const day = String(now.getDate()).padStart(2, " ");
  return `<${priority}>${month} ${day} ${now.toTimeString().slice(0, 8)} ${tag}[${pid}]: `;
};

const remoteHeader: Header = (priority, tag, pid) => {
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  return `<${priority}>${time} ${hostname()} ${tag}[${pid}]: `;
};

async function openRemote(url: string): Promise<Route> {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(url) ?? [];
  if (scheme === "unix") {
    return { channel: await openStream({ path: rest }, `unix ${rest}`), header: localHeader };
  }
  if (scheme !== "udp" && scheme !== "tcp") {
    throw new Error(`error invalid network type: "${scheme}"`);
  }
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:/]*)):(\d+)/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined) {
    throw connectError(`dial ${scheme}: address ${rest}: missing port in address`);
  }
  const target = { host: host === "" ? "localhost" : host, port: Number(port) };
  const channel =
    scheme === "udp" ? await openUdp(target) : await openStream(target, `tcp ${rest}`);
  return { channel, header: remoteHeader };
}

function connectError(reason: string): Error {
  return new Error(`error connecting to syslog: "${reason}"`);
}

const LOCAL_SOCKETS = ["/dev/log", "/var/run/syslog", "/var/run/log"];

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

async function openLocal(tag: string): Promise<Route> {
  const path = LOCAL_SOCKETS.find(isSocket);
  if (path !== undefined) {
    try {
      return { channel: await openStream({ path }, `unix ${path}`), header: localHeader };
    } catch {
      // A datagram socket, most likely.
    }
    const channel = await openLoggerCommand(tag);
    if (channel !== null) return { channel, header: null };
  }
  throw connectError("Unix syslog delivery error");
}

async function openUdp(target: { readonly host: string; readonly port: number }): Promise<Channel> {
  const { createSocket } = await import("node:dgram");
  const socket = createSocket(isIPv6(target.host) ? "udp6" : "udp4");
  // A log that nobody receives is no reason to stop serving.
  socket.on("error", () => {});
  let pending = 0;
  let done = (): void => {};
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(connectError(`dial udp ${target.host}:${target.port}: ${osErrorText(error)}`));
    };
    socket.once("error", failed);
    socket.connect(target.port, target.host, () => {
      socket.off("error", failed);
      socket.unref();
      resolve();
    });
  });
  return {
    send(message) {
      if (pending >= 1000) return;
      pending++;
      socket.send(message, () => {
        if (--pending === 0) done();
      });
    },
    async close() {
      if (pending > 0) await atMostASecond(new Promise((resolve) => (done = () => resolve())));
      socket.close();
    },
  };
}

/** Bytes that may wait for a slow receiver. */
const MOST_WAITING = 1 << 20;

async function openStream(
  target: { readonly path: string } | { readonly host: string; readonly port: number },
  shown: string,
): Promise<Channel> {
  const open = (): Promise<Writable> =>
    new Promise((resolve, reject) => {
      const socket = connect(target);
      socket.once("error", (error) => reject(connectError(dialError(shown, error))));
      socket.once("connect", () => {
        socket.resume();
        socket.unref();
        resolve(socket);
      });
    });
  let stream = await open();
  let reopening = false;
  return {
    send(message) {
      if (stream.writable && stream.writableLength < MOST_WAITING) stream.write(`${message}\n`);
      if (stream.writable || reopening) return;
      reopening = true;
      void open()
        .then((fresh) => {
          stream = fresh;
          stream.write(`${message}\n`);
        })
        .catch(() => {})
        .finally(() => (reopening = false));
    },
    close: () => ended(stream),
  };
}

function dialError(shown: string, error: Error): string {
  const [network, address] = shown.split(" ");
  return `dial ${network} ${address}: connect: ${osErrorText(error)}`;
}

/** The command that passes lines to the local log; null where there is none. */
async function openLoggerCommand(tag: string): Promise<Channel | null> {
  const child = spawn("logger", ["--prio-prefix", "--tag", tag, `--id=${process.pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const started = await new Promise<boolean>((resolve) => {
    child.once("spawn", () => resolve(true));
    child.once("error", () => resolve(false));
  });
  if (!started) return null;
  child.unref();
  child.stdin.on("error", () => {});
  return {
    send(message) {
      if (child.stdin.writable && child.stdin.writableLength < MOST_WAITING) {
        child.stdin.write(message);
      }
    },
    close: () => ended(child.stdin),
  };
}

function ended(stream: Writable): Promise<void> {
  if (!stream.writable) return Promise.resolve();
  return atMostASecond(new Promise((resolve) => stream.end(resolve)));
}

async function atMostASecond(what: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, 1000)));
  await Promise.race([what, limit]);
  clearTimeout(timer);
}
