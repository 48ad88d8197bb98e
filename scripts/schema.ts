// Writes docs/tollgate.schema.json, which editors read beside tollgate.yaml.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { schemaText } from '../src/config/schema.ts';

const file = resolve(import.meta.dirname, '..', 'docs', 'tollgate.schema.json');
writeFileSync(file, schemaText());
console.log(`Wrote ${file}`);
