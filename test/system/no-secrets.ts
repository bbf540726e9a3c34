import { formsOf, secretsIn } from '../support/canary.ts'
import type { CommandResult } from './command.ts'
import type { TestHost } from './rig.ts'

/**
 * Prints the files that hold one of the texts, one a line on the standard input: in the record, but for what is kept
 * there as a file of root's alone; in logs; and wherever else everybody can read them. Only what is newer than the
 * host is looked at. What it needs lies in a mount of its own, for tests look at what was touched.
 */
const look = `cd /
mount -t tmpfs -o mode=700 none mnt || exec echo 'nowhere: there is no place to look from'
texts=mnt/texts; cat >"$texts"
find var/lib/steward -type f ! \\( -path '*/objects/*' -perm 600 \\) -print0 2>/dev/null |
  xargs -0r grep -alFf "$texts" --
find var/log root tmp -xdev -type f -newer /etc/machine-id -size -20M -print0 2>/dev/null |
  xargs -0r grep -alFf "$texts" --
find etc run home srv opt var usr/local -xdev -type f -perm -o+r -newer /etc/machine-id -size -20M -print0 2>/dev/null |
  xargs -0r grep -alFf "$texts" --
grep -alFf "$texts" /proc/[0-9]*/cmdline 2>/dev/null
exit 0`

/**
 * Throws where a secret of the host's zulip-secrets.conf can be read in what was printed, in the record, in logs, in
 * the arguments of a process or in any file that everybody can read.
 */
export async function expectNoSecrets(
  host: TestHost,
  ...printed: readonly (CommandResult | undefined)[]
): Promise<void> {
  const { stdout } = await host.exec(['cat', '/etc/zulip/zulip-secrets.conf'])
  const found = [...stdout.matchAll(/^(\w+)\s*=\s*(\S.{7,})$/gm)]
  const secrets = Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]))
  if (found.length === 0) return
  const text = printed.map((result) => `${result?.stdout}${result?.stderr}`).join('\n')
  const told = secretsIn(text, secrets)
  const forms = [...new Set(Object.values(secrets).flatMap(formsOf))].filter(
    (form) => form.length > 7,
  )
  const files = await host.exec(['unshare', '--mount', 'sh', '-c', look], {
    stdin: `${forms.join('\n')}\n`,
  })
  const places = files.stdout.trim()
  if (told.length > 0) throw new Error(`these secrets were printed: ${told.join(', ')}\n${text}`)
  if (places !== '') throw new Error(`a secret can be read in:\n${places}`)
}
