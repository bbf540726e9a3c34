import { hash } from 'node:crypto'
import { bytesOf } from '../host/bytes.ts'
import type { HostReader } from '../host/host.ts'

/**
 * Whether a configuration file is just as its package brought it. Source: deb-conffiles(5); dpkg's status file lists
 * for each package the paths of these files with the MD5 of what it brought.
 */
export class Conffiles {
  readonly #host: HostReader
  #status: Buffer | undefined

  constructor(host: HostReader) {
    this.#host = host
  }

  isAsBrought(path: string, content: Uint8Array): boolean {
    this.#status ??=
      this.#host.stat(FILE)?.kind === 'file' ? this.#host.read(FILE) : Buffer.alloc(0)
    // One line is looked for among twenty thousand, once or twice a run: there is nothing to parse.
    return this.#status.includes(bytesOf(`\n ${path} ${hash('md5', content)}\n`))
  }
}

const FILE = '/var/lib/dpkg/status'
