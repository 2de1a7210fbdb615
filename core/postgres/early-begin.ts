/**
 * Options of `sql.begin`, or their beginning, for a transaction whose first statements only read or
 * lock: they are sent along with its `begin`, which saves a turn to the server. What writes has to wait for
 * one of their answers: whether `begin` has failed is known before it, and nothing is sent any more then.
 * `ci/patches.mjs` makes postgres.js understand it, which drops the sign otherwise.
 */
export const earlyBegin = '>'
