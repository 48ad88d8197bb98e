// The bank in PostgreSQL keeps what every bank promises.

import { bankContract } from './contract.ts';
import { postgresKit } from './kit.ts';

bankContract(postgresKit);
