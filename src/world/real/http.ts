// Node's HTTP module as it is required, not as it is imported.

/**
 * An import reads every name that the module exports, and the lazy ones among them (`WebSocket`) load the whole of node's
 * client for browsers: 75 of the 560 ms of a start, and 10 MB.
 */
export const { createServer, IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http');
