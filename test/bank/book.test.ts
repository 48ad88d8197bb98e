// The bank in memory keeps what every bank promises.

import { bankContract } from './contract.ts';
import { bookKit } from './kit.ts';

bankContract(bookKit);
