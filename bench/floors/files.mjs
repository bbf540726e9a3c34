// The least that any program must do for a state of files, in Node: synchronous system
// calls, no packages. files.mjs apply|check sync|nosync LIST TEMPLATE TARGET ; LIST holds "d
// PATH" or "f PATH I PORT KEY" in each line.
import fs from 'node:fs'

const [mode, syncing, list, template, target] = process.argv.slice(2)
const apply = mode === 'apply'
const sync = syncing === 'sync'
const hosts = 'alpha bravo charlie delta echo foxtrot golf hotel india juliett'.split(' ')
const [head, rest] = fs.readFileSync(template, 'utf8').split('@for@\n')
const [body, tail] = rest.split('@end@\n')
const parts = (text) => text.split(/(@i@|@port@|@key@)/)
const pieces = [
  ...parts(head),
  ...hosts.flatMap((host) => parts(body.replaceAll('@h@', host))),
  ...parts(tail),
]

let seen = 0
let changed = 0
const differences = []
const buffer = Buffer.allocUnsafe(1 << 16)
if (apply) fs.mkdirSync(target, { recursive: true })
process.chdir(target)
for (const line of fs.readFileSync(list, 'utf8').split('\n')) {
  if (line === '') continue
  seen++
  const [kind, path, i, port, key] = line.split(' ')
  const stat = fs.lstatSync(path, { throwIfNoEntry: false })
  if (kind === 'd') {
    if (stat !== undefined) continue
    changed++
    if (apply) fs.mkdirSync(path, 0o755)
    continue
  }
  let text = ''
  for (const piece of pieces) {
    text += piece === '@i@' ? i : piece === '@port@' ? port : piece === '@key@' ? key : piece
  }
  const wanted = Buffer.from(text)
  let length = 0
  if (stat?.isFile()) {
    const fd = fs.openSync(path, 'r')
    length = fs.readSync(fd, buffer, 0, buffer.length, 0)
    fs.closeSync(fd)
    if (wanted.equals(buffer.subarray(0, length))) {
      if ((stat.mode & 0o7777) === 0o644 && stat.uid === 0) continue
      changed++
      if (apply) {
        fs.chmodSync(path, 0o644)
        fs.chownSync(path, 0, 0)
      }
      continue
    }
  }
  changed++
  if (apply) {
    const temporary = `${path}.tmp~`
    const fd = fs.openSync(temporary, 'w', 0o600)
    fs.writeSync(fd, wanted)
    fs.fchownSync(fd, 0, 0)
    fs.fchmodSync(fd, 0o644)
    if (sync) fs.fsyncSync(fd)
    fs.closeSync(fd)
    fs.renameSync(temporary, path)
  } else {
    const before = buffer.toString('utf8', 0, length).split('\n')
    for (const [k, now] of text.split('\n').entries()) {
      if (now !== before[k]) differences.push(`${path}:${k + 1}: -${before[k]} +${now}`)
    }
  }
}
console.log(differences.join('\n'))
console.log(`${seen} resources, ${changed} changed`)
