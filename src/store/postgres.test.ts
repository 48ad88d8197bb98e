import { createTestDatabase } from '../../test/postgres.ts';
import { storeContract } from '../../test/store/contract.ts';

storeContract('PostgreSQL', async () => {
  const { url, close } = await createTestDatabase();
  return { storage: { kind: 'postgres', url }, remove: close };
});
