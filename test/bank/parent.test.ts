// The bank in the parent process keeps what every bank promises.

import { bankContract } from './contract.ts';
import { parentKit } from './kit.ts';

bankContract(parentKit);
