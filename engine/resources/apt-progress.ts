/**
 * Reads what apt-get and dpkg print, line by line, and tells what they are at: what is fetched, unpacked or set up, and
 * how much of it is done. Source: apt-get(8) and dpkg(1) of Debian 12, in the C locale.
 */
export function followApt(tell: (doing: string) => void): (line: string) => void {
  let total = 0
  let begun = 0
  return (line) => {
    const counts = /^(\d+) upgraded, (\d+) newly installed, (?:(\d+) downgraded, )?/.exec(line)
    if (counts) {
      const [, upgraded, added, downgraded = '0'] = counts
      total = Number(upgraded) + Number(added) + Number(downgraded)
      begun = 0
    }
    const [, verb = '', name = ''] = dpkgActs.exec(line) ?? []
    if (verb === 'Setting up') begun++
    const count = verb === 'Setting up' && begun <= total ? `, ${begun} of ${total}` : ''
    const doing = verb === '' ? fetchedBy(line) : `${verb.toLowerCase()} ${name}${count}`
    if (doing !== undefined) tell(doing)
  }
}

const dpkgActs =
  /^(Unpacking|Setting up|Removing|Purging configuration files for|Processing triggers for) (\S+)/

function fetchedBy(line: string): string | undefined {
  if (line.startsWith('Waiting for cache lock')) return 'waiting for another apt to end'
  if (line.startsWith('Reading package lists')) return 'reading lists'
  const words = /^Get:\d+ (.*)/.exec(line)?.[1]?.split(' ')
  if (!words) return undefined
  // Of a package: address, suite/component, architecture, name, architecture, version, size. Of a list fewer.
  const [address = '', suite = '', , name = ''] = words
  return words.length >= 7 ? `fetching ${name}` : `fetching lists of ${suite} from ${address}`
}
