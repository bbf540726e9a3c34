import { join } from 'node:path'
import { copiedText, hosts, put, template } from '../state.ts'
import type { Folder, Tool, Workload } from '../tool.ts'
import { isInstalled } from './installed.ts'

const own = (folder: Folder, path: string) => join(folder.path, 'ansible', path)

/** One task with a loop for each kind of resource, its quickest form. */
export const ansible: Tool = {
  name: 'ansible',
  found: isInstalled('ansible-playbook'),
  upTo: 200, // it starts a dozen processes for each file
  write(workload, folder) {
    if (workload.kind === 'start' || workload.kind === 'graph') return
    const file = {
      i: '{{ item.i }}',
      port: '{{ item.port }}',
      key: '{{ item.key }}',
      host: '{{ h }}',
    }
    const loop = { loop: '{% for h in hosts %}', end: '{% endfor %}' }
    put(own(folder, 'conf.j2'), template({ ...file, ...loop }))
    put(
      own(folder, 'ansible.cfg'),
      `[defaults]\ngathering = explicit\nlocalhost_warning = False\nlocal_tmp = ${own(folder, 'tmp')}\nremote_tmp = ${own(folder, 'tmp')}\n`,
    )
    const play = { hosts: 'localhost', connection: 'local', gather_facts: false }
    const vars = { root: folder.target, hosts, ...workload.state }
    put(
      own(folder, 'site.yml'),
      JSON.stringify([{ ...play, vars, tasks: tasks(workload, folder) }]),
    )
    if (workload.kind !== 'mixed') return
    for (const [seed, { source, size }] of workload.state.copies.entries()) {
      put(own(folder, `copies/${source}`), copiedText(size, seed))
    }
  },
  command(workload, scenario, folder) {
    if (scenario === 'version') return { argv: ['ansible-playbook', '--version'] }
    if (scenario === 'help') return { argv: ['ansible-playbook', '--help'] }
    if (workload.kind === 'graph') return undefined
    const dry = scenario === 'dry run' ? ['--check', '--diff'] : []
    return {
      argv: ['ansible-playbook', '--inventory', 'localhost,', ...dry, own(folder, 'site.yml')],
      environment: { ANSIBLE_CONFIG: own(folder, 'ansible.cfg') },
    }
  },
}

function tasks(workload: Workload, folder: Folder): object[] {
  const root = { owner: 'root', group: 'root' }
  const task = (module: string, attributes: object, loop?: string) => ({
    [`ansible.builtin.${module}`]: attributes,
    ...(loop === undefined ? {} : { loop: `{{ ${loop} }}` }),
  })
  const directory = { state: 'directory', mode: '0755', ...root }
  const path = '{{ root }}/{{ item.path }}'
  const files = [
    task('file', { path: '{{ root }}', ...directory }),
    task('file', { path: '{{ root }}/{{ item }}', ...directory }, 'directories'),
    task('template', { src: own(folder, 'conf.j2'), dest: path, mode: '0644', ...root }, 'files'),
  ]
  if (workload.kind !== 'mixed') return files
  const source = `${own(folder, 'copies')}/{{ item.source }}`
  return [
    task('apt', { name: workload.state.packages, state: 'present' }),
    ...files,
    task('copy', { src: source, dest: path, mode: '0644', ...root }, 'copies'),
    task('file', { src: '{{ root }}/{{ item.to }}', dest: path, state: 'link' }, 'links'),
    task('copy', { content: '{{ item.text }}', dest: path, mode: '0644', ...root }, 'texts'),
    task('user', { name: '{{ item.name }}', uid: '{{ item.uid }}' }, 'users'),
    task('group', { name: '{{ item.name }}', gid: '{{ item.gid }}' }, 'groups'),
    task('command', { cmd: '/bin/true', creates: '{{ root }}/{{ item.creates }}' }, 'commands'),
  ]
}
