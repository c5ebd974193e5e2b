/** profile new FILE, profile apply FILE.yaml, profile list, profile show NAME */
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { userInfo } from 'node:os'
import { applyProfile, profileList } from '../../activities/profiles.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { openWorkbook } from '../../mappings/files/index.ts'
import { PROFILES } from '../../mappings/profiles/index.ts'
import { proposeLayout } from '../../mappings/profiles/propose.ts'
import { getProfile } from '../../store/profiles.ts'
import type { ExitCode } from '../exit.ts'
import { bold, complain, dim, green, print, printJson, red, table, yellow } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export interface NewOptions {
  name?: string
  save?: string
  password?: string
  json?: boolean
}

/** Needs no running system. Exit 1 when a needed column was not found: the YAML then says which. */
export async function proposeProfile(path: string, { name, save, password, json }: NewOptions): Promise<ExitCode> {
  const workbook = await openWorkbook({ path }, { password })
  const proposal = await proposeLayout(workbook, { name: name ?? nameOf(path) }).finally(() => workbook.close())
  if (save !== undefined) await writeFile(save, proposal.yaml)
  if (json) printJson(proposal)
  else {
    if (save === undefined) print(proposal.yaml.trimEnd())
    else print(`${green('written')}  ${save}`)
    for (const missing of proposal.missing) complain(yellow(`not found: ${missing}`))
    complain(dim(`Look it through, then: npx omnisaga profile apply ${save ?? 'FILE.yaml'}`))
  }
  return proposal.missing.length > 0 ? 1 : 0
}

const nameOf = (path: string): string => {
  const stem = basename(path)
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 30)
  return stem.length >= 2 ? stem : 'my-shop'
}

export async function applyFile(path: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const yaml = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OmnisagaError('Invalid', `The file ${path} cannot be read (${error.code ?? error.name}).`, {
      remedy: 'Check the path.',
    })
  })
  const applied = await withRuntime(({ pool }) => applyProfile(pool, yaml, `cli:${userInfo().username}`))
  if (json) printJson(applied)
  else
    print(
      applied.isNew
        ? `${green('taught')}  ${bold(applied.name)}, version ${applied.version}. Files with these headers are known from now on.`
        : `${applied.name} says the same as version ${applied.version}; nothing was changed.`,
    )
  return 0
}

export async function list({ json }: { json?: boolean }): Promise<ExitCode> {
  const profiles = await withRuntime(({ pool }) => profileList(pool))
  if (json) printJson({ profiles })
  else
    print(
      table(profiles, [
        { title: 'PROFILE', of: (each) => each.name },
        { title: 'VERSION', of: (each) => each.version ?? 'built in' },
        { title: 'CHANNEL', of: (each) => each.channel },
        { title: 'WHAT', of: (each) => each.title },
      ]),
    )
  return 0
}

export async function show(name: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const builtIn = PROFILES.find((profile) => profile.name === name)
  if (builtIn) {
    const columns = Object.entries(builtIn.columns).map(([field, headers]) => ({ field, headers: [...headers] }))
    if (json) printJson({ name, title: builtIn.title, channel: builtIn.channel, version: null, columns })
    else
      print(
        `${bold(name)}  ${builtIn.title}\n${table(columns, [
          { title: 'FIELD', of: (each) => each.field },
          { title: 'COLUMN', of: (each) => each.headers.join(' | ') },
        ])}`,
      )
    return 0
  }
  const found = await withRuntime(({ pool }) => getProfile(pool, name))
  if (!found) {
    complain(`${red('error:')} there is no profile ${name}\n  omnisaga profile list shows them.`)
    return 1
  }
  if (json) printJson(found)
  else print(found.yaml.trimEnd())
  return 0
}
