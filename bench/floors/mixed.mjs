// The least that any program must do to find the mixed server unchanged: look at each resource once.
// mixed.mjs STATE TEMPLATE FILES TARGET ; STATE is the state as JSON, FILES the folder of what is copied.
import fs from 'node:fs'

const [stateFile, template, files, target] = process.argv.slice(2)
const state = JSON.parse(fs.readFileSync(stateFile, 'utf8'))
const at = (path) => `${target}/${path}`
const lstat = (path) => fs.lstatSync(at(path), { throwIfNoEntry: false })
let wrong = 0
const expect = (right, what) => {
  if (right) return
  wrong++
  console.log(`differs: ${what}`)
}

const installed = new Set()
const status = fs.readFileSync('/var/lib/dpkg/status', 'utf8')
for (const [, name] of status.matchAll(
  /^Package: (\S+)\n(?:(?:Essential|Protected|Important): .*\n)*Status: install ok installed$/gm,
)) {
  installed.add(name)
}
for (const name of state.packages) expect(installed.has(name), name)
for (const path of state.directories) expect(lstat(path)?.isDirectory(), path)

const expectFile = (path, bytes) => {
  const stat = lstat(path)
  const attributes = stat?.isFile() && (stat.mode & 0o7777) === 0o644 && stat.uid === 0
  expect(attributes && fs.readFileSync(at(path)).equals(bytes), path)
}
const [head, rest] = fs.readFileSync(template, 'utf8').split('@for@\n')
const [body, tail] = rest.split('@end@\n')
const text = head + state.hosts.map((host) => body.replaceAll('@h@', host)).join('') + tail
for (const { path, i, port, key } of state.files) {
  const wanted = text.replaceAll('@i@', i).replaceAll('@port@', port).replaceAll('@key@', key)
  expectFile(path, Buffer.from(wanted))
}
for (const { path, source } of state.copies) expectFile(path, fs.readFileSync(`${files}/${source}`))
for (const { path, text } of state.texts) expectFile(path, Buffer.from(text))
for (const { path, to } of state.links) {
  expect(lstat(path)?.isSymbolicLink() && fs.readlinkSync(at(path)) === at(to), path)
}
const passwd = fs.readFileSync('/etc/passwd', 'utf8')
const group = fs.readFileSync('/etc/group', 'utf8')
for (const { name, uid } of state.users) expect(passwd.includes(`${name}:x:${uid}:`), name)
for (const { name, gid } of state.groups) expect(group.includes(`${name}:x:${gid}:`), name)
for (const { creates } of state.commands) expect(fs.existsSync(at(creates)), creates)
console.log(`${wrong} differ`)
