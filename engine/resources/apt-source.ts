/** A preference for packages. Source: apt_preferences(5). */
export interface Pin {
  /** Names or globs; every package when absent. */
  readonly packages?: string | readonly string[]
  /** What it prefers: `origin "host"`, `release n=bookworm-pgdg`, `version 15*`. */
  readonly pin: string
  readonly priority: number
}

/** What a `.sources` file says; lists as apt has them. Source: sources.list(5), "DEB822-style format". */
export interface Source {
  readonly types: readonly string[]
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
  readonly architectures: readonly string[]
  readonly enabled: boolean
  /** The path of a keyring; absent for the keys that apt trusts for everything. */
  readonly signedBy: string | undefined
}

export function renderSource(ref: string, source: Source): string {
  const fields = {
    Types: source.types.join(' '),
    URIs: source.uris.join(' '),
    Suites: source.suites.join(' '),
    Components: source.components.join(' '),
    Architectures: source.architectures.join(' '),
    'Signed-By': source.signedBy ?? '',
    Enabled: source.enabled ? '' : 'no',
  }
  return `# ${keptBy(ref)}\n${paragraph(fields)}`
}

export function renderPins(ref: string, pins: readonly Pin[]): string {
  return pins
    .map(({ packages = '*', pin, priority }) =>
      paragraph({
        Explanation: keptBy(ref),
        Package: [packages].flat().join(' '),
        Pin: pin,
        'Pin-Priority': String(priority),
      }),
    )
    .join('\n')
}

/** A key as apt reads it from a `.asc` file: what is only base64 gets the lines around it. */
export function armouredKey(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim()
  if (lines.startsWith('-----BEGIN')) return `${lines}\n`
  const wrapped = lines.replace(/\s/g, '').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${wrapped}\n-----END PGP PUBLIC KEY BLOCK-----\n`
}

/** Whether it is an armoured public key, or base64 of something. */
export function isKey(text: string): boolean {
  const armoured =
    /^-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n[\s\S]+\n-----END PGP PUBLIC KEY BLOCK-----$/
  const base64 = /^[A-Za-z0-9+/\s]{64,}={0,2}$/
  return armoured.test(text.trim()) || base64.test(text.trim())
}

function keptBy(ref: string): string {
  return `Kept by steward as ${ref}: what is changed here is overwritten.`
}

/** The fields that have a value, one a line. */
function paragraph(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')
}
