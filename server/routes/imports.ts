/** Files: taken in whole, read in the background, told about row by row. */
import { annotatedCopy, runImport, startImport } from '../../activities/imports.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { renderWorkbook } from '../../activities/workbook.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { getImport, getWorkbook, requestCancel } from '../../store/imports.ts'
import { notFound, Problem, problemOf } from '../problem.ts'
import { defineRoute, UPLOAD_LIMIT_BYTES, type Route } from '../route.ts'
import { ImportAnswer, ImportForm, ImportId } from '../schemas.ts'
import { readUpload } from '../upload.ts'

/** Multipart borders and headers come on top of the file. */
const FORM_LIMIT_BYTES = UPLOAD_LIMIT_BYTES + 64 * 1024
/** A file that cannot be read at all usually shows it in a moment; then the upload itself is refused. */
const JUDGED_WITHIN_MS = 10_000

const TYPES: Record<string, string> = {
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  csv: 'text/csv; charset=utf-8',
}
const typeOf = (fileName: string): string => TYPES[fileName.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream'

/** RFC 6266: the name in ASCII, and as it is. */
const disposition = (fileName: string): string =>
  `attachment; filename="${fileName.replaceAll(/[^\x20-\x7e]|["\\]/g, '_')}"; filename*=UTF-8''${encodeURIComponent(fileName).replaceAll("'", '%27')}`

/** @returns the error when the work failed within the time, else null; what is unfinished goes on. */
async function failureWithin(work: Promise<unknown>, timeoutMs: number): Promise<{ error: unknown } | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs)
  })
  try {
    return await Promise.race([
      work.then(
        () => null,
        (error: unknown) => ({ error }),
      ),
      late,
    ])
  } finally {
    clearTimeout(timer)
  }
}

export const importRoutes: Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/v1/imports',
    operationId: 'importFile',
    summary: 'Take in a file of orders',
    access: 'key',
    description:
      'An Excel workbook or CSV text of at most 50 MB. The same file twice is one import. It is read in the background; a crash only delays it.',
    bodyKind: 'multipart',
    body: ImportForm,
    bodyLimit: FORM_LIMIT_BYTES,
    responses: {
      202: { description: 'Kept, and being read; Location shows how it goes.', schema: ImportAnswer },
      415: { description: 'Not multipart, or a file that is neither Excel nor CSV.' },
      422: { description: 'A file that cannot be read: damaged, too much in it, wrong columns, wrong password.' },
    },
    handle: async ({ runtime, request, background }) => {
      const upload = await readUpload(request)
      const id = await startImport(runtime, upload)
      const running = runImport(runtime, id, { password: upload.password })
      const failed = await failureWithin(running, JUDGED_WITHIN_MS)
      if (!failed) background(running)
      else if (failed.error instanceof OmnisagaError && failed.error.kind === 'Invalid') throw unreadable(failed.error, id)
      else background(running)
      const found = await getImport(runtime.pool, id)
      if (found?.state === 'failed')
        throw unreadable(new OmnisagaError('Invalid', found.error ?? 'the file cannot be read', { code: 'unreadable' }), id)
      return { status: 202, body: found ?? { id, state: 'received' }, headers: { location: `/api/v1/imports/${id}` } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/imports/{id}',
    operationId: 'getImport',
    summary: 'How an import goes',
    access: 'key',
    params: ImportId,
    responses: {
      200: {
        description: 'State, profile and how sure it is, progress, counts, and every wrong row with column, value and remedy.',
        schema: ImportAnswer,
      },
      404: { description: 'No such import.' },
    },
    handle: async ({ runtime, params }) => {
      const found = await getImport(runtime.pool, params.id)
      if (!found) throw notFound('import', params.id)
      return { status: 200, body: found }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/imports/{id}/cancel',
    operationId: 'cancelImport',
    summary: 'Stop taking a file in',
    description:
      'No order is left half taken in: those that were taken in stay and are told, the others are not touched. The same file again goes on from there.',
    access: 'key',
    params: ImportId,
    responses: {
      202: { description: 'Asked for; the import says `cancelled` within seconds.', schema: ImportAnswer },
      404: { description: 'No such import.' },
      409: { description: 'It is finished already.' },
    },
    handle: async ({ runtime, params }) => {
      const asked = await requestCancel(runtime.pool, params.id)
      const found = await getImport(runtime.pool, params.id)
      if (!found) throw notFound('import', params.id)
      if (!asked) throw new Problem(409, 'Finished', `Import ${params.id} is ${found.state} already.`)
      return { status: 202, body: found, headers: { location: `/api/v1/imports/${params.id}` } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/imports/{id}/annotated',
    operationId: 'getAnnotatedImport',
    summary: 'A copy of the file with its wrong cells marked and the remedy beside them',
    description: 'Corrected, it can be sent again: whole, or the mended rows alone.',
    access: 'key',
    params: ImportId,
    responses: {
      200: { description: 'An .xlsx.', contentType: TYPES['xlsx'] ?? '' },
      404: { description: 'No such import.' },
      409: { description: 'The file cannot be read without its password, which is not kept, or not at all.' },
    },
    handle: async ({ runtime, params }) => {
      const { bytes, fileName } = await annotated(runtime, params.id)
      return {
        status: 200,
        contentType: TYPES['xlsx'] ?? '',
        body: bytes,
        headers: { 'content-disposition': disposition(fileName) },
      }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/imports/{id}/workbook',
    operationId: 'getImportWorkbook',
    access: 'key',
    summary: "momo's own workbook with the tracking numbers written in, for re-upload",
    params: ImportId,
    responses: {
      200: { description: 'The workbook.', contentType: TYPES['xls'] ?? '' },
      404: { description: 'No such import, or none of its parcels has a tracking number yet.' },
      409: { description: 'The file is of a profile that takes no tracking numbers back.' },
    },
    handle: async ({ runtime, params }) => {
      const found = await getImport(runtime.pool, params.id)
      if (!found) throw notFound('import', params.id)
      if (!found.takesWaybills) {
        throw new Problem(
          409,
          'No workbook',
          `This file of ${found.profile} has no cells for tracking numbers, or is of a type that is not filled in: they go out by other ways.`,
        )
      }
      await rendered(runtime, params.id)
      const workbook = await getWorkbook(runtime.pool, params.id)
      if (!workbook)
        throw new Problem(404, 'Not ready', 'No parcel of this import has a tracking number yet.', { code: 'not-ready' })
      const { bytes, fileName } = workbook
      return {
        status: 200,
        contentType: typeOf(fileName),
        body: bytes,
        headers: { 'content-disposition': disposition(fileName) },
      }
    },
  }),
]

/** @throws Problem 404, and 409 with what to do when the file cannot be read. */
async function annotated(runtime: Runtime, id: string): Promise<{ bytes: Buffer; fileName: string }> {
  const found = await getImport(runtime.pool, id)
  if (!found) throw notFound('import', id)
  try {
    const bytes = await annotatedCopy(runtime, found)
    return { bytes, fileName: `${found.fileName.replace(/\.[A-Za-z]{2,4}$/, '')}-annotated.xlsx` }
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Invalid') throw error
    const remedy =
      error.code === 'passwordNeeded'
        ? 'Make the copy where the file is: npx omnisaga import FILE --connection NAME --password P --dry-run --annotate OUT.xlsx'
        : error.remedy
    throw new Problem(
      409,
      'No annotated copy',
      [error.message, remedy].filter(Boolean).join(' '),
      error.code ? { code: error.code } : {},
    )
  }
}

/** With every tracking number of this moment, also of orders that another file had brought before. */
async function rendered(runtime: Runtime, importId: string): Promise<void> {
  try {
    await renderWorkbook(runtime, importId)
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Invalid') throw error
    throw new Problem(
      409,
      'No workbook',
      [error.message, error.remedy].filter(Boolean).join(' '),
      error.code ? { code: error.code } : {},
    )
  }
}

const unreadable = (error: OmnisagaError, importId: string): Problem => {
  const { errors } = problemOf(error)
  const status = error.code === 'tooBig' ? 413 : 422
  return new Problem(status, 'File cannot be read', error.message, {
    errors: errors.map((each) => ({ ...each, path: 'file' })),
    headers: { location: `/api/v1/imports/${importId}` },
    ...(error.code && { code: error.code }),
  })
}
