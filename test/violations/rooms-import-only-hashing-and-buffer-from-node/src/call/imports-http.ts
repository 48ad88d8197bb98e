import { request } from 'node:http';

export const wrong = request;
