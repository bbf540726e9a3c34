/**
 * Orders two Debian package versions: negative where `a` is older, 0 where dpkg takes them for the same
 * (`1.0` and `1.00`, `1.0` and `0:1.0-0`), positive where `a` is newer.
 * Source: deb-version(7), "Sorting algorithm".
 */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a)
  const right = parseVersion(b)
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  )
}

function parseVersion(text: string): { epoch: number; upstream: string; revision: string } {
  const colon = text.indexOf(':')
  const rest = text.slice(colon + 1)
  const hyphen = rest.lastIndexOf('-')
  return {
    epoch: colon === -1 ? 0 : Number(text.slice(0, colon)),
    upstream: hyphen === -1 ? rest : rest.slice(0, hyphen),
    revision: hyphen === -1 ? '' : rest.slice(hyphen + 1),
  }
}

/** Compares by turns a run of anything but digits and a run of digits, as long as they are the same. */
function compareParts(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const order = weight(a, i) - weight(b, j)
      if (order !== 0) return order
      i++
      j++
    }
    const first = digits(a, i)
    const second = digits(b, j)
    i += first.length
    j += second.length
    const order = compareNumbers(first, second)
    if (order !== 0) return order
  }
  return 0
}

/** A tilde sorts before the end, the end and digits before letters, letters before the rest. */
function weight(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (at >= text.length || isDigit(text, at)) return 0
  if (code === 0x7e) return -1
  const isLetter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
  return isLetter ? code : code + 256
}

/** By length after leading zeros, then as text: dates and commit numbers outgrow safe integers. */
function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '')
  const right = b.replace(/^0+/, '')
  if (left.length !== right.length) return left.length - right.length
  return left < right ? -1 : left > right ? 1 : 0
}

function digits(text: string, from: number): string {
  let to = from
  while (to < text.length && isDigit(text, to)) to++
  return text.slice(from, to)
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}
