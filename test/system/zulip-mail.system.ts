import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

// The life of one host, in order: the tests build on each other.
const conf = `[machine]
puppet_classes = zulip::postfix_localmail, zulip::apache_sso
`
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('mail', { image: await installedImage(rig) })
  await host.writeFile('/etc/zulip/zulip.conf', conf)
})
afterAll(() => host?.destroy())

const apply = () => steward(host, ['apply', '--yes'], { exitCode: 0 })
/** What postfix answers, line by line, to somebody from elsewhere who has mail for these. */
const answersTo = async (...recipients: string[]): Promise<readonly string[]> => {
  const commands = recipients.map((each) => `RCPT TO:<${each}>`)
  const said = await host.shell(
    `exec python3 - "$(hostname -I | cut -d' ' -f1)" <<'END'
import smtplib, sys
server = smtplib.SMTP(sys.argv[1], 25, 'elsewhere.test', 10)
server.ehlo()
server.mail('somebody@elsewhere.test')
for command in ${JSON.stringify(commands)}:
    print(server.docmd(command)[0])
server.quit()
END`,
  )
  return said.trim().split('\n')
}
const listening = () =>
  host.shell(`ss -Hltn | awk '{ print $4 }' | grep -Ev '^(127\\.|\\[::1\\])' | sort -u || true`)

describe('a host that takes mail and asks Apache', () => {
  test('is configured in one run, and no port but its own was ever open to the world', async () => {
    await host.shell(
      `systemd-run --quiet --unit=watch sh -c 'while :; do ss -Hltn; sleep 0.1; done >/root/listened'`,
    )
    await apply()
    await host.shell('systemctl stop watch')
    const ports = await host.shell(
      `awk '{ print $4 }' /root/listened | grep -Ev '^(127\\.|\\[::1\\])' | sed 's/.*://' | sort -un`,
    )
    expect(ports.trim().split('\n')).toEqual(['25', '80', '443'])
    await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
    expect(await host.shell('systemctl --failed --no-legend --plain')).toBe('')
  })

  test('has settings that postfix itself accepts', async () => {
    const { stdout, stderr } = await host.exec(['sh', '-c', 'postfix check && postconf -n'])
    expect(stderr).toBe('')
    expect(stdout).toContain('myhostname = mail.test\n')
    expect(stdout).toContain('mynetworks = 127.0.0.0/8 [::1]/128\n')
  })

  test('takes mail for gateway addresses and the postmaster, and for nobody else', async () => {
    expect(
      await answersTo(
        'channel.0123.show-sender@mail.test',
        'mm0123@mail.test',
        'postmaster@mail.test',
        'root@mail.test',
        'a+b@elsewhere.test',
      ),
    ).toEqual(['250', '250', '250', '554', '554'])
  })

  test('keeps mail until there is a release, and then hands it on, with its address', async () => {
    await host.shell('echo hello | sendmail channel.0123@mail.test')
    await host.shell('i=0; until postqueue -p | grep -q temporary; do sleep 0.1; done', {
      timeoutMs: 30_000,
    })
    await host.shell(`
      folder=/home/zulip/deployments/current/scripts/lib
      mkdir -p $folder
      printf '#!/bin/sh\\n{ id -un; echo "$@"; tail -n1; } >/tmp/handed\\n' >$folder/email-mirror-postfix
      chmod 755 $folder/email-mirror-postfix
      postqueue -f
      until [ -s /tmp/handed ]; do sleep 0.1; done`)
    expect(await host.shell('cat /tmp/handed')).toBe(
      'zulip\n-r channel.0123@mail.test -d http://127.0.0.1:80\nhello\n',
    )
  })

  test('goes by another name after one restart of postfix, and makes a lost table again', async () => {
    await steward(host, ['conf', 'set', 'postfix.mailname', 'chat.test'], { exitCode: 0 })
    await host.shell('rm /etc/postfix/transport.db')
    const jobs = await jobsDuring(host, apply)
    // Debian's postfix.service only passes on what it is told.
    expect(jobs.filter(({ job }) => job === 'restart').map(({ unit }) => unit)).toEqual([
      'postfix@-.service',
    ])
    await host.shell('test -s /etc/postfix/transport.db')
    expect(await answersTo('mm0123@chat.test', 'mm0123@mail.test')).toEqual(['250', '554'])
  })

  test('has an Apache that waits for a site, and then listens on this host alone', async () => {
    await host.shell('apache2ctl configtest')
    expect(await host.shell('systemctl is-active apache2 || true')).toBe('inactive\n')
    await host.shell(`
      cd /etc/apache2/sites-available
      cp zulip-sso.example zulip-sso.conf
      touch ../zulip-users
      a2ensite --quiet zulip-sso
      apache2ctl configtest
      systemctl restart apache2`)
    const asked =
      'curl -sk -o /dev/null -w "%{http_code}" https://127.0.0.1:8888/accounts/login/sso/'
    expect(await host.shell(asked)).toBe('401')
    expect(await listening()).not.toContain('8888')
    await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
  })
})
