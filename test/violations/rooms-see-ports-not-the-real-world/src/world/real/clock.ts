export type Clock = never;
