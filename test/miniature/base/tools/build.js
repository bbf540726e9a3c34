// Builds the static files of the tree that it is run in: prod-static/serve, and where the application finds them.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { brotliCompressSync } from 'node:zlib'

const begun = performance.now()
const out = 'prod-static/serve/webpack-bundles'
// The same name in every release; the others change with what they hold.
const fixed = ['5xx.html', 'katex_server.js']

const version = existsSync('zulip-git-version')
  ? readFileSync('zulip-git-version', 'utf8').split('\n')[0]
  : /^ZULIP_VERSION = "(.+)"$/m.exec(readFileSync('version.py', 'utf8'))?.[1]

rmSync('prod-static/serve', { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const names = {}
let transferred = 0
for (const name of readdirSync('web/src').sort()) {
  const text = readFileSync(`web/src/${name}`, 'utf8').replaceAll('VERSION', version)
  const extension = extname(name)
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 20)
  const built = fixed.includes(name) ? name : `${basename(name, extension)}.${hash}${extension}`
  writeFileSync(`${out}/${built}`, text)
  transferred += brotliCompressSync(text).length
  if (extension === '.js') names[basename(name, extension)] = built
}
writeFileSync('webpack-stats-production.json', JSON.stringify(names))

const seconds = ((performance.now() - begun) / 1000).toFixed(2)
const megabytes = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(
  `${version}: ${readdirSync(out).length} files, ${transferred} bytes to transfer, ${seconds} s, ${megabytes} MB at most`,
)
