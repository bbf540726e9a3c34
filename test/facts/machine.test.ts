import { describe, expect, test } from 'vitest'
import { countList, namesOf, parseMemory, readArchitecture } from '../../engine/facts/machine.ts'
import { fakeHost } from '../support/fake-host.ts'

test('memory is counted in whole MiB', () => {
  // From a Debian 12 host of 2 GB.
  expect(parseMemory('MemTotal:        2013260 kB\nMemFree:          152476 kB\n')).toBe(1966)
})

test.each([
  ['0-3,8\n', 5],
  ['0\n', 1],
  ['', 0],
])('the list %j holds %i processors', (text, count) => {
  expect(countList(text)).toBe(count)
})

describe('architecture', () => {
  test('is what dpkg of the tree says first', () => {
    const files = { '/var/lib/dpkg/arch': 'arm64\namd64\n' }
    expect(readArchitecture(fakeHost({ files }))).toBe('arm64')
  })
  test('is a Debian name without it', () => {
    expect(['amd64', 'arm64']).toContain(readArchitecture(fakeHost()))
  })
})

describe('names', () => {
  test.each([
    ['the kernel', 'chat.example.org', '', '', 'chat.example.org'],
    [
      '/etc/hosts',
      'chat',
      '127.0.1.1 chat.example.org chat # x\n',
      'search a.org',
      'chat.example.org',
    ],
    [
      '/etc/hosts, the name behind the short one',
      'chat',
      '127.0.1.1 chat chat.example.org',
      '',
      'chat.example.org',
    ],
    [
      'the search domain',
      'chat',
      '127.0.0.1 localhost chat\n',
      'search example.org. b.org',
      'chat.example.org',
    ],
    ['the last of domain and search', 'chat', '', 'domain a.org\nsearch b.org\n', 'chat.b.org'],
    ['nothing', 'chat', '# 1.2.3.4 chat.x.org chat\n', 'search .', 'chat'],
  ])('come from %s', (_title, kernel, hosts, resolv, fqdn) => {
    expect(namesOf(kernel, hosts, resolv)).toEqual({ hostname: 'chat', fqdn })
  })
})
