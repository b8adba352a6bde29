import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A file as a server has it. */
export interface ServedFile {
  readonly bytes: Uint8Array;
  readonly type?: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Whether the server answers requests for ranges with them. Default: true. */
  readonly ranges?: boolean;
  /** Compresses answers, those of ranges too, as some proxies do, whatever the client accepts. */
  readonly gzip?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What goes wrong in one answer. Numbers of bytes are those of its body. */
export type Fault =
  /** The connection ends after so many bytes. */
  | { readonly cut: number }
  /** Nothing more comes after so many bytes; -1: not even the headers. */
  | { readonly stall: number }
  /** A status without a file. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Another page, with status 200. */
  | { readonly html: string }
  /** Content-Range and body begin so many bytes later than asked for. */
  | { readonly shift: number }
  /**
   * Content-Range is as asked for, or is left out, and the body has so many bytes more or fewer, in chunks or with its
   * own Content-Length.
   */
  | { readonly longer: number; readonly chunked?: boolean; readonly contentRange?: false }
  /** Only so many bytes of the range, which Content-Range says. */
  | { readonly atMost: number };

/** What a request was and what it was answered. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
  status: number;
  /** Bytes of the body that were handed to the connection. */
  sent: number;
}

/** A server of files that can be slow, limited and wrong. */
export interface FileServer {
  readonly origin: string;
  readonly files: Map<string, ServedFile>;
  /** Every request, in the order of their arrival. */
  readonly log: LoggedRequest[];
  /** Asked for each request; what it gives goes wrong. */
  fault: (request: LoggedRequest, number: number) => Fault | undefined;
  /** Paths and where they redirect to. */
  readonly redirects: Map<string, string>;
  close(): Promise<void>;
}

/** Options of {@link startFileServer}. */
export interface FileServerOptions {
  /** Bytes a second, of all connections together. Default: no limit. */
  readonly bandwidth?: number;
  /** Milliseconds before each answer. */
  readonly latency?: number;
  /** Sent with every answer: those of cross-origin isolation, for example. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes that are written at a time, so that a limited bandwidth is shared. */
const CHUNK = 2 ** 14;

/** Starts a server on a free port of this machine. */
export async function startFileServer(
  files: Iterable<readonly [path: string, file: ServedFile]>,
  { bandwidth = Number.POSITIVE_INFINITY, latency = 0, headers: everywhere = {} }: FileServerOptions = {},
): Promise<FileServer> {
  const sockets = new Set<Socket>();
  let isFreeAt = 0;

  /** Waits until the line has room for so many bytes. */
  async function transmit(bytes: number): Promise<void> {
    if (bandwidth === Number.POSITIVE_INFINITY) return;
    isFreeAt = Math.max(isFreeAt, performance.now()) + (1000 * bytes) / bandwidth;
    await sleep(isFreeAt - performance.now());
  }

  async function send(response: ServerResponse, entry: LoggedRequest, body: Uint8Array, fault: Fault | undefined) {
    const stop = fault && 'cut' in fault ? fault.cut : fault && 'stall' in fault ? fault.stall : body.length;
    const end = Math.min(stop, body.length);
    // Without this the headers would wait for the first byte of the body.
    response.flushHeaders();
    for (let at = 0; at < end && !response.destroyed; at += CHUNK) {
      const chunk = body.subarray(at, Math.min(at + CHUNK, end));
      await transmit(chunk.length);
      entry.sent += chunk.length;
      if (!response.write(chunk)) await drained(response);
    }
    if (fault && 'stall' in fault) return;
    if (fault && 'cut' in fault) {
      // What was written gets out before the connection ends.
      await sleep(5);
      response.destroy();
    } else response.end();
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const { range, 'if-range': ifRange, authorization } = request.headers;
    const method = request.method ?? 'GET';
    const entry: LoggedRequest = { method, path, range, ifRange: ifRange as string, authorization, status: 0, sent: 0 };
    const fault = server.fault(entry, server.log.push(entry) - 1);
    if (latency > 0) await sleep(latency);
    if (fault && 'stall' in fault && fault.stall < 0) return;
    const head = (status: number, headers: Record<string, string | number> = {}) => {
      entry.status = status;
      response.writeHead(status, { ...everywhere, ...headers });
    };
    const target = server.redirects.get(path);
    if (target !== undefined) {
      head(302, { location: target });
      response.end();
      return;
    }
    if (fault && 'status' in fault) {
      head(fault.status, fault.headers);
      response.end('an error');
      return;
    }
    const file: ServedFile | undefined =
      fault && 'html' in fault ? { bytes: text(fault.html), type: 'text/html', ranges: false } : server.files.get(path);
    if (file === undefined) {
      head(404, { 'content-type': 'text/plain' });
      response.end('not found');
      return;
    }
    const { bytes, etag, lastModified, ranges = true, gzip = false } = file;
    const headers: Record<string, string> = {
      'content-type': file.type ?? 'application/octet-stream',
      ...(etag && { etag }),
      ...(lastModified && { 'last-modified': lastModified }),
      ...(gzip && { 'content-encoding': 'gzip' }),
      ...file.headers,
    };
    const pack = (body: Uint8Array) => (gzip ? gzipSync(body) : body);
    const isSame = ifRange === undefined || ifRange === etag || ifRange === lastModified;
    const asked = ranges && isSame ? rangeOf(range, bytes.length) : undefined;
    if (asked === undefined) {
      let body = pack(bytes);
      if (fault && 'longer' in fault) body = lengthened(body, 0, body.length, fault.longer);
      head(200, fault && 'longer' in fault && fault.chunked ? headers : { ...headers, 'content-length': body.length });
      return send(response, entry, body, fault);
    }
    let [start, end] = asked;
    if (start >= end) {
      head(416, { ...headers, 'content-range': `bytes */${bytes.length}` });
      response.end();
      return;
    }
    if (fault && 'atMost' in fault) end = Math.min(end, start + fault.atMost);
    if (fault && 'shift' in fault) {
      start = Math.min(start + fault.shift, bytes.length - 1);
      end = Math.max(end, start + 1);
    }
    const longer = fault && 'longer' in fault ? fault : undefined;
    const body = pack(lengthened(bytes, start, end, longer?.longer ?? 0));
    head(206, {
      ...headers,
      ...(longer?.contentRange !== false && { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
      ...(!longer?.chunked && { 'content-length': body.length }),
    });
    return send(response, entry, body, fault);
  }

  const http = createServer((request, response) => {
    serve(request, response).catch((error) => response.destroy(error));
  });
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: FileServer = {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    files: new Map(files),
    log: [],
    fault: () => undefined,
    redirects: new Map(),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

/** The range `[start, end)` that a header asks for; empty where the file has none of it. */
function rangeOf(header: string | undefined, size: number): [number, number] | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (found === null) return undefined;
  if (found[1] === '') return [Math.max(0, size - Number(found[2])), size];
  return [Number(found[1]), found[2] === '' ? size : Math.min(size, Number(found[2]) + 1)];
}

/** The bytes `[start, end)`, or so many more (zeros where there are none) or fewer. */
function lengthened(bytes: Uint8Array, start: number, end: number, longer: number): Uint8Array {
  if (longer === 0) return bytes.subarray(start, end);
  const body = new Uint8Array(Math.max(0, end - start + longer));
  body.set(bytes.subarray(start, start + body.length));
  return body;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function text(of: string): Uint8Array {
  return new TextEncoder().encode(of);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
