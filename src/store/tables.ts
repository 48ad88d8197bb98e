// Columns of the tables that are written in batches, as the migrations make them.

import type { Table } from './database.ts';

export const receiptsTable: Table = {
  name: 'receipts',
  columns: { id: 'text', at: 'whole', key_id: 'text', ending: 'text', body: 'text' },
  key: ['id'],
};

export const correctionsTable: Table = {
  name: 'corrections',
  columns: { id: 'text', at: 'whole', day: 'whole', provider: 'text', model: 'text', amount: 'whole', body: 'text' },
  key: ['id'],
};

export const rollupsTable: Table = {
  name: 'rollups',
  columns: {
    grain: 'text',
    at: 'whole',
    key_id: 'text',
    provider: 'text',
    model: 'text',
    requests: 'whole',
    failed: 'whole',
    cost: 'whole',
    saved: 'whole',
    input_tokens: 'whole',
    output_tokens: 'whole',
    cache_hits: 'whole',
    cache_misses: 'whole',
  },
  key: ['grain', 'at', 'key_id', 'provider', 'model'],
};
