// The walls of the house. Each rule has a deliberate violation in test/violations that must trip it.
const rooms = 'listen|identify|limit|price|budget|cache|route|translate|providers|call|stream|meter|record';
/** Files that know several rooms; held to the same walls towards the outside. */
const seams =
  'pipeline|attempts?|charge|exact-count|funds|hold-amount|inflight|metering|pricing|questions|refuse|rooms|thinking';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-room-imports-another-room',
      comment: 'Rooms stand on exchange/ and world/, not on each other; pipeline.ts alone knows the order.',
      severity: 'error',
      from: { path: `(^|/)src/(${rooms})/` },
      to: { path: `(^|/)src/(${rooms}|admin|config|store|bank)/`, pathNot: '(^|/)src/$2/' },
    },
    {
      name: 'rooms-import-no-package',
      comment: 'Packages with effects live behind world/; pure ones earn a place on this list first.',
      severity: 'error',
      from: { path: `(^|/)src/(${rooms})/|(^|/)src/(${seams}|gateway)\\.ts$`, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-no-pkg', 'unknown'] },
    },
    {
      name: 'rooms-import-only-hashing-and-buffer-from-node',
      severity: 'error',
      from: { path: `(^|/)src/(${rooms}|exchange)/|(^|/)src/(${seams})\\.ts$`, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer|zlib)$' },
    },
    {
      name: 'ground-floor-imports-nothing-above',
      severity: 'error',
      from: { path: '(^|/)src/exchange/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '(^|/)src/exchange/|^(node:)?(crypto|buffer|zlib)$' },
    },
    {
      name: 'world-ports-stand-on-exchange-only',
      severity: 'error',
      from: { path: '(^|/)src/world/' },
      to: { path: '(^|/)src/', pathNot: '(^|/)src/(world|exchange)/' },
    },
    {
      name: 'rooms-see-ports-not-the-real-world',
      severity: 'error',
      from: { path: `(^|/)src/(${rooms}|admin|exchange)/|(^|/)src/(${seams}|gateway)\\.ts$`, pathNot: '\\.test\\.ts$' },
      to: { path: '(^|/)src/world/real/' },
    },
    {
      name: 'nothing-imports-main',
      severity: 'error',
      from: {},
      to: { path: '(^|/)src/main\\.ts$' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'product-imports-no-development-package',
      severity: 'error',
      from: { path: '(^|/)src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
