// A program, which exports nothing.
export {};
