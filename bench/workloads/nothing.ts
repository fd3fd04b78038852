/** An empty program: what starting Node takes. */

export {};
