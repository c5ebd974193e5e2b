/** Files: taken in whole, read in the background, told about row by row. */
import { getImport, runImport, startImport } from '../../store/imports.ts'
import { errorFields } from '../logging.ts'
import { notFound, Problem } from '../problem.ts'
import { defineRoute, UPLOAD_LIMIT_BYTES, type Route } from '../route.ts'
import { ImportAnswer, ImportForm, ImportId } from '../schemas.ts'
import { readUpload } from '../upload.ts'

/** Multipart borders and headers come on top of the file. */
const FORM_LIMIT_BYTES = UPLOAD_LIMIT_BYTES + 64 * 1024

export const importRoutes: Route[] = [
]
void [getImport, runImport, startImport, errorFields, notFound, Problem, defineRoute, FORM_LIMIT_BYTES, ImportAnswer, ImportForm, ImportId, readUpload]
