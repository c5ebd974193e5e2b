/**
 * The arrows of docs/architecture.md, kept: cli, server, worker -> workflows, activities -> connectors, mappings, store -> domain.
 * Beside them stand tests, bench, scripts (may reach everything) and simulators (reach nothing of ours).
 * What workflows reach at run time is proved by building their bundle: scripts/check-determinism.mjs.
 */
const ours =
  '^(domain|store|connectors|mappings|documents|activities|workflows|server|cli|simulators|bench|tests|scripts|bin|[^/]+\\.ts$)'
/** Everything of ours but these folders. */
const oursBut = (...folders) => ({ path: ours, pathNot: `^(${folders.join('|')})/` })

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle has no bottom to begin reading at.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The import leads nowhere. What runs inside a test peer has its packages in .cache/peers.',
      from: { pathNot: '^tests/peers/[^/]+/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'domain-is-the-bottom',
      severity: 'error',
      comment: 'domain/ imports nothing of ours.',
      from: { path: '^domain/' },
      to: oursBut('domain'),
    },
    {
      name: 'domain-does-no-io',
      severity: 'error',
      comment: 'domain/ is pure: hashing is the one built-in it may use.',
      from: { path: '^domain/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'store-above-domain',
      severity: 'error',
      comment: 'store/ imports domain/ only.',
      from: { path: '^store/' },
      to: oursBut('store', 'domain'),
    },
    {
      name: 'mappings-above-domain',
      severity: 'error',
      comment: 'mappings/ imports domain/ only.',
      from: { path: '^mappings/' },
      to: oursBut('mappings', 'domain'),
    },
    {
      name: 'documents-above-domain',
      severity: 'error',
      comment: 'documents/ draw what they are given: they import domain/ only.',
      from: { path: '^documents/' },
      to: oursBut('documents', 'domain'),
    },
    {
      name: 'connectors-above-domain',
      severity: 'error',
      comment: 'connectors/ import domain/, mappings/ and their kit; the database is for the kit alone (quota, tokens).',
      from: { path: '^connectors/', pathNot: '^connectors/kit/' },
      to: oursBut('connectors', 'mappings', 'domain'),
    },
    {
      name: 'connector-kit-above-store',
      severity: 'error',
      comment: 'connectors/kit/ imports store/, mappings/ and domain/, and knows no vendor.',
      from: { path: '^connectors/kit/' },
      to: oursBut('connectors/kit', 'store', 'mappings', 'domain'),
    },
    {
      name: 'connectors-stand-alone',
      severity: 'error',
      comment: 'One connector never imports another; what two need belongs in connectors/kit/.',
      from: { path: '^connectors/([^/]+)/', pathNot: '^connectors/kit/' },
      to: { path: '^connectors/[^/]+/', pathNot: '^connectors/(kit|$1)/' },
    },
    {
      name: 'activities-above-connectors',
      severity: 'error',
      comment: 'activities/ import connectors/, mappings/, store/ and domain/; of workflows/ only types.',
      from: { path: '^activities/' },
      to: oursBut('activities', 'workflows', 'connectors', 'mappings', 'documents', 'store', 'domain'),
    },
    {
      name: 'activities-know-workflow-types-only',
      severity: 'error',
      comment: 'Start a workflow by its name; its code belongs in the bundle.',
      from: { path: '^activities/' },
      to: { path: '^workflows/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-above-domain',
      severity: 'error',
      comment: 'workflows/ import domain/ and workflows/; of activities/ only types.',
      from: { path: '^workflows/' },
      to: oursBut('workflows', 'activities', 'domain'),
    },
    {
      name: 'workflows-know-activity-types-only',
      severity: 'error',
      comment: 'Write `import type` for activities: their code must not come into the bundle.',
      from: { path: '^workflows/' },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-have-one-library',
      severity: 'error',
      comment: 'workflows/ import @temporalio/workflow and no other package or Node built-in (types excepted).',
      from: { path: '^workflows/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown', 'core'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/@temporalio/workflow/',
      },
    },
    {
      name: 'the-top-is-the-top',
      severity: 'error',
      comment: 'Nothing below imports the parts that put everything together.',
      from: { path: '^(domain|store|connectors|mappings|documents|activities|workflows|simulators)/' },
      to: { path: '^((cli|server|bin|scripts)/|[^/]+\\.ts$)' },
    },
    {
      name: 'simulators-stand-alone',
      severity: 'error',
      comment: 'A stand-in written with our own code proves nothing: simulators/ import nothing else of ours.',
      from: { path: '^simulators/' },
      to: oursBut('simulators'),
    },
    {
      name: 'simulators-are-for-demo-and-tests',
      severity: 'error',
      comment: 'Only cli/, scripts/, bench/ and tests/ start simulators.',
      from: { pathNot: '^(simulators|cli|scripts|bench|tests)/' },
      to: { path: '^simulators/' },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      comment: 'tests/ are imported by tests; bench/ may use their harness.',
      from: { pathNot: '^(tests|bench)/' },
      to: { path: '^tests/' },
    },
    {
      name: 'bench-uses-the-harness-only',
      severity: 'error',
      comment: 'Of tests/ only the harness may be used in bench/, and by the paths the world that the scenarios play in.',
      from: { path: '^bench/' },
      to: { path: '^tests/', pathNot: '^tests/(harness/|scenario/(world|marketplaceViews)\\.ts$)' },
    },
    {
      name: 'nobody-imports-bench',
      severity: 'error',
      comment: 'bench/ is imported by bench/, tests/ and the script that runs it.',
      from: { pathNot: '^(bench/|tests/|scripts/bench\\.mjs$)' },
      to: { path: '^bench/' },
    },
    {
      name: 'no-development-packages-in-the-product',
      severity: 'error',
      comment: 'What runs in production is listed under dependencies.',
      from: {
        path: '^(domain|store|connectors|mappings|activities|workflows|server|cli|simulators|bin|[^/]+\\.ts$)',
        pathNot: '^vitest[^/]*\\.ts$',
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(\\.omnisaga|\\.cache|dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json'],
    },
  },
}
