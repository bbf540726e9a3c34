import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { makeMirror, walG } from './mirror.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

/** Long enough not to appear by chance. */
const password = 'rEplication:Passw0rd\\4471'

// The life of one database server, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('database', { image: await installedImage(rig), memory: '2G' })
  await configure('')
})
afterAll(() => host?.destroy())

async function configure(settings: string, more = ''): Promise<void> {
  const conf =
    '[machine]\npuppet_classes = zulip::profile::postgresql\n\n[postgresql]\nversion = 15\n'
  await host.writeFile('/etc/zulip/zulip.conf', `${conf}${settings}\n${more}`)
}
const apply = () =>
  steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 2 }, { timeoutMs: 600_000 })
const nothingToDo = () => steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })

/** What a query answers to a user of the system of that name. */
async function sql(query: string, { user = 'postgres', database = 'postgres' } = {}) {
  await host.writeFile('/tmp/query.sql', query)
  const psql = `runuser -u ${user} -- psql --no-psqlrc -qAt -v ON_ERROR_STOP=1 -d ${database}`
  return (await host.shell(`cd /; ${psql} </tmp/query.sql`, { timeoutMs: 60_000 })).trim()
}
/** Waits until a query gives the answer. */
async function untilAnswered(query: string, answer: string, database?: string): Promise<void> {
  const asked = { ...(database && { database }) }
  for (let left = 60; (await sql(query, asked)) !== answer; left -= 1) {
    if (left === 0) throw new Error(`still not ${answer}: ${query}`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

test('PostgreSQL answers with the settings that fit 2 GiB, before there is a database of Zulip', async () => {
  await apply()
  const names = ['shared_buffers', 'effective_cache_size', 'work_mem', 'maintenance_work_mem']
  const shown = await sql(
    [...names, 'max_connections', 'default_text_search_config', 'listen_addresses', 'ssl']
      .map((name) => `SHOW ${name};`)
      .join('\n'),
  )
  expect(shown.split('\n')).toEqual([
    '256MB',
    '640MB',
    '4MB',
    '64MB',
    '1000',
    'zulip.english_us_search',
    'localhost',
    'on',
  ])
  const postgres = '/usr/lib/postgresql/15/bin/postgres -D /etc/postgresql/15/main'
  const answer = await host.shell(`cd /; runuser -u postgres -- ${postgres} -C archive_mode`)
  expect(answer).toBe('off\n')
  // The search configuration lies in a database that is not there yet.
  expect(await sql('SELECT name FROM pg_file_settings WHERE error IS NOT NULL')).toBe(
    'default_text_search_config',
  )
  expect(await host.shell("ss -Hltn 'sport = 5432' | tr -s ' ' | cut -d ' ' -f 4 | sort")).toBe(
    '127.0.0.1:5432\n[::1]:5432\n',
  )
})

test('the second apply finds nothing to do', async () => {
  const { stdout } = await nothingToDo()
  expect(stdout).toMatch(/nothing to do/i)
})

test('the search dictionary knows words by their stems, and leaves stop words out', async () => {
  await sql('CREATE USER zulip; ALTER ROLE zulip SET search_path TO zulip, public')
  await sql('CREATE DATABASE zulip OWNER zulip TEMPLATE template0')
  await sql(
    `CREATE SCHEMA zulip AUTHORIZATION zulip;
     CREATE TEXT SEARCH DICTIONARY zulip.english_us_hunspell
       (template = ispell, DictFile = en_us, AffFile = en_us, StopWords = zulip_english);
     CREATE TEXT SEARCH CONFIGURATION zulip.english_us_search (copy = pg_catalog.english);
     ALTER TEXT SEARCH CONFIGURATION zulip.english_us_search
       ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, word, hword, hword_part
       WITH zulip.english_us_hunspell, english_stem`,
    { database: 'zulip' },
  )
  const zulip = { user: 'zulip', database: 'zulip' }
  expect(await sql("SELECT ts_lexize('zulip.english_us_hunspell', 'messages')", zulip)).toBe(
    '{message}',
  )
  expect(await sql("SELECT ts_lexize('zulip.english_us_hunspell', 'the')", zulip)).toBe('{}')
  expect(await sql("SELECT to_tsvector('They were sending the messages')", zulip)).toBe(
    "'message':5 'send':3",
  )
})

test('what is written is indexed, by a program that waited for the database', async () => {
  expect(await host.shell('supervisorctl status process-fts-updates')).toMatch(/RUNNING/)
  await sql(
    `CREATE TABLE zerver_message
       (id serial PRIMARY KEY, subject text, rendered_content text, search_tsvector tsvector);
     CREATE TABLE fts_update_log (id serial PRIMARY KEY, message_id int NOT NULL);
     CREATE FUNCTION append_to_fts_update_log() RETURNS trigger LANGUAGE plpgsql
       SET search_path = zulip AS $$BEGIN
       INSERT INTO fts_update_log (message_id) VALUES (NEW.id); NOTIFY fts_update_log; RETURN NEW; END$$;
     CREATE TRIGGER written AFTER INSERT OR UPDATE OF subject, rendered_content ON zerver_message
       FOR EACH ROW EXECUTE FUNCTION append_to_fts_update_log();
     INSERT INTO zerver_message (subject, rendered_content)
       SELECT 'thread ' || n, ' about lunches' FROM generate_series(1, 2500) n`,
    { user: 'zulip', database: 'zulip' },
  )
  await untilAnswered('SELECT count(*) FROM zulip.fts_update_log', '0', 'zulip')
  const found =
    "SELECT count(*) FROM zulip.zerver_message WHERE search_tsvector @@ 'lunch'::tsquery"
  expect(await sql(found, { database: 'zulip' })).toBe('2500')
  // Too many words for an index: it must not keep the others from theirs.
  await sql(
    `INSERT INTO zulip.zerver_message (subject, rendered_content)
       SELECT 'long', string_agg(md5(n::text), ' ') FROM generate_series(1, 90000) n;
     INSERT INTO zulip.zerver_message (subject, rendered_content) VALUES ('short ', 'lunch')`,
    { database: 'zulip' },
  )
  await untilAnswered(found, '2501', 'zulip')
  await untilAnswered('SELECT count(*) FROM zulip.fts_update_log', '0', 'zulip')
  expect(await host.shell('cat /var/log/zulip/fts-updates.log')).toMatch(
    /message 2501 can not be indexed/,
  )
  const check = 'cd /; runuser -u zulip -- process_fts_updates --nagios-check'
  expect(await host.shell(check)).toBe('OK: 0 rows in fts_update_log table\n')
})

test('a change of a setting restarts the server once, and nothing else', async () => {
  await configure('random_page_cost = 1.1')
  const jobs = await jobsDuring(host, apply)
  expect(jobs.map(({ unit }) => unit)).toEqual(['postgresql@15-main.service'])
  expect(await sql('SHOW random_page_cost')).toBe('1.1')
  await nothingToDo()
})

/** Keeps what it is given in a folder. */
const keeper = walG(`set -e; cd "\${WALG_FILE_PREFIX:?}"; echo "$@ \${WALG_DELTA_MAX_STEPS}" >>calls
case $1 in
wal-push) cp "$OLDPWD/$2" . ;;
backup-list) echo 'backup_name modified wal_file_name storage_name'
  for age in 0 31 40; do echo "base_$age $(date -ud "-$age days" +%FT%TZ) 000000010000000000000002 default"; done ;;
esac`)

test('with a folder for backups the log is archived, and old backups are removed', async () => {
  const mirror = await makeMirror(host, [keeper])
  await mirror.start()
  await host.writeFile('/etc/steward/site.yaml', mirror.site(keeper))
  await configure('backups_directory = /srv/backups', `[downloads]\nmirror = ${mirror.url}\n`)
  await apply()
  expect(await host.shell('stat -c "%U %a" /srv/backups')).toBe('postgres 700\n')
  await sql('SELECT pg_switch_wal()')
  await untilAnswered('SELECT archived_count > 0 FROM pg_stat_archiver', 't')
  const command = await host.shell(
    "sed -n 's/^0 2 [*] [*] [*] postgres //p' /etc/cron.d/pg_backup_and_purge",
  )
  await host.writeFile('/tmp/backup', command)
  await host.shell('cd /; runuser -u postgres -- sh /tmp/backup', { timeoutMs: 60_000 })
  const calls = await host.shell('grep -v wal-push /srv/backups/calls')
  expect(calls).toBe(
    'backup-push /var/lib/postgresql/15/main 6\nbackup-list 6\ndelete before FIND_FULL base_31 --confirm 6\n',
  )
  await nothingToDo()
})

test('a standby follows its primary with a password that nobody else can read', async () => {
  await host.shell(
    `printf '%s\\n' 'postgresql_replication_password = ${password}' >>/etc/zulip/zulip-secrets.conf`,
  )
  await configure('replication_primary = 127.0.0.1\nreplication_user = replicator')
  const { stdout, stderr } = await apply()
  expect(stdout + stderr).not.toContain('Passw0rd')
  expect(await sql('SELECT pg_is_in_recovery()')).toBe('t')
  const conninfo = await sql('SHOW primary_conninfo')
  expect(conninfo).toMatch(/^host=127\.0\.0\.1 user=replicator passfile=(\S+)$/)
  const passfile = conninfo.replace(/.*passfile=/, '')
  expect(await host.shell(`stat -c '%U %a' ${passfile}; cat ${passfile}`)).toBe(
    'postgres 600\n*:*:*:replicator:rEplication\\:Passw0rd\\\\4471\n',
  )
  expect(await host.shell("grep -rl 'Passw0rd.*4471' /etc/postgresql || :")).toBe('')
  await nothingToDo()
})

const recovery = 'SELECT pg_is_in_recovery(), timeline_id FROM pg_control_checkpoint()'

test('without the keys it stays a standby, also when it did not run', async () => {
  await configure('')
  await apply()
  expect(await sql(recovery)).toBe('t|1')
  await nothingToDo()
  await host.shell('systemctl stop postgresql@15-main')
  await configure('promote = true')
  await apply()
  expect(await sql(recovery)).toBe('t|1')
})

test('with promote it becomes a primary, on a timeline of its own', async () => {
  await apply()
  expect(await sql(recovery)).toBe('f|2')
  expect(await host.shell('ls /var/lib/postgresql; ls /var/lib/postgresql/15/main')).not.toMatch(
    /standby\.signal|pgpass/,
  )
  await nothingToDo()
  await configure('random_page_cost = 1.1\npromote = true')
  await apply()
  expect(await sql(recovery)).toBe('f|2')
})
